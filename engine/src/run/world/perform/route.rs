//! Routers: prepare, switch, and what they say.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant as Moment, sleep};

use crate::model::{Color, EventKind, HookCall, HostName, Level, Note, Observation, Plan, Routing, Trouble};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::execute::runner::Way;
use crate::run::world::heeded::Next;
use crate::run::world::insist::insist;
use crate::run::world::performer::{Performer, Result};
use crate::run::world::planned_for::is_planned_for;
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

    /// The last look before a router is moved that was prepared in this round: someone may have changed it since. It is one at all routers at
    /// the same time, so that those that follow the first one need none of their own, and are no farther apart for it.
    async fn look_before_move(
        &self,
        plan: &Plan,
        router: &HostName,
        want: &Routing,
        round: Round,
    ) -> Result<()> {
        let names = &self.deployment.router.names;
        let looks = names.iter().map(|name| self.await_as_planned(plan, name, want));
        for looked in join_all(looks).await {
            looked?;
        }
        self.turns.note_looked(names.iter().filter(|name| *name != router), round).await;
        Ok(())
    }

    /// Fails where a router shows what this was not planned for. One that restarts, or is on its way, is looked at again for as long as its hook
    /// may take: what it shows meanwhile may be what it did before somebody moved it.
    async fn await_as_planned(&self, plan: &Plan, router: &HostName, want: &Routing) -> Result<()> {
        let (deadline, mut attempt) = (Moment::now() + self.patience(), 1);
        loop {
            let seen = self.hooks.observe(&self.router_call(plan, attempt), router).await;
            let is_late = Moment::now() >= deadline;
            match seen {
                Ok(seen) if !seen.settled && !is_late => {}
                Ok(seen) => return self.expect_as_planned(plan, router, want, &seen),
                Err(failure) if is_late => return Err(failure.into()),
                Err(_) => {}
            }
            sleep(ASK_AGAIN).await;
            attempt += 1;
        }
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
        Err(Trouble::new(Trouble::MOVED, message).hint(hint).into())
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
        if way == Way::There {
            if !self.turns.is_prepared(router).await {
                self.prepare_again(plan, router, want, round).await?;
            } else if !self.turns.take_look(router).await {
                self.look_before_move(plan, router, want, round).await?;
            }
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
