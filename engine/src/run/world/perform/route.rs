//! Routers: prepare, switch, and what they say.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant as Moment, sleep};

use crate::model::{
    Action, Color, EventKind, HookCall, HostName, Level, Note, Observation, Plan, Routing, Trouble,
};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::execute::runner::Way;
use crate::run::world::heeded::Next;
use crate::run::world::insist::insist;
use crate::run::world::performer::{Performer, Result};
use crate::run::world::turns::Round;

/// Between two looks at a router that has not settled.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Looks at a router that fails to say what it shows, before that is the end.
const LOOKS: u32 = 3;

/// Between two such looks.
const ASK_AGAIN: Duration = Duration::from_millis(250);

impl Performer {
    pub(super) fn router_call(&self, plan: &Plan, attempt: u32) -> HookCall {
        let both = Color::ALL.iter().flat_map(|color| self.instances(plan, *color)).collect();
        self.call(plan, &plan.release, both, attempt)
    }

    /// Lets the router write and check all that has no effect on traffic, in a round of our turn. One that this run has moved, or an earlier
    /// one to a share, must still show that: while it was watched, someone may have had a reason to move it.
    pub(crate) async fn prepare(
        &self,
        plan: &Plan,
        router: &HostName,
        want: &Routing,
        round: Round,
    ) -> Result<Performed> {
        if self.moved_to(router).is_some() || plan.shares().next().is_some() || plan.is_rolling() {
            self.prepare_again(plan, router, want, round).await?;
        } else {
            self.prepare_now(plan, router, want, round).await?;
        }
        Ok(Performed::done(Summary::Nothing))
    }

    async fn prepare_now(&self, plan: &Plan, router: &HostName, want: &Routing, round: Round) -> Result<()> {
        let ask =
            |attempt| async move { self.hooks.prepare(&self.router_call(plan, attempt), router, want).await };
        for line in insist(self.patience(), ask).await?.lines() {
            let (source, message) = (format!("{router} prepare"), line.to_owned());
            self.reporter.tell(EventKind::Log { source, level: Level::Debug, message });
        }
        self.turns.note_prepared(router, round).await;
        Ok(())
    }

    /// Prepares anew what was prepared in another round, when another application may have changed the router since.
    async fn prepare_again(
        &self,
        plan: &Plan,
        router: &HostName,
        want: &Routing,
        round: Round,
    ) -> Result<()> {
        let seen = self.look_at_router(plan, router).await?;
        self.expect_as_planned(plan, router, want, &seen)?;
        self.prepare_now(plan, router, want, round).await
    }

    /// Fails where a router shows what this was not planned for.
    fn expect_as_planned(
        &self,
        plan: &Plan,
        router: &HostName,
        want: &Routing,
        seen: &Observation,
    ) -> Result<()> {
        if is_planned_for(plan, router, want, seen.routing.as_ref(), self.moved_to(router).as_ref()) {
            return Ok(());
        }
        let shown = Routing::shown(seen.routing.as_ref());
        let message = format!("{router} shows {shown}, which is not what this was planned for");
        let hint = "someone moved it meanwhile: `cutover status` compares record and routers";
        Err(Trouble::new("switch/moved", message).hint(hint).into())
    }

    /// What this run has moved a router to last.
    fn moved_to(&self, router: &HostName) -> Option<Routing> {
        self.moved.lock().ok()?.get(router).cloned()
    }

    /// Removes what was prepared. On the way back nothing depends on it: what is left has no effect on traffic.
    pub(crate) async fn discard(&self, plan: &Plan, router: &HostName, way: Way) -> Result<Performed> {
        let ask = |attempt| async move { self.hooks.discard(&self.router_call(plan, attempt), router).await };
        match insist(self.patience(), ask).await {
            Err(failure) if way == Way::Back => {
                let text = format!("what was prepared may still be there: {}", failure.trouble.message);
                Ok(Performed::done(Summary::Nothing).with(vec![Note::new(router.to_string(), text)]))
            }
            done => Ok(done.map(|()| Performed::done(Summary::Nothing))?),
        }
    }

    /// How long a router is asked again that says it could not answer just now.
    pub(super) fn patience(&self) -> Duration {
        self.deployment.router.hook.timeout
    }

    /// Moves the traffic, and believes the router alone: what `apply` answered is not enough, and its error is not the end.
    pub(crate) async fn switch(
        &self,
        plan: &Plan,
        router: &HostName,
        want: &Routing,
        way: Way,
        round: Round,
    ) -> Result<Performed> {
        if way == Way::There && !self.turns.is_prepared(router).await {
            self.prepare_again(plan, router, want, round).await?;
        }
        if way == Way::There {
            self.note_switch(|switching, now| switching.asks(want, now));
        }
        let deadline = Moment::now() + self.patience();
        let ask =
            |attempt| async move { self.hooks.apply(&self.router_call(plan, attempt), router, want).await };
        let mut error = insist(self.patience(), ask).await.err();
        let (mut attempt, mut away) = (1, false);
        loop {
            let seen = self.hooks.observe(&self.router_call(plan, attempt), router).await;
            let next = Next::of(seen.as_ref().ok(), want, error.is_some(), away);
            let left = deadline.saturating_duration_since(Moment::now());
            match next {
                Next::Done => {
                    self.note_switch(|switching, now| switching.follows(router, now));
                    if let Ok(mut moved) = self.moved.lock() {
                        moved.insert(router.clone(), want.clone());
                    }
                    return Ok(Performed::done(Summary::Nothing));
                }
                Next::AskAgain if !left.is_zero() => {
                    if let Ok(seen) = &seen
                        && way == Way::There
                    {
                        self.expect_as_planned(plan, router, want, seen)?;
                    }
                    away = false;
                    error = insist(left, ask).await.err();
                }
                Next::AskAgain | Next::LookAgain | Next::Fail => away |= seen.is_err(),
            }
            if next == Next::Fail || left.is_zero() {
                if let Some(failure) = error {
                    return Err(failure.into());
                }
                let shown = match seen {
                    Ok(seen) if seen.settled => format!("shows {}", Routing::shown(seen.routing.as_ref())),
                    Ok(seen) => format!("shows {}, not settled", Routing::shown(seen.routing.as_ref())),
                    Err(failure) => format!("does not say what it shows: {}", failure.trouble.message),
                };
                let message = format!("{router} was asked for {want} and {shown}");
                return Err(Trouble::new("switch/not-so", message).into());
            }
            sleep(LOOK_AGAIN).await;
            attempt += 1;
        }
    }

    /// Whether no router sends anything to the colour on these hosts.
    pub(super) async fn are_out(&self, plan: &Plan, color: Color, hosts: &[HostName]) -> Result<bool> {
        for router in &self.deployment.router.names {
            let seen = self.look_at_router(plan, router).await?;
            let sends = |routing: Routing| {
                hosts.iter().any(|host| routing.reaches(color, std::slice::from_ref(host)))
            };
            if !seen.settled || seen.routing.is_none_or(sends) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Hosts that a router at least leaves out.
    pub(super) async fn left_out_by_routers(&self, plan: &Plan) -> Result<BTreeSet<HostName>> {
        let mut out = BTreeSet::new();
        for router in &self.deployment.router.names {
            let seen = self.look_at_router(plan, router).await?;
            out.extend(seen.routing.into_iter().flat_map(|routing| routing.out));
        }
        Ok(out)
    }

    /// Goes on only if every router says that it sends nothing to the colour, or nothing to these hosts where some are named. One that fails to
    /// say it is asked again.
    pub(crate) async fn require_unrouted(
        &self,
        plan: &Plan,
        color: Color,
        hosts: &[HostName],
        way: Way,
    ) -> Result<Performed> {
        for router in &self.deployment.router.names {
            let deadline = Moment::now() + self.patience();
            let mut seen = self.look_at_router(plan, router).await?;
            // Until then, what it showed before may still be served.
            while !seen.settled && Moment::now() < deadline {
                sleep(LOOK_AGAIN).await;
                seen = self.look_at_router(plan, router).await?;
            }
            if let Some(routing) = seen.routing.filter(|routing| routing.reaches(color, hosts)) {
                let what = match hosts.iter().find(|host| !routing.out.contains(host)) {
                    Some(host) => host.to_string(),
                    None => color.to_string(),
                };
                let message = format!("{router} routes {routing}, so {what} may not be stopped");
                return Err(Trouble::new("stop/routed", message).into());
            }
        }
        // Only where nothing is moved is the old colour looked at before the pivot.
        let rests = way == Way::There && color != plan.color;
        let text = if rests { "not moved: in maintenance" } else { "" };
        Ok(Performed::done(Summary::Text(text.to_owned())))
    }

    /// What a router shows: of three looks one must succeed, each as patient as the contract promises it.
    async fn look_at_router(&self, plan: &Plan, router: &HostName) -> Result<Observation> {
        let ask = |attempt| async move { self.hooks.observe(&self.router_call(plan, attempt), router).await };
        for _ in 1..LOOKS {
            if let Ok(seen) = insist(self.patience(), ask).await {
                return Ok(seen);
            }
            sleep(ASK_AGAIN).await;
        }
        Ok(insist(self.patience(), ask).await?)
    }

    /// What each router shows, or why it can't be told: one look each, all at the same time.
    pub(crate) async fn shown_by_routers(
        &self,
        plan: &Plan,
    ) -> Vec<(HostName, std::result::Result<String, String>)> {
        let looks = self.deployment.router.names.iter().map(async |router| {
            let shown = match self.hooks.observe(&self.router_call(plan, 1), router).await {
                Ok(seen) => Ok(Routing::shown(seen.routing.as_ref())),
                Err(failure) => Err(failure.trouble.message),
            };
            (router.clone(), shown)
        });
        join_all(looks).await
    }
}

/// Whether a router shows what this run moved it to, or is about to. One that this run has not moved yet may show what the plan moves it away
/// from, or any share that an earlier run of it may have come to.
fn is_planned_for(
    plan: &Plan,
    router: &HostName,
    want: &Routing,
    shown: Option<&Routing>,
    moved: Option<&Routing>,
) -> bool {
    let nothing = Routing::none();
    let shown = shown.unwrap_or(&nothing);
    if let Some(moved) = moved {
        return shown == want || shown == moved;
    }
    let moves = |action: &Action| matches!(action, Action::Switch { router: of, .. } if of == router);
    let tasks = plan.tasks().map(|(_, task)| task).filter(|task| moves(&task.action));
    let (mut back, mut shares) = (None, Vec::new());
    for task in tasks {
        if plan.is_rolling() {
            // An earlier run may have come to any of its batches.
            shares.extend(routed(&task.action));
        }
        back = back.or_else(|| task.undo.iter().find_map(routed));
        shares.extend(
            routed(&task.action).filter(|routing| routing.share(plan.color) < want.share(plan.color)),
        );
    }
    shown == want || Some(shown) == back || shares.contains(&shown)
}

const fn routed(action: &Action) -> Option<&Routing> {
    if let Action::Switch { want, .. } = action { Some(want) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        CanaryStep, Deployment, Name, Observed, Release, ReleaseId, Strategy, Timestamp, Wish,
    };

    #[test]
    fn a_router_that_was_moved_while_a_share_was_watched_is_not_what_was_planned_for() {
        let name = |text: &str| Name::new(text).expect("a name");
        let mut deployment = Deployment::for_tests(&[name("web1")], &[name("lb1")]);
        let step = |weight| CanaryStep { weight, watch: Duration::from_secs(60) };
        deployment.pipeline.strategy = Strategy::Canary([5, 50].map(step).into());
        let seen =
            Observation { routing: Some(Routing::all_to(Color::Blue)), settled: true, labels: Vec::new() };
        let observed = Observed {
            routers: vec![(name("lb1"), seen)],
            recorded: Some((Color::Blue, ReleaseId::parse("r42").expect("an identifier"))),
            ..Observed::default()
        };
        let wish = Wish::new("deploy", "d1".into(), Release::for_tests("r43", 43), false, Timestamp(5));
        let plan = Plan::new(&deployment, &wish, &observed).expect("a plan");
        let green = |weight| Routing::shared(Color::Green, weight);
        let fits = |want: u32, shown: u32, moved: Option<u32>| {
            let (shown, moved) = (green(shown), moved.map(green));
            is_planned_for(&plan, &name("lb1"), &green(want), Some(&shown), moved.as_ref())
        };
        assert!(fits(50, 5, Some(5)) && fits(50, 50, Some(5)));
        assert!(!fits(50, 0, Some(5)), "someone has put all of it back");
        assert!(!fits(50, 33, Some(5)) && !fits(50, 100, Some(5)));
        // In a run that goes on with another one's deployment.
        assert!(fits(50, 0, None) && fits(50, 5, None) && fits(50, 50, None));
        assert!(!fits(50, 33, None) && !fits(50, 100, None));
        assert!(!fits(5, 50, None), "it would take from the new colour");
    }

    #[test]
    fn a_router_that_someone_moved_is_not_what_was_planned_for() {
        let name = |text: &str| Name::new(text).expect("a name");
        let deployment = Deployment::for_tests(&[name("web1")], &[name("lb1"), name("lb2")]);
        let plan = |routing: Option<Routing>| {
            let recorded =
                routing.clone().map(|_| (Color::Blue, ReleaseId::parse("r42").expect("an identifier")));
            let saw = |router| {
                (name(router), Observation { routing: routing.clone(), settled: true, labels: Vec::new() })
            };
            let observed =
                Observed { routers: ["lb1", "lb2"].map(saw).into(), recorded, ..Observed::default() };
            let release = Release::new(ReleaseId::parse("r43").expect("an identifier"), 43, Timestamp(0));
            let wish = Wish::new("deploy", "d1".into(), release, false, Timestamp(5));
            Plan::new(&deployment, &wish, &observed).expect("a plan")
        };
        let [blue, green] = Color::ALL.map(Routing::all_to);
        let fits = |plan: &Plan, want, shown: Option<&Routing>| {
            is_planned_for(plan, &name("lb2"), want, shown, None)
        };
        let second = plan(Some(blue.clone()));
        assert!(fits(&second, &green, Some(&blue)));
        assert!(fits(&second, &green, Some(&green)), "it was moved, and the answer was lost");
        assert!(!fits(&second, &green, Some(&Routing::none())));
        assert!(!fits(&second, &green, None), "another application's change has taken it away");
        let first = plan(None);
        assert!(fits(&first, &blue, None) && fits(&first, &blue, Some(&Routing::none())));
        assert!(!fits(&first, &blue, Some(&green)));
    }
}
