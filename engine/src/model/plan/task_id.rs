//! Where in a plan a task is.

use serde::{Deserialize, Serialize};

/// Place of a task in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskId {
    /// Which list.
    pub part: Part,
    /// Index of the stage.
    pub stage: usize,
    /// Index of the task in its stage.
    pub task: usize,
}

/// The two lists of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Before the pivot.
    Stages,
    /// After it.
    Retire,
}
