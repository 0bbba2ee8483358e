//! What the record says is live.

use serde::{Deserialize, Serialize};

use super::{LiveRelease, Timestamp};

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
    /// Since when no colour gets requests, where that is so on purpose: what is live gets them again when `maintenance off` ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Timestamp>,
}

impl LiveRecord {
    /// What follows a record when `live` goes live. In maintenance it gets no requests yet.
    #[must_use]
    pub fn following(now: Option<Self>, live: LiveRelease, maintenance: Option<Timestamp>) -> Self {
        let generation = now.as_ref().map_or(0, |record| record.generation).saturating_add(1);
        Self { generation, live, previous: now.map(|record| record.live), maintenance }
    }

    /// What follows a record when nothing of it changes but maintenance.
    #[must_use]
    pub fn in_maintenance(self, since: Option<Timestamp>) -> Self {
        Self { generation: self.generation.saturating_add(1), maintenance: since, ..self }
    }
}
