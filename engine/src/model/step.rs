//! The fixed steps of a deployment, in order, as people see them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the fixed steps (`pipeline.md` of the design; the table in the crate documentation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Takes the lock and fences the hosts.
    Lock,
    /// Reads the world and makes the plan.
    Preflight,
    /// Turns a revision into an artifact.
    Build,
    /// Brings the release to every host.
    Stage,
    /// Runs the release's migration, once.
    Migrate,
    /// Takes hosts out of the routers.
    Out,
    /// Starts the idle colour.
    Start,
    /// Waits until every instance is healthy.
    Health,
    /// Tests the idle colour.
    Smoke,
    /// Lets hosts in again.
    In,
    /// Moves the traffic.
    Switch,
    /// Watches the new colour under traffic.
    Watch,
    /// Waits for the old colour's connections to end.
    Drain,
    /// Makes the old colour the idle one.
    Retire,
    /// Records, prunes, unlocks.
    Finish,
    /// The way back.
    Undo,
}

impl Step {
    /// As shown in the first column.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Preflight => "preflight",
            Self::Build => "build",
            Self::Stage => "stage",
            Self::Migrate => "migrate",
            Self::Out => "out",
            Self::Start => "start",
            Self::Health => "health",
            Self::Smoke => "smoke",
            Self::In => "in",
            Self::Switch => "switch",
            Self::Watch => "watch",
            Self::Drain => "drain",
            Self::Retire => "retire",
            Self::Finish => "finish",
            Self::Undo => "undo",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
