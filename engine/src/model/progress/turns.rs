//! Hosts that have their turns: which of them are at it, and who is out.

use std::collections::BTreeSet;

use super::{Mark, Progress};
use crate::model::{Action, Batch, HostName, Part, Step, UndoId};

impl Progress {
    /// The batch of hosts that is under way: that was begun and is not over, or on the way back is not undone.
    pub(super) fn batch(&self) -> Option<Batch> {
        let mut begun = self.plan.batches().into_iter().filter(|batch| {
            self.tasks.keys().any(|id| id.part == Part::Stages && batch.stages.contains(&id.stage))
        });
        if self.turned_back.is_some() {
            return begun.rfind(|batch| !self.is_undone(batch));
        }
        begun.next_back().filter(|batch| !self.is_over(batch))
    }

    /// Hosts that it found out of the routers, or may have taken out of them, and has not let in since.
    #[must_use]
    pub fn out(&self) -> Vec<HostName> {
        let at = self.batch();
        // They are in while others have their turn.
        let are_found_out = self.plan.batches().first().is_some_and(|first| match &at {
            Some(at) => at == first,
            None => self.turned_back.is_some() || !self.is_over(first),
        });
        let hosts = at.filter(|batch| self.has_moved(batch)).map(|batch| batch.hosts);
        let mut out = hosts.unwrap_or_default();
        // Who was given up stays out.
        let mut others = self.lost_in_turn();
        if are_found_out {
            others.extend(self.plan.found_out());
        }
        others.retain(|host| !out.contains(host));
        out.extend(others);
        out
    }

    /// Whether a router may have been moved for a batch.
    fn has_moved(&self, batch: &Batch) -> bool {
        let mut begun = self.tasks.keys().filter(|id| batch.stages.contains(&id.stage));
        begun.any(
            |id| matches!(self.plan.task(*id), Some(task) if matches!(task.action, Action::Switch { .. })),
        )
    }

    /// Whether the turn of a host can't be put back next: another one comes before it on the way back, or is half put back, so that its hosts
    /// may be out.
    pub(in crate::model) fn has_others_before(&self, host: &HostName) -> bool {
        let moves = |undo: &UndoId| matches!(self.plan.undo(*undo), Some(Action::Switch { .. }));
        let is_half_back = |batch: &Batch| {
            let mut begun = self.undos.keys().filter(|undo| batch.stages.contains(&undo.task.stage));
            begun.any(moves)
        };
        let batches = self.plan.batches();
        let own = batches.iter().position(|batch| batch.hosts.contains(host));
        batches.iter().enumerate().any(|(index, batch)| {
            let is_before = own.is_none_or(|own| index > own) || is_half_back(batch);
            Some(index) != own && is_before && !self.is_undone(batch)
        })
    }

    /// Whether all that was begun of a batch was undone.
    fn is_undone(&self, batch: &Batch) -> bool {
        let mut begun = self
            .plan
            .tasks()
            .filter(|(id, _)| batch.stages.contains(&id.stage) && self.tasks.contains_key(id));
        begun.all(|(id, task)| (0..task.undo.len()).all(|index| self.is_put_back(UndoId { task: id, index })))
    }

    /// Whether all of a batch was done.
    pub(super) fn is_over(&self, batch: &Batch) -> bool {
        let mut tasks = self.plan.tasks().filter(|(id, _)| batch.stages.contains(&id.stage));
        tasks.all(|(id, _)| self.tasks.get(&id) == Some(&Mark::Done))
    }

    /// Whether a batch of hosts with the new release may have had requests.
    #[must_use]
    pub fn has_let_in(&self) -> bool {
        let mut stages =
            self.tasks.keys().filter_map(|id| Some((self.plan.stage(*id)?, self.plan.task(*id)?)));
        stages.any(|(stage, task)| stage.step == Step::In && matches!(task.action, Action::Switch { .. }))
    }

    /// Hosts that are given up, and that a batch has taken out of the routers before, or may have.
    #[must_use]
    pub fn lost_in_turn(&self) -> BTreeSet<HostName> {
        let mut hosts = BTreeSet::new();
        for batch in self.plan.batches().into_iter().filter(|_| !self.lost.is_empty()) {
            if self.has_moved(&batch) {
                hosts.extend(batch.hosts.into_iter().filter(|host| self.lost.contains_key(host)));
            }
        }
        hosts
    }
}
