//! What runs in a slot.

use serde::Serialize;

use crate::model::{ReleaseId, Timestamp};

/// What runs in a slot, as its driver says now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum InstanceState {
    /// Nothing runs, and nothing should.
    Stopped,
    /// A process runs.
    Running {
        /// Release that it was started from; none when it was not started by cutover.
        release: Option<ReleaseId>,
        /// When it was started, as far as the driver knows.
        since: Option<Timestamp>,
        /// Its number, as far as the driver knows.
        pid: Option<u32>,
    },
    /// No process runs, or only until it fails again, although one was started.
    Failed {
        /// Release that was started.
        release: Option<ReleaseId>,
        /// In the driver's words: `exit status 1`.
        why: String,
    },
}

impl InstanceState {
    /// Whether a process of this release runs.
    #[must_use]
    pub fn runs(&self, release: &ReleaseId) -> bool {
        matches!(self, Self::Running { release: Some(running), .. } if running == release)
    }
}
