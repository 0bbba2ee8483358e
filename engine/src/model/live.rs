//! What the record says is live.

use serde::{Deserialize, Serialize};

use super::LiveRelease;

/// The record of what is live, kept at the home. Hosts and routers are asked all the same; a difference is drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LiveRecord {
    /// Counts the changes of this record, from 1. Whoever changes it says which one it saw.
    pub generation: u64,
    /// What is live.
    pub live: LiveRelease,
    /// What was live before and is the first choice for a way back; none at the first deployment.
    pub previous: Option<LiveRelease>,
}
