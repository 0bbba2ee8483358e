//! Where a deployment is: records folded over a plan, and what comes next. One total function, used by every run and every recovery.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

mod afresh;
mod exclusion;
#[cfg(test)]
mod fingerprint;
mod turns;
mod way_back;

pub use way_back::NOT_TRIED;

use super::{
    Action, Class, Denial, End, HostName, Outcome, Part, Plan, Record, Switched, TaskId, Trouble, UndoId,
    WHOLE,
};

/// How often a repeatable action whose outcome is not known is done again before this counts as its failure.
const TRIES: u32 = 3;

/// A plan and all that is known to have happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    plan: Arc<Plan>,
    tasks: BTreeMap<TaskId, Mark>,
    undos: BTreeMap<UndoId, Mark>,
    /// Hosts that failed on the way there and are left out, with why.
    left_out: BTreeMap<HostName, Trouble>,
    /// Hosts that it goes back without, since they are out of reach, with why.
    lost: BTreeMap<HostName, Trouble>,
    /// Those of them that are within reach again.
    kept_out: BTreeSet<HostName>,
    turned_back: Option<Trouble>,
    first_error: Option<Trouble>,
    denied: Vec<Denial>,
    switches: Vec<Switched>,
    pivoted: bool,
    closed: Option<Outcome>,
}

/// What is known of one task or undo action. Its absence means that it was never begun.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    /// Begun so many times; the outcome is not known.
    Open(u32),
    Done,
    Failed(Trouble),
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Do these at the same time, and wait for all of them.
    Run(Vec<TaskId>),
    /// Ask whether these took effect; never do them again.
    Ask(Vec<TaskId>),
    /// Undo these at the same time, and wait for all of them.
    Undo(Vec<UndoId>),
    /// Write the record after which there is no way back.
    Pivot,
    /// Write the end.
    Close(Outcome),
    /// It has ended so.
    Ended(Outcome),
}

/// A record that can't follow the ones before it. The journal was not written by this program, or its order was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {index} of the journal can't stand there: {reason}")]
pub struct IllegalHistory {
    /// Its index, from 0.
    pub index: usize,
    /// Why.
    pub reason: &'static str,
}

impl Progress {
    /// Nothing of the plan was begun.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            plan: Arc::new(plan),
            tasks: BTreeMap::new(),
            undos: BTreeMap::new(),
            left_out: BTreeMap::new(),
            lost: BTreeMap::new(),
            kept_out: BTreeSet::new(),
            turned_back: None,
            first_error: None,
            denied: Vec::new(),
            switches: Vec::new(),
            pivoted: false,
            closed: None,
        }
    }

    /// Folds a whole journal.
    ///
    /// # Errors
    /// When it does not begin with its plan, or a record can't follow the others.
    pub fn replay<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<Self, IllegalHistory> {
        let mut records = records.into_iter().enumerate();
        let Some((_, Record::Planned { plan, .. })) = records.next() else {
            return Err(IllegalHistory { index: 0, reason: "a journal begins with its plan" });
        };
        let mut progress = Self::new((**plan).clone());
        for (index, record) in records {
            progress.apply(record).map_err(|reason| IllegalHistory { index, reason })?;
        }
        Ok(progress)
    }

    /// Takes one more record.
    ///
    /// # Errors
    /// With the reason, when it can't follow; then nothing has changed.
    pub fn apply(&mut self, record: &Record) -> Result<(), &'static str> {
        // A deployment that is stuck may be taken up again, any other end is final.
        let retried = self.closed == Some(Outcome::Stuck) && matches!(record, Record::Recovered { .. });
        if self.closed.is_some() && !retried {
            return Err("the deployment has ended");
        }
        match record {
            Record::Planned { .. } => return Err("there is one plan only"),
            Record::Started { tasks } => self.start(tasks)?,
            Record::Ended { task, end } => self.end(*task, end)?,
            Record::TurnedBack { why } => self.turn_back(why)?,
            Record::UndoStarted { undos } => self.start_undo(undos)?,
            Record::UndoEnded { undo, end } => self.end_undo(*undo, end)?,
            Record::Pivot => {
                if self.pivoted || self.turned_back.is_some() || self.next_task(Part::Stages).is_some() {
                    return Err("the pivot comes once, after all tasks, and never on the way back");
                }
                self.pivoted = true;
            }
            Record::Recovered { decision, lost, kept_out, share, .. } => {
                self.recover(decision, lost, kept_out, *share)?;
            }
            Record::Denied { denials } => {
                let new = self.not_kept(denials);
                self.denied.extend(new);
            }
            Record::Switched { switch } => {
                // What is watched anew after a crash is told anew.
                self.switches.retain(|earlier| earlier.weight != switch.weight);
                self.switches.push(*switch);
            }
            Record::Closed { outcome } => self.closed = Some(*outcome),
        }
        Ok(())
    }

    /// What comes next. Total: every history has an answer.
    #[must_use]
    pub fn next(&self) -> Next {
        if let Some(outcome) = self.closed {
            return Next::Ended(outcome);
        }
        if self.pivoted {
            return self.next_task(Part::Retire).unwrap_or(Next::Close(Outcome::Deployed));
        }
        if self.turned_back.is_some() {
            return self.next_undo();
        }
        self.next_task(Part::Stages).unwrap_or(Next::Pivot)
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Whether the old colour is past protecting.
    #[must_use]
    pub const fn is_pivoted(&self) -> bool {
        self.pivoted
    }

    /// Why it goes backward, when it does.
    #[must_use]
    pub const fn turned_back(&self) -> Option<&Trouble> {
        self.turned_back.as_ref()
    }

    /// The error that came first; later ones never hide it.
    #[must_use]
    pub const fn first_error(&self) -> Option<&Trouble> {
        self.first_error.as_ref()
    }

    /// What its hooks were denied, each thing once, at most [`Denial::MOST`].
    #[must_use]
    pub fn denied(&self) -> &[Denial] {
        &self.denied
    }

    /// What its switches were like, each share of the requests once.
    #[must_use]
    pub fn switches(&self) -> &[Switched] {
        &self.switches
    }

    /// Those that are neither kept yet nor one too many.
    #[must_use]
    pub fn not_kept(&self, denials: &[Denial]) -> Vec<Denial> {
        let mut new: Vec<Denial> = Vec::new();
        for denial in denials {
            let room = self.denied.len() + new.len() < Denial::MOST;
            if room && !self.denied.contains(denial) && !new.contains(denial) {
                new.push(denial.clone());
            }
        }
        new
    }

    /// How it ended, when it did.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        self.closed
    }

    /// Whether traffic may have been moved: a switch was begun.
    #[must_use]
    pub fn switch_begun(&self) -> bool {
        self.begun().any(|task| matches!(task.action, Action::Switch { .. }))
    }

    /// Whether all of the traffic of a router may have been moved to the new colour.
    #[must_use]
    pub fn whole_switch_begun(&self) -> bool {
        let color = self.plan.color;
        let is_whole =
            |action: &Action| matches!(action, Action::Switch { want, .. } if want.only() == Some(color));
        self.begun().any(|task| is_whole(&task.action))
    }

    /// What the new colour gets next, in percent, or has and is not watched through yet. Where routers show less than it was watched at,
    /// it is the next one after that.
    #[must_use]
    pub fn next_weight(&self, shown: Option<u32>) -> u32 {
        let is_past = |weight: u32| self.is_watched(weight) && shown.is_none_or(|shown| weight <= shown);
        self.plan.shares().find(|weight| !is_past(*weight)).unwrap_or(WHOLE)
    }

    /// Whether the new colour has stood its watch at a share of the requests.
    fn is_watched(&self, share: u32) -> bool {
        let mut watches = self.plan.tasks().filter(|(_, task)| {
            matches!(task.action, Action::Watch { weight, .. } if weight == share && weight < WHOLE)
        });
        watches.any(|(id, _)| self.tasks.get(&id) == Some(&Mark::Done))
    }

    /// Whether a migration was begun: it stays, whatever is put back.
    #[must_use]
    pub fn migration_begun(&self) -> bool {
        self.begun().any(|task| matches!(task.action, Action::Migrate { .. }))
    }

    /// Tasks after the pivot that failed, each with the reason.
    #[must_use]
    pub fn warnings(&self) -> Vec<(&Action, &Trouble)> {
        let failed = |(id, task)| match self.tasks.get(&id) {
            Some(Mark::Failed(trouble)) => Some((task, trouble)),
            _ => None,
        };
        self.plan.retire_tasks().filter_map(|(id, task)| failed((id, &task.action))).collect()
    }

    /// Why a task is not tried any more, when it is not: it failed, or its outcome stayed unknown too often.
    #[must_use]
    pub fn given_up(&self, id: TaskId) -> Option<&Trouble> {
        match self.tasks.get(&id)? {
            Mark::Failed(trouble) => Some(trouble),
            Mark::Open(_) => self.turned_back(),
            Mark::Done => None,
        }
    }

    /// Why an undo action is not tried any more in this run, when it is not.
    #[must_use]
    pub fn given_up_undo(&self, id: UndoId) -> Option<&Trouble> {
        match self.undos.get(&id)? {
            Mark::Failed(trouble) => Some(trouble),
            Mark::Open(_) | Mark::Done => None,
        }
    }

    fn begun(&self) -> impl Iterator<Item = &super::Task> {
        self.tasks.keys().filter_map(|id| self.plan.task(*id))
    }

    // ---- what comes next ----

    fn next_task(&self, part: Part) -> Option<Next> {
        let stages = match part {
            Part::Stages => &self.plan.stages,
            Part::Retire => &self.plan.retire,
        };
        for (stage, found) in stages.iter().enumerate() {
            let ids = || (0..found.tasks.len()).map(move |task| TaskId { part, stage, task });
            let open_once = |id: &TaskId| {
                let once = self.plan.task(*id).is_some_and(|task| task.class == Class::Once);
                once && !planted!(OnceTwice) && matches!(self.tasks.get(id), Some(Mark::Open(_)))
            };
            let ask: Vec<TaskId> = ids().filter(open_once).collect();
            if !ask.is_empty() {
                return Some(Next::Ask(ask));
            }
            let run: Vec<TaskId> = ids().filter(|id| self.is_to_do(*id) && self.is_wanted(*id)).collect();
            if !run.is_empty() {
                return Some(Next::Run(run));
            }
        }
        None
    }

    fn is_to_do(&self, id: TaskId) -> bool {
        matches!(self.tasks.get(&id), None | Some(Mark::Open(_)))
    }

    fn is_wanted(&self, id: TaskId) -> bool {
        !self.is_unsafe(id) && !self.is_excluded(id)
    }

    /// After the pivot the old colour is stopped only if it is drained and no router points to it.
    fn is_unsafe(&self, id: TaskId) -> bool {
        let stops = self.plan.task(id).is_some_and(|task| matches!(task.action, Action::Stop { .. }));
        let guard = |action: &Action| matches!(action, Action::Drain { .. } | Action::RequireUnrouted { .. });
        !planted!(StopsUndrained)
            && id.part == Part::Retire
            && stops
            && self.warnings().iter().any(|(action, _)| guard(action))
    }

    // ---- taking records ----

    fn start(&mut self, tasks: &[TaskId]) -> Result<(), &'static str> {
        let Next::Run(allowed) = self.next() else { return Err("no task may start now") };
        if tasks.is_empty() || !tasks.iter().all(|task| allowed.contains(task)) {
            return Err("these tasks may not start now");
        }
        for task in tasks {
            let tries = match self.tasks.get(task) {
                Some(Mark::Open(tries)) => *tries,
                _ => 0,
            };
            self.tasks.insert(*task, Mark::Open(tries + 1));
        }
        Ok(())
    }

    fn end(&mut self, id: TaskId, end: &End) -> Result<(), &'static str> {
        let Some(Mark::Open(tries)) = self.tasks.get(&id).cloned() else {
            return Err("no such task is under way");
        };
        let once = self.plan.task(id).is_some_and(|task| task.class == Class::Once);
        let watches = self.plan.task(id).is_some_and(|task| matches!(task.action, Action::Watch { .. }));
        let mark = match end {
            End::Failed(_) if planted!(WatchIgnored) && watches => Some(Mark::Done),
            End::Done => Some(Mark::Done),
            End::Failed(trouble) => Some(Mark::Failed(trouble.clone())),
            End::Unknown(trouble) if (!once && tries >= TRIES) || planted!(UnknownIsFailure) => {
                Some(Mark::Failed(trouble.clone()))
            }
            End::Unknown(trouble) if once && tries > TRIES => {
                // It may have run and may not: nothing can be built on it, and it is never run again.
                self.turn_back(trouble)?;
                Some(Mark::Open(tries))
            }
            End::Unknown(_) => Some(Mark::Open(tries + u32::from(once))),
            End::NeverBegan => None,
        };
        if let (Some(Mark::Failed(trouble)), Part::Stages) = (&mark, id.part)
            && !self.exclude(id, trouble)
        {
            if planted!(LastErrorTold) {
                self.first_error = None;
            }
            self.first_error.get_or_insert_with(|| trouble.clone());
            self.turned_back.get_or_insert_with(|| trouble.clone());
        }
        match mark {
            Some(mark) => self.tasks.insert(id, mark),
            None => self.tasks.remove(&id),
        };
        Ok(())
    }

    fn turn_back(&mut self, why: &Trouble) -> Result<(), &'static str> {
        if self.pivoted {
            return Err("there is no way back after the pivot");
        }
        self.first_error.get_or_insert_with(|| why.clone());
        self.turned_back.get_or_insert_with(|| why.clone());
        Ok(())
    }
}
