//! What a recovery does to what is known: a new run tries again, and asks anew what may have changed since.

use std::collections::{BTreeMap, BTreeSet};

use super::{Mark, Progress};
use crate::model::{Action, Decision, HostName, Routing, Step, Task, Trouble, UndoId};

impl Progress {
    /// What routers may have been asked for on the way there.
    #[must_use]
    pub fn asked_of_routers(&self) -> Vec<Routing> {
        let want = |task: &Task| {
            if let Action::Switch { want, .. } = &task.action { Some(want.clone()) } else { None }
        };
        self.begun().filter_map(want).collect()
    }

    pub(super) fn recover(
        &mut self,
        decision: &Decision,
        lost: &BTreeMap<HostName, Trouble>,
        kept_out: &BTreeSet<HostName>,
        share: Option<u32>,
    ) -> Result<(), &'static str> {
        match decision {
            Decision::Person { .. } => return Err("nothing is recorded where a person is needed"),
            Decision::Forward if self.turned_back.is_some() => return Err("it goes backward already"),
            Decision::Back { .. } if self.pivoted => return Err("there is no way back after the pivot"),
            Decision::Forward if !lost.is_empty() => return Err("hosts are lost on the way back only"),
            Decision::Back { .. } | Decision::Forward => {}
        }
        if !kept_out.iter().all(|host| self.lost.contains_key(host)) {
            return Err("who stays out was given up before");
        }
        self.closed = None;
        self.lost.retain(|host, _| kept_out.contains(host));
        self.lost.extend(lost.clone());
        self.kept_out = kept_out.iter().filter(|host| !lost.contains_key(*host)).cloned().collect();
        if planted!(GivenUpForGood) {
            return Ok(());
        }
        // A new run tries again what the one before gave up.
        let afresh = |mark: &mut Mark| {
            if matches!(mark, Mark::Open(_)) {
                *mark = Mark::Open(0);
            }
        };
        self.tasks.values_mut().for_each(afresh);
        self.undos.retain(|_, mark| *mark == Mark::Done);
        match decision {
            Decision::Back { why } => {
                self.guards_again();
                self.turn_back(why)?;
            }
            Decision::Forward | Decision::Person { .. } if self.plan.is_rolling() => self.again_from_batch(),
            Decision::Forward | Decision::Person { .. } => self.again_from_health(share),
        }
        Ok(())
    }

    /// A guard that let something through before a break proves nothing now, unless what it guards was done then.
    fn guards_again(&mut self) {
        let guards = |undo: &UndoId| {
            let action = self.plan.undo(*undo);
            matches!(action, Some(Action::RequireHealthy { .. } | Action::RequireUnrouted { .. }))
        };
        let guarded = |undo: &UndoId| UndoId { index: undo.index + 1, ..*undo };
        let is_whole = |undo: &UndoId| {
            let undos = self.plan.task(undo.task).map_or(0, |task| task.undo.len());
            (0..undos).all(|index| self.is_put_back(UndoId { index, ..*undo }))
        };
        // A host that is out may have been let in since, what was stopped on it may have come up again, and what answered may not any more:
        // a batch that is not back yet goes all the way again.
        let batches = self.plan.batches();
        let is_back = |stage: usize| {
            let mut begun = self.tasks.keys().filter(|id| {
                batches.iter().any(|batch| batch.stages.contains(&stage) && batch.stages.contains(&id.stage))
            });
            begun.all(|id| is_whole(&UndoId { task: *id, index: 0 }))
        };
        let stale = |undo: &&UndoId| match self.plan.is_rolling() {
            true => !is_whole(undo) || !is_back(undo.task.stage),
            false => guards(undo) && !self.undos.contains_key(&guarded(undo)),
        };
        let stale: Vec<UndoId> = self.undos.keys().filter(stale).copied().collect();
        if !planted!(GuardsKept) {
            self.undos.retain(|undo, _| !stale.contains(undo));
        }
    }

    /// What is over with a batch is past: its hosts are in. The one that was begun is done again, from taking it out: what was stopped on it
    /// may have come up again, and a router may have let it in.
    fn again_from_batch(&mut self) {
        if self.pivoted {
            return;
        }
        let at = self.batch().map(|batch| batch.stages).filter(|_| !planted!(BatchKept)).unwrap_or_default();
        let plan = &self.plan;
        self.tasks.retain(|id, mark| {
            if at.contains(&id.stage) {
                // It was begun all the same, so that it is undone when it comes to that.
                *mark = Mark::Open(0);
            }
            let asks = plan.stage(*id).is_some_and(|stage| stage.step >= Step::Switch);
            !asks
        });
    }

    /// What was seen before a break proves nothing now: health, tests and watch are asked anew. Someone may have moved the routers, so
    /// they are moved again. A share of the requests that the new colour has stood its watch at, and still has, is past: nothing is taken from it
    /// again.
    fn again_from_health(&mut self, shown: Option<u32>) {
        if self.pivoted {
            return;
        }
        let (plan, left_out) = (&self.plan, &self.left_out);
        // That no router pointed to the idle colour proves nothing now, unless all was cleared then.
        let is_clear = plan
            .tasks()
            .filter(|(_, task)| matches!(task.action, Action::Clear { .. }))
            .all(|(id, _)| self.tasks.get(&id) == Some(&Mark::Done));
        // In maintenance no colour may have any requests, before or after.
        let stays_closed = !plan.moves();
        let shares = plan.shares().next().is_some();
        let next = if planted!(SharesAnew) { 0 } else { self.next_weight(shown) };
        self.tasks.retain(|id, mark| {
            let Some(task) = plan.task(*id) else { return true };
            if shares && task.action.weight(plan.color).is_some_and(|weight| weight < next) {
                return true;
            }
            let silences = matches!(task.action, Action::Silence { .. });
            if task.action.host().is_some_and(|host| left_out.contains_key(host)) {
                return !silences;
            }
            let asks = matches!(
                task.action,
                Action::Smoke { .. }
                    | Action::Prove { .. }
                    | Action::ProveClosed
                    | Action::RequireHealthy { .. }
                    | Action::Watch { .. }
            );
            let awaits = matches!(task.action, Action::AwaitHealthy { .. });
            if matches!(task.action, Action::Switch { .. }) && !planted!(SwitchKept) {
                // It was begun all the same, so that it is undone when it comes to that.
                *mark = Mark::Open(0);
            }
            let guards = matches!(task.action, Action::RequireUnrouted { .. }) && (!is_clear || stays_closed);
            !asks && !guards && !silences && (!awaits || planted!(HealthKept))
        });
    }
}
