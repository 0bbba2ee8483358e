//! What `cutover history` shows.

use serde::Serialize;

use crate::model::{Color, Denial, HistoryRelease, HostName, Outcome, Switched, Timestamp};

/// Past deployments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryView {
    /// `shop/production`.
    pub title: String,
    /// When it was read: what ages are counted from.
    pub asked: Timestamp,
    /// Newest first.
    pub entries: Vec<HistoryEntry>,
}

/// One deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// Its identifier.
    pub deployment: String,
    /// `deploy`, `rollback`.
    pub command: String,
    /// Who.
    pub who: String,
    /// Link or name of the CI run.
    pub ci: Option<String>,
    /// Text given with `-m`.
    pub message: Option<String>,
    /// What was to go live, when it got so far.
    pub release: Option<HistoryRelease>,
    /// Colour that was filled.
    pub color: Option<Color>,
    /// Number of the release that was live before.
    pub previous: Option<u64>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; none while it has no end.
    pub ended: Option<Timestamp>,
    /// Whether somebody is at work on it: then it has no end yet.
    pub under_way: bool,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The first error, with its code in front: `smoke/failed: smoke test `vendor` failed`.
    pub error: Option<String>,
    /// Hosts that it was done, or put back, without.
    pub excluded: Vec<HostName>,
    /// What its hooks were denied, each thing once.
    pub denied: Vec<Denial>,
    /// What its switches were like; none of one that was not watched to its end.
    pub switches: Vec<Switched>,
    /// Whether this is what is live now.
    pub live: bool,
}
