//! The way back: what is undone next, and what a failed undo keeps from being undone.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Mark, Next, Progress, TRIES};
use crate::model::{Action, Batch, End, HostName, Outcome, Part, Step, TaskId, UndoId};

/// Why something was not undone that depends on what could not be undone.
pub const NOT_TRIED: &str = "not tried";

impl Progress {
    /// What an undo does. Routers go on without who is given up in its turn, or after it: what comes up there, when it is back, is whatever
    /// that turn came to. Only while nobody else is in, it is not taken out: no router sends to nobody, and nothing answers there.
    #[must_use]
    pub fn undo(&self, id: UndoId) -> Option<Action> {
        let mut action = self.plan.undo(id)?.clone();
        let lost = self.lost_in_turn();
        let staged = self.plan.tasks().filter(|(_, task)| matches!(task.action, Action::Stage { .. }));
        // In their order, which is that of a router's answer.
        let hosts: Vec<&HostName> = staged.filter_map(|(_, task)| task.action.host()).collect();
        let with = |named: &[HostName]| -> Vec<HostName> {
            let is_with = |host: &&&HostName| named.contains(**host) || lost.contains(**host);
            hosts.iter().filter(is_with).map(|host| (*host).clone()).collect()
        };
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others name no hosts that stay out")]
        match &mut action {
            Action::Switch { want, .. } if !lost.is_empty() && !planted!(LostLetIn) => {
                let is_kept = |host: &HostName| self.kept_out.contains(host);
                let (mut out, everyone) = (with(&want.out), hosts.len());
                if out.len() == everyone {
                    out.retain(|host| want.out.contains(host) || is_kept(host));
                }
                // Who comes up again is not let in for that: they stay in whose turn it is, and what follows tells so.
                if out.len() == everyone {
                    out.retain(is_kept);
                }
                if out.len() < everyone {
                    want.out = out;
                }
            }
            _ => {}
        }
        Some(action)
    }

    /// Undo actions that failed, or were not tried because of one that did ([`NOT_TRIED`]), each with the reason; in the order in which
    /// they would have been done, which is the one in which they can be done by hand: traffic first.
    #[must_use]
    pub fn not_undone(&self) -> Vec<(Action, String)> {
        let blocked = self.blocked();
        let mut left = Vec::new();
        let mut begun: Vec<_> = self.plan.tasks().filter(|(id, _)| self.tasks.contains_key(id)).collect();
        begun.retain(|(id, _)| !self.is_lost(*id));
        begun.sort_by_key(|(id, _)| std::cmp::Reverse(id.stage));
        for (id, task) in begun {
            for undo in (0..task.undo.len()).map(|index| UndoId { task: id, index }) {
                let action = self.undo(undo).into_iter();
                match self.undos.get(&undo) {
                    Some(Mark::Done) => {}
                    Some(Mark::Failed(trouble)) => {
                        left.extend(action.map(|it| (it, trouble.message.clone())));
                    }
                    Some(Mark::Open(_)) | None if self.is_blocked(id, &blocked) => {
                        left.extend(action.map(|it| (it, NOT_TRIED.to_owned())));
                    }
                    Some(Mark::Open(_)) | None => {}
                }
            }
        }
        left
    }

    pub(super) fn next_undo(&self) -> Next {
        let blocked = self.blocked();
        let mut order: Vec<usize> = (0..self.plan.stages.len()).rev().collect();
        if planted!(UndoForward) {
            order.reverse();
        }
        for stage in order {
            let mut batch = Vec::new();
            for task in 0..self.plan.stages[stage].tasks.len() {
                let id = TaskId { part: Part::Stages, stage, task };
                if self.is_to_undo(id) && !self.is_blocked(id, &blocked) {
                    batch.extend(self.first_open_undo(id));
                }
            }
            if !batch.is_empty() {
                return Next::Undo(batch);
            }
        }
        let stuck =
            self.undos.iter().any(|(undo, mark)| matches!(mark, Mark::Failed(_)) && !self.is_of_lost(*undo));
        let changed = self.tasks.keys().any(|id| {
            let looks = self.plan.task(*id).is_some_and(|task| {
                matches!(
                    task.action,
                    Action::RequireUnrouted { .. }
                        | Action::RequireOthers { .. }
                        | Action::RequireHealthy { .. }
                )
            });
            !looks && self.plan.stage(*id).is_some_and(|stage| stage.step > Step::Stage)
        });
        Next::Close(match (stuck, changed) {
            (true, _) => Outcome::Stuck,
            (false, true) => Outcome::RolledBack,
            (false, false) => Outcome::NothingChanged,
        })
    }

    /// Whether an undo is about a host that was left out: what stays there is told, and the next deployment clears it away.
    fn is_of_lost(&self, undo: UndoId) -> bool {
        let host = self.plan.task(undo.task).and_then(|task| task.action.host());
        host.is_some_and(|host| self.left_out.contains_key(host))
    }

    /// Whether a task is of a host that it goes back without: nothing is tried there any more.
    fn is_lost(&self, id: TaskId) -> bool {
        let host = self.plan.task(id).and_then(|task| task.action.host());
        host.is_some_and(|host| self.lost.contains_key(host))
    }

    /// Whatever was begun is, whether or not it came to its end.
    fn is_to_undo(&self, id: TaskId) -> bool {
        let is_past = |batch: &Batch| batch.stages.contains(&id.stage) && self.is_over(batch);
        let is_cut = |action: &Action| action.host().is_some_and(|host| self.lost.contains_key(host));
        let cut = || self.plan.task(id).is_some_and(|task| task.undo.iter().any(is_cut));
        if planted!(LostEndsBatch) && cut() {
            return false;
        }
        if self.is_lost(id) || planted!(BatchesGoneForGood) && self.plan.batches().iter().any(is_past) {
            return false;
        }
        match self.tasks.get(&id) {
            Some(Mark::Done) => true,
            Some(Mark::Open(_) | Mark::Failed(_)) => !planted!(UndoesDoneOnly),
            None => false,
        }
    }

    fn first_open_undo(&self, id: TaskId) -> Option<UndoId> {
        let task = self.plan.task(id)?;
        let mut undos = (0..task.undo.len()).map(|index| UndoId { task: id, index });
        undos.find(|undo| !self.is_put_back(*undo))
    }

    /// Whether nothing is left of an undo: it is done, or it is about a host without which a batch goes on.
    pub(super) fn is_put_back(&self, undo: UndoId) -> bool {
        let host = self.plan.undo(undo).and_then(Action::host);
        self.undos.get(&undo) == Some(&Mark::Done) || host.is_some_and(|host| self.lost.contains_key(host))
    }

    fn blocked(&self) -> Blocked {
        let mut blocked = Blocked::default();
        for (undo, _) in self.undos.iter().filter(|(_, mark)| matches!(mark, Mark::Failed(_))) {
            let Some(task) = self.plan.task(undo.task) else { continue };
            blocked.tasks.insert(undo.task);
            // Whether traffic is back is not known: nothing that the new colour needs may be taken away.
            blocked.color |= matches!(task.action, Action::Switch { .. });
            blocked.hosts.extend(task.action.host().cloned());
            // What goes on would take other hosts out while these are.
            if let Some(first) = self.plan.batches().first().filter(|_| !planted!(WayBackGoesOn)) {
                blocked.batches = first.stages.start..blocked.batches.end.max(undo.task.stage);
            }
        }
        blocked
    }

    fn is_blocked(&self, id: TaskId, blocked: &Blocked) -> bool {
        let Some(task) = self.plan.task(id) else { return true };
        let keeps_color = matches!(
            task.action,
            Action::Start { .. } | Action::Point { .. } | Action::Clear { .. } | Action::Enable { .. }
        );
        if planted!(UndoNotBlocked) {
            return blocked.tasks.contains(&id);
        }
        blocked.tasks.contains(&id)
            || blocked.batches.contains(&id.stage)
            || (blocked.color && keeps_color)
            || task.action.host().is_some_and(|host| blocked.hosts.contains(host))
    }

    pub(super) fn start_undo(&mut self, undos: &[UndoId]) -> Result<(), &'static str> {
        let Next::Undo(allowed) = self.next() else { return Err("nothing may be undone now") };
        if undos.is_empty() || !undos.iter().all(|undo| allowed.contains(undo)) {
            return Err("these may not be undone now");
        }
        for undo in undos {
            let tries = match self.undos.get(undo) {
                Some(Mark::Open(tries)) => *tries,
                _ => 0,
            };
            self.undos.insert(*undo, Mark::Open(tries + 1));
        }
        Ok(())
    }

    pub(super) fn end_undo(&mut self, id: UndoId, end: &End) -> Result<(), &'static str> {
        let Some(Mark::Open(tries)) = self.undos.get(&id).cloned() else {
            return Err("no such undo is under way");
        };
        let mark = match end {
            End::Done => Mark::Done,
            End::Failed(trouble) => Mark::Failed(trouble.clone()),
            End::Unknown(trouble) if tries >= TRIES => Mark::Failed(trouble.clone()),
            End::Unknown(_) | End::NeverBegan => Mark::Open(tries),
        };
        self.undos.insert(id, mark);
        Ok(())
    }
}

/// What failed undo actions keep from being undone.
#[derive(Debug, Default)]
struct Blocked {
    tasks: BTreeSet<TaskId>,
    hosts: BTreeSet<HostName>,
    color: bool,
    /// Stages of batches that come only after what failed.
    batches: Range<usize>,
}
