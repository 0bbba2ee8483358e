//! All that a router hook is asked, and what is looked at in between.

mod meanwhile;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::heard::Heard;
use super::sheet::Sheet;
use super::stage::{Releases, Said, Stage};
use crate::hook::{Meddler, Memory, Place};
use crate::model::view::ConformanceView;
use crate::model::{Color, Disturbed, Mishap, Observation, RouterRule, Routing, Shown, Trouble};

/// Between two looks at a router that has not settled.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Shares that are asked for of a router that can weigh: of blue.
const SHARE: u32 = 30;

/// One hook at one router.
pub(super) struct Rehearsal<'a> {
    stage: Stage<'a>,
    sheet: Sheet,
    features: Vec<String>,
    releases: Releases,
    calls: usize,
    disturbed: usize,
    /// Whether the router may show something else than at first.
    moved: bool,
}

impl<'a> Rehearsal<'a> {
    pub(super) fn new(stage: Stage<'a>) -> Self {
        Self {
            stage,
            sheet: Sheet::new(),
            features: Vec::new(),
            releases: Releases::new(),
            calls: 0,
            disturbed: 0,
            moved: false,
        }
    }

    /// Holds it against every rule, and puts the router back.
    ///
    /// # Errors
    /// When nothing was changed, since the router can't be tried as it is; when it was interrupted; when the router could not be put back.
    pub(super) async fn held(mut self) -> Result<ConformanceView, Trouble> {
        self.stage.begin();
        let first = self.first_color().await?;
        self.releases = self.stage.require_healthy().await?;
        let tried = match self.stage.go_on().await {
            Ok(()) => self.rules(first).await,
            stopped => stopped,
        };
        let back = if self.moved { self.put_back(&Routing::all_to(first)).await } else { Ok(()) };
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

    /// The colour that has all requests at the beginning; where none has, as after a rehearsal that was killed, the one that is live by the
    /// record.
    async fn first_color(&mut self) -> Result<Color, Trouble> {
        let shown = self.settled().await;
        let router = self.stage.router();
        let only = shown.routing.as_ref().ok().and_then(|routing| routing.as_ref()?.only());
        only.or(self.stage.live()).ok_or_else(|| {
            let message = format!("{router} shows {shown}: it has to send everything to one colour");
            Trouble::new("conformance/start", message)
                .hint("deploy twice, so that both colours run: `cutover deploy`, then again")
        })
    }

    /// As a way back does it: whether it can be prepared is not asked for, and what may work when asked again is.
    async fn put_back(&mut self, first: &Routing) -> Result<(), Trouble> {
        let ours = self.stage.go_back().await;
        let deadline = Instant::now() + self.stage.patience();
        let said = loop {
            if let Err(trouble) = ours {
                break Err(trouble.message);
            }
            let _ = self.stage.prepare(first, &Meddler::listening()).await;
            let said = self.stage.apply(first, &Meddler::listening()).await;
            if said.is_ok() || Instant::now() >= deadline {
                break said;
            }
            sleep(LOOK_AGAIN).await;
        };
        let shown = self.settled().await;
        if shown.is(first) {
            return Ok(());
        }
        let router = self.stage.router();
        let why = said.err().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let message = format!("{router} showed {first} at first, and shows {shown} now{why}");
        Err(Trouble::new("conformance/left", message).hint(
            "this command puts it back when it is given again; `cutover status` shows where the traffic is",
        ))
    }

    /// Every rule, in an order in which each stands on those before.
    async fn rules(&mut self, first: Color) -> Result<(), Trouble> {
        let (here, there) = (Routing::all_to(first), Routing::all_to(first.other()));
        self.only_looks().await;
        if !self.settled().await.is(&here) {
            let _ = self.switched(&here, &Meddler::listening()).await;
        }
        let prepared = self.prepares(&here, &there).await?;
        let Some([forward, back]) = self.switches(first).await? else { return Ok(()) };
        let observed = self.observes().await;
        self.can_what_it_names(&here, first).await?;
        self.meanwhile(&here, &there).await?;
        // What is asked on both ways goes wrong on the first.
        let only_back = back.without(&forward);
        self.disturbed_applies(&here, &there, &forward, &back.memory).await?;
        let _ = self.switched(&there, &Meddler::listening()).await;
        self.disturbed_applies(&there, &here, &only_back, &forward.memory).await?;
        let _ = self.switched(&here, &Meddler::listening()).await;
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

    /// There, again, and back: the calls of `apply` on both ways. None when it does not: then nothing else can be said.
    async fn switches(&mut self, first: Color) -> Result<Option<[Heard; 2]>, Trouble> {
        self.compare_doors(first).await;
        let mut heard = Vec::new();
        for color in [first.other(), first] {
            self.stage.go_on().await?;
            let (want, meddler) = (Routing::all_to(color), Meddler::listening());
            let said = self.switched(&want, &meddler).await;
            let shown = self.settled().await;
            let failed = said.is_err() || !shown.is(&want);
            match said {
                Err(reason) => {
                    self.sheet.note(RouterRule::Switches, Some(format!("`apply` of {want}: {reason}")));
                }
                Ok(()) => self.note_shown(RouterRule::Switches, &want, &shown, "after `apply`"),
            }
            if failed {
                return Ok(None);
            }
            self.compare_doors(color).await;
            let again = self.stage.apply(&want, &Meddler::listening()).await;
            self.sheet.note(RouterRule::Again, again.err().map(|reason| format!("{want}: {reason}")));
            let shown = self.settled().await;
            self.note_shown(RouterRule::Again, &want, &shown, "after a second `apply`");
            heard.push(self.heard(&meddler));
        }
        Ok(heard.try_into().ok())
    }

    async fn observes(&mut self) -> Heard {
        let meddler = Meddler::listening();
        let seen = self.stage.observe(&meddler).await;
        self.looked("observe", &seen.denied);
        self.heard(&meddler)
    }

    /// Whether front doors answer with the release of the colour that the router shows.
    async fn compare_doors(&mut self, color: Color) {
        let [own, other] = [color, color.other()].map(|color| self.releases.get(&color).cloned());
        let (Some(own), Some(other)) = (own, other) else {
            let why = "the health check does not say which release an instance runs";
            return self.sheet.leave(RouterRule::FrontDoor, why);
        };
        if own == other {
            let why = format!("both colours run release `{own}`");
            return self.sheet.leave(RouterRule::FrontDoor, &why);
        }
        match self.stage.other_mark(&own).await {
            Err(why) => self.sheet.leave(RouterRule::FrontDoor, &why),
            Ok(wrong) => {
                let how = |mark: &String| {
                    format!("it shows {color}, which runs release `{own}`, and a front door says `{mark}`")
                };
                self.sheet.note(RouterRule::FrontDoor, wrong.as_ref().map(how));
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
        from: &Routing,
        to: &Routing,
        heard: &Heard,
        past: &Memory,
    ) -> Result<(), Trouble> {
        for (index, place) in heard.places.iter().enumerate() {
            for mishap in Mishap::ALL {
                self.stage.go_on().await?;
                // What was prepared may be what a later try stands on.
                let _ = self.stage.prepare(to, &Meddler::listening()).await;
                let meddler = Meddler::at(place.clone(), mishap, past.clone());
                let said = self.overtaken(from, to, &meddler).await;
                if !meddler.happened() {
                    // It did not come to that this time, and has done what it was asked for.
                    let _ = self.switched(from, &Meddler::listening()).await;
                    continue;
                }
                let place = self.disturb("apply", place, mishap);
                // A yes is believed once it has had its time; what two at once come to may never settle.
                let is_awaited = said.is_ok() && mishap != Mishap::Overtaken;
                let shown = if is_awaited { self.settled().await } else { self.look().await };
                let disturbed = Disturbed { mishap, want: to, said: &said, shown: &shown };
                for (rule, broken) in disturbed.judged() {
                    self.sheet.note(rule, broken.map(|how| format!("{place}: {how}")));
                }
                // Each second time it goes straight back, after the same mishap at the next place.
                let is_straight = (self.disturbed + index).is_multiple_of(2);
                let ways: &[&Routing] = if is_straight { &[from] } else { &[to, from] };
                for want in ways {
                    let said = self.switched(want, &Meddler::listening()).await;
                    let shown = self.settled().await;
                    let broken = match said {
                        Err(reason) => Some(format!("{place}: then `apply` of {want}: {reason}")),
                        Ok(()) if shown.is(want) => None,
                        Ok(()) => Some(format!("{place}: then {want} was asked for, and it shows {shown}")),
                    };
                    let by_hand = mishap == Mishap::Overtaken;
                    self.sheet.note(if by_hand { RouterRule::Meanwhile } else { RouterRule::Mends }, broken);
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
        for place in &heard.places {
            for mishap in Mishap::ALL.into_iter().filter(|mishap| !mishap.is_of_moves()) {
                self.stage.go_on().await?;
                let meddler = Meddler::at(place.clone(), mishap, Memory::default());
                let _ = self.stage.prepare(there, &meddler).await;
                if !meddler.happened() {
                    continue;
                }
                let place = self.disturb("prepare", place, mishap);
                let shown = self.settled().await;
                let mut broken = (!shown.is(here)).then(|| format!("it shows {shown}"));
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
        for place in &heard.places {
            for mishap in [Mishap::Refused, Mishap::Silent, Mishap::Lost] {
                self.stage.go_on().await?;
                let meddler = Meddler::at(place.clone(), mishap, Memory::default());
                let seen = self.stage.observe(&meddler).await;
                if !meddler.happened() {
                    continue;
                }
                let place = self.disturb("observe", place, mishap);
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

    /// Counts and tells that something went wrong on purpose; where and how, as people read it.
    fn disturb(&mut self, question: &str, place: &Place, mishap: Mishap) -> String {
        self.disturbed += 1;
        let again = if place.nth == 0 { "" } else { ", asked again" };
        let text = format!("`{question}`, at \"{}\"{again}, {mishap}", place.call);
        self.stage.tell(text.clone());
        text
    }

    /// Prepares and applies; what `apply` asked for is heard.
    async fn switched(&mut self, want: &Routing, meddler: &Meddler) -> Said<()> {
        self.moved = true;
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
        let heard = Heard::of(meddler);
        self.calls += heard.places.len();
        heard
    }
}
