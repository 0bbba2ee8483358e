//! Hosts that get the new release one batch after the other, in the place of the old one: for those that have memory, or a port, for one.
//!
//! # What holds, and what does not
//! There are no colours: each host has one place, which is called blue where a name is needed, and both releases take turns in it. So
//! two things that blue/green promises can't be kept. The old release is stopped on a host before the new one is proven there; and while
//! a batch is out, the others carry its requests. This is what is kept instead:
//!
//! - Hosts are taken out of every router before anything is stopped on them, and nothing is stopped while a router points there
//!   (`RequireUnrouted`). Who is out is asked for nothing.
//! - They are taken out only if another one answers meanwhile (`RequireOthers`), or if they answer nobody anyway. At most one batch is
//!   out at a time, and a batch is never all of them.
//! - They are let in again once they are healthy and have passed the smoke tests, and only then come the next ones.
//! - What fails puts all of it back: the batches that went, from the last to the first, each the same way, out, stop, start, health, in.
//!   Where that fails too, it stops there, since two batches would be out otherwise.
//! - Until the pivot each host has both releases, and each batch knows what ran on it.
//! - Who is given up on the way back, in its turn or after it, is not let in ([`Progress::undo`](crate::model::Progress::undo)). A later
//!   deployment begins with those that routers leave out, all at the same time, where whoever deploys adopts that; its way back leaves them out.
//!
//! With two ports on each host, blue/green is better in every way, and a canary is what moves traffic little by little; so there is no
//! rolling with colours.
//!
//! # How it maps to what is there
//! A plan is rolling when it fills the colour that is live ([`Plan::is_rolling`]). A host is cleared, filled and started by the very
//! tasks that clear an idle colour which still runs something, and their ways back start again what they stopped. Around them, each batch
//! has a move of the routers to [`Routing`]s in which its hosts are [`out`](Routing::out), and one to the routing without. Undone in
//! reverse, a batch is taken out and stopped by what came right before its start, whether or not it was let in, and whatever routers show
//! by then; its links and processes are put back by what changed them; and it is let in by what took it out.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Plan, Planner, Stage, repeatable, stage};
use crate::model::{Action, HostName, Routing, Step, Task, WHOLE};

/// Hosts that are out at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The hosts.
    pub hosts: Vec<HostName>,
    /// All that is done with them, by the indices of the stages.
    pub stages: Range<usize>,
}

impl Plan {
    /// Whether it fills the colour that is live.
    #[must_use]
    pub fn is_rolling(&self) -> bool {
        self.live.as_ref().is_some_and(|(live, _)| *live == self.color)
    }

    /// Its batches in order; none where it is not rolling.
    #[must_use]
    pub fn batches(&self) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        for (index, stage) in self.stages.iter().enumerate().filter(|_| self.is_rolling()) {
            let named = stage.tasks.first().map(|task| task.action.hosts()).unwrap_or_default();
            let is_in_batch =
                matches!(stage.step, Step::Out | Step::Start | Step::Health | Step::Smoke | Step::In);
            match batches.last_mut() {
                // Each begins with who goes out.
                last if stage.step == Step::Out
                    && last.as_ref().is_none_or(|last| last.hosts != named)
                    && !named.is_empty() =>
                {
                    batches.push(Batch { hosts: named.to_vec(), stages: index..index + 1 });
                }
                Some(batch) if is_in_batch => batch.stages.end = index + 1,
                Some(_) | None => {}
            }
        }
        batches
    }

    /// Hosts that a router left out before, which are its first batch.
    #[must_use]
    pub fn found_out(&self) -> BTreeSet<HostName> {
        let tasks = self.stages.iter().filter(|stage| stage.step == Step::Out).flat_map(|stage| &stage.tasks);
        let mut found = BTreeSet::new();
        for undo in tasks.flat_map(|task| &task.undo) {
            if let Action::Switch { want, .. } = undo {
                found.extend(want.out.iter().cloned());
            }
        }
        found
    }
}

impl Planner<'_> {
    /// One batch after the other, then the proof and the watch.
    pub(super) fn roll(&self, size: usize) -> Vec<Stage> {
        let (color, release) = (self.color, || self.id.clone());
        let mut stages = Vec::new();
        let (out, rest): (Vec<HostName>, Vec<HostName>) =
            self.hosts().iter().cloned().partition(|host| self.out.contains(host));
        // Who is out already comes first: to let it in with another release than the one that is live would be wrong.
        let first = Some(out).filter(|out| !out.is_empty());
        let batches: Vec<&[HostName]> =
            first.as_deref().into_iter().chain(rest.chunks(size.max(1))).collect();
        for (index, batch) in batches.iter().enumerate() {
            let (mut turn, fill) = (self.take_out(&batches[..=index]), self.fill(batch));
            turn.splice(if planted!(StoppedWhileIn) { 0..0 } else { turn.len()..turn.len() }, fill);
            stages.extend(turn);
            if !planted!(NextBeforeIn) || index + 1 == batches.len() {
                stages.extend(self.let_in());
            }
        }
        let prove = Action::Prove { color, release: release(), weight: WHOLE };
        stages.push(stage(Step::Switch, vec![repeatable(prove, Vec::new())]));
        let watch = Action::Watch { color, release: release(), weight: WHOLE };
        stages.push(stage(Step::Watch, vec![repeatable(watch, Vec::new())]));
        stages
    }

    /// A batch gets no requests any more. The way back lets it in, once it answers as before, unless it was out; after the first batch, all
    /// are as before.
    fn take_out(&self, batches: &[&[HostName]]) -> Vec<Stage> {
        let Some((batch, before)) = batches.split_last() else { return Vec::new() };
        let color = self.color;
        let others = Action::RequireOthers { color, hosts: batch.to_vec() };
        let mut stages = vec![stage(Step::Out, vec![repeatable(others, Vec::new())])];
        if planted!(OthersUnasked) {
            // It says which batch this is.
            stages[0].tasks[0].action = Action::Drain { color, hosts: batch.to_vec() };
        }
        let out = if planted!(NextBeforeIn) { batches.concat() } else { batch.to_vec() };
        let ran = |host: &&HostName| {
            let action = |release| Action::AwaitHealthy { host: (*host).clone(), color, release };
            self.ran_before(host).map(action)
        };
        stages.extend(self.route(Step::Out, &out, |index, router| {
            let (stay, back): (Vec<&HostName>, Vec<&HostName>) =
                batch.iter().partition(|host| self.was_out(router, host));
            let out: Vec<HostName> = stay.into_iter().cloned().collect();
            let mut undo: Vec<Action> =
                back.iter().filter_map(ran).filter(|_| !planted!(LetInUnasked)).collect();
            // Someone may have let them in since, and rely on them.
            if !out.is_empty() {
                undo.push(Action::RequireOthers { color, hosts: out.clone() });
            }
            undo.push(Action::Switch {
                router: router.clone(),
                want: Routing { out, ..Routing::all_to(color) },
            });
            let recorded = self.observed.recorded.clone().filter(|_| before.is_empty() && index == 0);
            undo.extend(recorded.map(|(color, release)| Action::Prove { color, release, weight: WHOLE }));
            undo
        }));
        let drain = Action::Drain { color, hosts: batch.to_vec() };
        stages.push(stage(Step::Out, vec![repeatable(drain, Vec::new())]));
        stages
    }

    /// Whether a router had left a host out before.
    fn was_out(&self, router: &HostName, host: &HostName) -> bool {
        let mut seen = self.observed.routers.iter().filter(|(name, _)| name == router);
        seen.any(|(_, seen)| seen.routing.as_ref().is_some_and(|routing| routing.out.contains(host)))
    }

    /// A batch gets requests again.
    fn let_in(&self) -> Vec<Stage> {
        self.route(Step::In, &[], |_, _| Vec::new())
    }

    /// The last look before a batch is started, whose way back takes that batch out again and stops it.
    pub(super) fn before_start(&self, batch: &[HostName]) -> Stage {
        let (color, hosts) = (self.color, || batch.to_vec());
        let want = || Routing { out: hosts(), ..Routing::all_to(color) };
        let mut undo = Vec::new();
        for (router, _) in self.observed.routers.iter().rev() {
            if !planted!(OthersUnasked) {
                undo.push(Action::RequireOthers { color, hosts: hosts() });
            }
            undo.push(Action::Switch { router: router.clone(), want: want() });
        }
        undo.push(Action::Drain { color, hosts: hosts() });
        undo.push(Action::RequireUnrouted { color, hosts: hosts() });
        undo.extend(batch.iter().map(|host| Action::Stop { host: host.clone(), color }));
        stage(Step::Start, vec![repeatable(Action::RequireUnrouted { color, hosts: hosts() }, undo)])
    }

    /// Every router to the whole colour without these hosts.
    fn route(
        &self,
        step: Step,
        out: &[HostName],
        undo: impl Fn(usize, &HostName) -> Vec<Action>,
    ) -> Vec<Stage> {
        let want = || Routing { out: out.to_vec(), ..Routing::all_to(self.color) };
        let routers = || self.observed.routers.iter().map(|(router, _)| router);
        let prepare = |router: &HostName| -> Task {
            let discard = Action::Discard { router: router.clone() };
            repeatable(Action::Prepare { router: router.clone(), want: want() }, vec![discard])
        };
        let mut stages = vec![stage(step, routers().map(prepare).collect())];
        for (index, router) in routers().enumerate() {
            let switch = Action::Switch { router: router.clone(), want: want() };
            stages.push(stage(step, vec![repeatable(switch, undo(index, router))]));
        }
        stages
    }
}

#[cfg(test)]
mod tests;
