//! Lines of the journal: small, written before an effect (intent) and after it (what is known of it).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Basis, Denial, HostName, Outcome, Plan, Step, Switched, TaskId};

/// One line of the journal of a deployment. The plan is always the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Record {
    /// The deployment begins with all of its work.
    Planned {
        /// The work.
        plan: Box<Plan>,
        /// Who began it.
        origin: Origin,
    },
    /// These tasks are about to be done.
    Started {
        /// Places in the plan.
        tasks: Vec<TaskId>,
    },
    /// What is known of a task's effect.
    Ended {
        /// Place in the plan.
        task: TaskId,
        /// What is known.
        end: End,
    },
    /// From here on backward.
    TurnedBack {
        /// Why: what a person or signal said, or the first error.
        why: Trouble,
    },
    /// These undo actions are about to be done.
    UndoStarted {
        /// Places.
        undos: Vec<UndoId>,
    },
    /// What is known of an undo action's effect.
    UndoEnded {
        /// Place.
        undo: UndoId,
        /// What is known.
        end: End,
    },
    /// From here on forward.
    Pivot,
    /// A later run took over: what it found out stands in the records that follow.
    Recovered {
        /// What it decided.
        decision: super::Decision,
        /// Who.
        origin: Origin,
        /// Hosts that are out of reach, and without which it goes back, each with why.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        lost: BTreeMap<HostName, Trouble>,
        /// Hosts that an earlier run went back without, that are within reach again, and that stay out all the same.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        kept_out: BTreeSet<HostName>,
        /// The share of the new colour, in percent, that every router showed at least; none where it is not moved in shares.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        share: Option<u32>,
    },
    /// Hooks asked for what was not granted. It changes nothing of what comes next. Journals of earlier builds have none.
    Denied {
        /// What is not in the journal yet.
        denials: Vec<Denial>,
    },
    /// What a switch was like. It changes nothing of what comes next. Journals of earlier builds have none.
    Switched {
        /// As it was measured.
        switch: Switched,
    },
    /// The end. Nothing follows.
    Closed {
        /// How.
        outcome: Outcome,
    },
}

impl Record {
    /// The step that begins with this record, when one does.
    #[must_use]
    pub fn step(&self, plan: &Plan) -> Option<Step> {
        if let Self::Started { tasks } = self {
            Some(plan.stage(*tasks.first()?)?.step)
        } else {
            matches!(self, Self::UndoStarted { .. }).then_some(Step::Undo)
        }
    }
}

/// Who began or took over a deployment, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Origin {
    /// `user@machine`.
    pub who: String,
    /// Link to the CI run, when there is one.
    pub ci: Option<String>,
    /// `-m`.
    pub message: Option<String>,
    /// Digests of the hook files that were used, by title.
    pub hooks: Vec<(String, String)>,
    /// What the actions stand on in the configuration that was used. Journals of earlier builds have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// What decides what the deployment puts live. Journals of earlier builds have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Basis>,
}

/// Place of an undo action: the task that it belongs to and its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoId {
    /// The task.
    pub task: TaskId,
    /// Index in its `undo`.
    pub index: usize,
}

/// What is known of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum End {
    /// It is so.
    Done,
    /// It is not, or only in part.
    Failed(Trouble),
    /// Not known: the connection broke or the run was interrupted.
    Unknown(Trouble),
    /// Asked: it never began.
    NeverBegan,
}

/// An error as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trouble {
    /// `class/case`, stable: `smoke/failed`, `health/deadline`.
    pub code: String,
    /// One line for people.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Trouble {
    /// Code of the error that a host claims an epoch that its home never gave out.
    pub const BEHIND: &'static str = "state/behind";

    /// Code of the error that a journal is whole, and that no run of this program has written it.
    pub const FORGED: &'static str = "state/journal-forged";

    /// Code of the error that somebody else has moved a router meanwhile.
    pub const MOVED: &'static str = "switch/moved";

    /// An error without a hint.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), hint: None }
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The first line of the message: what fits beside a step.
    #[must_use]
    pub fn first_line(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}
