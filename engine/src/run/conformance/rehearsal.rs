//! All that a router hook is asked, and what is looked at in between.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::sheet::Sheet;
use super::stage::{Said, Stage};
use crate::hook::{Meddler, Memory};
use crate::model::view::ConformanceView;
use crate::model::{
    Color, Disturbed, HostName, LiveRecord, Mishap, Observation, RouterRule, Routing, Shown, Trouble,
};
use crate::run::world::session::Session;

/// Between two looks at a router that has not settled.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Shares that are asked for of a router that can weigh: of blue.
const SHARE: u32 = 30;

/// One hook at one router.
pub(super) struct Rehearsal<'a> {
    stage: Stage<'a>,
    sheet: Sheet,
    features: Vec<String>,
    calls: usize,
    disturbed: usize,
}

/// Calls that a question made when all went well, and what the world answered.
struct Heard {
    calls: Vec<String>,
    memory: Memory,
}

impl<'a> Rehearsal<'a> {
    pub(super) fn new(
        session: &'a Session,
        router: HostName,
        live: Option<&LiveRecord>,
        run: &str,
    ) -> Result<Self, Trouble> {
        let stage = Stage::new(session, router, live, run)?;
        Ok(Self { stage, sheet: Sheet::new(), features: Vec::new(), calls: 0, disturbed: 0 })
    }

    /// Holds it against every rule, and puts the router back.
    ///
    /// # Errors
    /// When nothing was changed, since the router can't be tried as it is; when it was interrupted; when the router could not be put back.
    pub(super) async fn held(mut self) -> Result<ConformanceView, Trouble> {
        let first = self.first_color().await?;
        self.stage.require_healthy().await?;
        let tried = match self.stage.go_on().await {
            Ok(()) => self.rules(first).await,
            stopped => stopped,
        };
        let back = self.put_back(&Routing::all_to(first)).await;
        self.stage.let_go().await;
        back.and(tried)?;
        Ok(ConformanceView {
            router: self.stage.router().clone(),
            hook: self.stage.source(),
            digest: self.stage.digest(),
            features: self.features,
            calls: self.calls,
            disturbed: self.disturbed,
            rules: self.sheet.into_rules(),
        })
    }

    /// The colour that has all requests at the beginning.
    async fn first_color(&mut self) -> Result<Color, Trouble> {
        let shown = self.settled().await;
        let router = self.stage.router();
        let only = shown.routing.as_ref().ok().and_then(|routing| routing.as_ref()?.only());
        only.filter(|_| shown.settled).ok_or_else(|| {
            let message = format!("{router} shows {shown}: it has to send everything to one colour");
            Trouble::new("conformance/start", message)
                .hint("deploy twice, so that both colours run: `cutover deploy`, then again")
        })
    }

    async fn put_back(&mut self, first: &Routing) -> Result<(), Trouble> {
        let said = self.switched(first, &Meddler::listening()).await;
        let shown = self.settled().await;
        if shown.is(first) {
            return Ok(());
        }
        let router = self.stage.router();
        let why = said.err().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let message = format!("{router} showed {first} at first, and shows {shown} now{why}");
        Err(Trouble::new("conformance/left", message)
            .hint("`cutover status` shows where the traffic is; `cutover doctor` what to do"))
    }

    /// Every rule, in an order in which each stands on those before.
    async fn rules(&mut self, first: Color) -> Result<(), Trouble> {
        let (here, there) = (Routing::all_to(first), Routing::all_to(first.other()));
        self.only_looks().await;
        let prepared = self.prepares(&here, &there).await?;
        let Some((forward, observed)) = self.switches(&here, &there).await? else { return Ok(()) };
        self.can_what_it_names(&here, first).await?;
        self.disturbed_applies(&here, &there, &forward).await?;
        self.disturbed_prepares(&here, &there, &prepared).await?;
        self.disturbed_observes(&here, &observed).await
    }

    async fn only_looks(&mut self) {
        let (said, denied) = self.stage.setup().await;
        let empty = matches!(&said, Ok(text) if text.trim().is_empty());
        let broken = match (denied.first(), said) {
            (Some(denied), _) => Some(format!("asks for {denied}")),
            (None, Err(reason)) => Some(reason),
            (None, Ok(_)) => empty.then(|| "says nothing".to_owned()),
        };
        self.sheet.note(RouterRule::Setup, broken);
        let (features, denied) = self.stage.features().await;
        self.looked("features", &denied);
        match features {
            Ok(features) => self.features = features,
            Err(reason) => self.sheet.note(RouterRule::Features, Some(reason)),
        }
        for color in Color::ALL {
            let denied = self.stage.connections(color).await;
            self.looked("connections", &denied);
        }
    }

    fn looked(&mut self, question: &str, denied: &[String]) {
        let broken = denied.first().map(|denied| format!("`{question}` asks for {denied}"));
        self.sheet.note(RouterRule::Looks, broken);
    }

    async fn prepares(&mut self, here: &Routing, there: &Routing) -> Result<Heard, Trouble> {
        self.stage.go_on().await?;
        let meddler = Meddler::listening();
        let mut said = vec![("prepare", self.stage.prepare(there, &meddler).await.map(drop))];
        said.push((
            "prepare, asked again,",
            self.stage.prepare(there, &Meddler::listening()).await.map(drop),
        ));
        said.push(("discard", self.stage.discard().await));
        said.push(("discard, asked again,", self.stage.discard().await));
        for (question, said) in said {
            let broken = said.err().map(|reason| format!("`{question}` fails: {reason}"));
            self.sheet.note(RouterRule::Prepares, broken);
        }
        let shown = self.settled().await;
        self.note_shown(RouterRule::Prepares, here, &shown, "after `prepare` and `discard`");
        let idle = self.stage.prepare(here, &Meddler::listening()).await;
        let broken = match idle {
            Ok(text) if text.is_empty() => None,
            Ok(text) => Some(format!(
                "it shows {here}, and `prepare` for that says `{}`",
                text.lines().next().unwrap_or_default()
            )),
            Err(reason) => Some(reason),
        };
        self.sheet.note(RouterRule::NothingToDo, broken);
        Ok(self.heard(&meddler))
    }

    /// There, again, and back. None when it does not: then nothing else can be said. Else the calls of `apply` on the way there, and those
    /// of `observe`.
    async fn switches(&mut self, here: &Routing, there: &Routing) -> Result<Option<(Heard, Heard)>, Trouble> {
        let before = self.stage.marks().await;
        let there_and_back = [there, here];
        let mut heard = Vec::new();
        let mut marks = Vec::new();
        for want in there_and_back {
            self.stage.go_on().await?;
            let meddler = Meddler::listening();
            let said = self.switched(want, &meddler).await;
            let shown = self.settled().await;
            let failed = said.is_err() || !shown.is(want);
            match said {
                Err(reason) => {
                    self.sheet.note(RouterRule::Switches, Some(format!("`apply` of {want}: {reason}")));
                }
                Ok(()) => self.note_shown(RouterRule::Switches, want, &shown, "after `apply`"),
            }
            if failed {
                return Ok(None);
            }
            marks.push(self.stage.marks().await);
            let again = self.stage.apply(want, &Meddler::listening()).await;
            self.sheet.note(RouterRule::Again, again.err().map(|reason| format!("{want}: {reason}")));
            let shown = self.settled().await;
            self.note_shown(RouterRule::Again, want, &shown, "after a second `apply`");
            heard.push(self.heard(&meddler));
        }
        self.compare_marks(before, marks);
        let meddler = Meddler::listening();
        let seen = self.stage.observe(&meddler).await;
        self.looked("observe", &seen.denied);
        let observed = self.heard(&meddler);
        Ok(heard.into_iter().next().map(|forward| (forward, observed)))
    }

    /// What front doors said before, there, and back again.
    fn compare_marks(&mut self, before: Said<String>, marks: Vec<Said<String>>) {
        let all: Result<Vec<String>, String> = std::iter::once(before).chain(marks).collect();
        match all.as_deref() {
            Err(reason) => self.sheet.leave(RouterRule::FrontDoor, reason),
            Ok([first, there, back]) if first == back && first == there => {
                let why = format!("both colours say that they are release `{first}`");
                self.sheet.leave(RouterRule::FrontDoor, &why);
            }
            Ok(said) => {
                let broken = matches!(said, [first, _, back] if first != back);
                let how = format!("they said release `{}`, in this order", said.join("`, `"));
                self.sheet.note(RouterRule::FrontDoor, broken.then_some(how));
            }
        }
    }

    async fn can_what_it_names(&mut self, here: &Routing, first: Color) -> Result<(), Trouble> {
        let named = |feature: &str| self.features.iter().any(|named| named == feature);
        let mut wanted = Vec::new();
        if named("maintenance") {
            wanted.push(Routing::none());
        }
        if named("weights") {
            wanted.push(Routing { blue: SHARE, green: 100 - SHARE, out: Vec::new() });
        }
        if named("hosts")
            && let Some(host) = self.stage.one_of_many()
        {
            wanted.push(Routing { out: vec![host], ..Routing::all_to(first) });
        }
        if wanted.is_empty() {
            self.sheet.leave(RouterRule::Features, "it names none that can be tried here");
        }
        for want in wanted {
            self.stage.go_on().await?;
            for want in [&want, here] {
                match self.switched(want, &Meddler::listening()).await {
                    Err(reason) => self.sheet.note(RouterRule::Features, Some(format!("{want}: {reason}"))),
                    Ok(()) => {
                        let shown = self.settled().await;
                        self.note_shown(RouterRule::Features, want, &shown, "after `apply`");
                    }
                }
            }
        }
        Ok(())
    }

    async fn disturbed_applies(
        &mut self,
        here: &Routing,
        there: &Routing,
        heard: &Heard,
    ) -> Result<(), Trouble> {
        for index in told_apart(&heard.calls) {
            for mishap in Mishap::ALL {
                self.stage.go_on().await?;
                // What was prepared may be what a later try stands on.
                let _ = self.stage.prepare(there, &Meddler::listening()).await;
                let meddler = Meddler::at(index, mishap, heard.memory.clone());
                let said = self.stage.apply(there, &meddler).await;
                if !meddler.happened() {
                    continue;
                }
                self.disturbed += 1;
                let place = place("apply", &heard.calls, index, mishap);
                self.stage.tell(place.clone());
                // A yes is believed once it has had its time.
                let shown = if said.is_ok() { self.settled().await } else { self.look().await };
                let disturbed = Disturbed { mishap, want: there, said: &said, shown: &shown };
                for (rule, broken) in disturbed.judged() {
                    self.sheet.note(rule, broken.map(|how| format!("{place}: {how}")));
                }
                // Each second time it goes straight back.
                let ways: &[&Routing] =
                    if self.disturbed.is_multiple_of(2) { &[here] } else { &[there, here] };
                for want in ways {
                    let said = self.switched(want, &Meddler::listening()).await;
                    let shown = self.settled().await;
                    let is_so = shown.is(want);
                    let broken = match said {
                        Err(reason) => Some(format!("{place}: then `apply` of {want}: {reason}")),
                        Ok(()) => (!is_so)
                            .then(|| format!("{place}: then {want} was asked for, and it shows {shown}")),
                    };
                    self.sheet.note(RouterRule::Mends, broken);
                }
            }
        }
        Ok(())
    }

    async fn disturbed_prepares(
        &mut self,
        here: &Routing,
        there: &Routing,
        heard: &Heard,
    ) -> Result<(), Trouble> {
        for index in told_apart(&heard.calls) {
            for mishap in Mishap::ALL.into_iter().filter(|mishap| !mishap.deceives()) {
                self.stage.go_on().await?;
                let meddler = Meddler::at(index, mishap, Memory::default());
                let _ = self.stage.prepare(there, &meddler).await;
                if !meddler.happened() {
                    continue;
                }
                self.disturbed += 1;
                let place = place("prepare", &heard.calls, index, mishap);
                self.stage.tell(place.clone());
                let shown = self.settled().await;
                let is_so = shown.is(here);
                let mut broken = (!is_so).then(|| format!("it shows {shown}"));
                for (question, said) in [
                    ("discard", self.stage.discard().await),
                    ("prepare", self.stage.prepare(there, &Meddler::listening()).await.map(drop)),
                ] {
                    broken = broken.or(said.err().map(|reason| format!("then `{question}`: {reason}")));
                }
                self.sheet.note(RouterRule::Harmless, broken.map(|how| format!("{place}: {how}")));
            }
        }
        // What the last one has prepared.
        let _ = self.stage.discard().await;
        Ok(())
    }

    async fn disturbed_observes(&mut self, here: &Routing, heard: &Heard) -> Result<(), Trouble> {
        for index in told_apart(&heard.calls) {
            for mishap in [Mishap::Refused, Mishap::Silent, Mishap::Lost] {
                self.stage.go_on().await?;
                let meddler = Meddler::at(index, mishap, Memory::default());
                let seen = self.stage.observe(&meddler).await;
                if !meddler.happened() {
                    continue;
                }
                self.disturbed += 1;
                let place = place("observe", &heard.calls, index, mishap);
                self.stage.tell(place.clone());
                let broken = match seen.said {
                    Ok(Observation { routing, settled: true, .. }) if routing.as_ref() != Some(here) => {
                        let shown = Shown { routing: Ok(routing), settled: true };
                        Some(format!("{place}: it says {shown}, and it is {here}"))
                    }
                    Ok(_) | Err(_) => None,
                };
                self.sheet.note(RouterRule::NoGuess, broken);
            }
        }
        Ok(())
    }

    /// Prepares and applies; what `apply` asked for is heard.
    async fn switched(&mut self, want: &Routing, meddler: &Meddler) -> Said<()> {
        self.stage.prepare(want, &Meddler::listening()).await?;
        self.stage.apply(want, meddler).await
    }

    /// What the router shows once it has settled, or after the time of a question.
    async fn settled(&mut self) -> Shown {
        let deadline = Instant::now() + self.stage.patience();
        loop {
            let shown = self.look().await;
            if shown.settled || Instant::now() >= deadline {
                return shown;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// What it shows at this moment.
    async fn look(&mut self) -> Shown {
        let deadline = Instant::now() + self.stage.patience();
        loop {
            let seen = self.stage.observe(&Meddler::listening()).await;
            match seen.said {
                Ok(Observation { routing, settled, .. }) => return Shown { routing: Ok(routing), settled },
                Err(reason) if Instant::now() >= deadline || !seen.temporary => {
                    return Shown { routing: Err(reason), settled: true };
                }
                Err(_) => sleep(LOOK_AGAIN).await,
            }
        }
    }

    fn note_shown(&mut self, rule: RouterRule, want: &Routing, shown: &Shown, when: &str) {
        self.sheet.note(rule, (!shown.is(want)).then(|| format!("{when} it shows {shown}, not {want}")));
    }

    fn heard(&mut self, meddler: &Meddler) -> Heard {
        let calls = meddler.calls();
        self.calls += told_apart(&calls).len();
        Heard { calls, memory: meddler.memory() }
    }
}

/// Which calls are made to go wrong: of those that are alike, as of a hook that waits, the first and the last.
fn told_apart(calls: &[String]) -> Vec<usize> {
    let first = |index: &usize| calls.iter().position(|call| *call == calls[*index]) == Some(*index);
    let last = |index: &usize| calls.iter().rposition(|call| *call == calls[*index]) == Some(*index);
    let found: BTreeSet<usize> = (0..calls.len()).filter(|index| first(index) || last(index)).collect();
    found.into_iter().collect()
}

/// Where something went wrong, as people read it.
fn place(question: &str, calls: &[String], index: usize, mishap: Mishap) -> String {
    format!("`{question}`, call {} ({}), {mishap}", index + 1, calls[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_calls_that_are_alike_two_are_enough() {
        let calls = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(told_apart(&calls("ask write ask ask ask reload")), [0, 1, 4, 5]);
        assert_eq!(told_apart(&calls("ask")), [0]);
        assert_eq!(told_apart(&[]), [] as [usize; 0]);
    }
}
