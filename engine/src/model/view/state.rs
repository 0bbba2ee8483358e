//! What `cutover state show` shows: where the state is kept, and what is in it.

use serde::Serialize;

use crate::model::{HostName, LiveRelease, Note, Timestamp};

/// The state of an application and environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateView {
    /// `shop/production`.
    pub title: String,
    /// When the hosts were asked.
    pub asked: Timestamp,
    /// The host that keeps the state by the configuration.
    pub home: HostName,
    /// What it keeps; none when it could not be asked or keeps nothing.
    pub kept: Option<KeptState>,
    /// Every host of the configuration, the home first.
    pub hosts: Vec<HostPart>,
    /// What speaks against the home or could not be read, one sentence each.
    pub problems: Vec<String>,
}

/// What the home keeps. A part that can't be read is absent here, and among the problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptState {
    /// The state directory.
    pub path: String,
    /// The line of deployments; none before the first one.
    pub lineage: Option<String>,
    /// The lock.
    pub lock: Option<KeptLock>,
    /// The record of what is live.
    pub live: Option<KeptRecord>,
    /// The deployment whose journal is not closed.
    pub open: Option<KeptJournal>,
    /// Ended deployments that are remembered.
    pub deployments: Option<usize>,
    /// Journals that are kept.
    pub journals: usize,
    /// Bytes of history and open journal.
    pub bytes: u64,
}

/// The lock as the home keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptLock {
    /// Its epoch.
    pub epoch: u64,
    /// Who has it; none when it is free.
    pub holder: Option<KeptHolder>,
}

/// Who has the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptHolder {
    /// `user@machine pid N`.
    pub who: String,
    /// `deploy`, `rollback`, …
    pub command: String,
    /// Its deployment.
    pub deployment: String,
    /// Since when, by the home's clock.
    pub since: Timestamp,
    /// Step that it was last at.
    pub step: String,
    /// Milliseconds since its last sign of life, by the home's clock.
    pub silent_ms: u64,
    /// Whether that is so long that the lock belongs to no one.
    pub lapsed: bool,
}

/// The record of what is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptRecord {
    /// Changes of the record so far.
    pub generation: u64,
    /// What is live.
    pub live: LiveRelease,
    /// What was live before.
    pub previous: Option<LiveRelease>,
}

/// A journal that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptJournal {
    /// Its deployment.
    pub deployment: String,
    /// `deploy`, `rollback`; none when its first record can't be read.
    pub command: Option<String>,
    /// When it was begun.
    pub since: Option<Timestamp>,
    /// Step of its last record.
    pub step: Option<String>,
    /// Whole records.
    pub records: usize,
    /// Whether the last line is torn: a record whose writer never heard that it was kept.
    pub torn: bool,
}

/// What `cutover state recover` would write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecoveryView {
    /// `shop/production`.
    pub title: String,
    /// The host that keeps the state from then on.
    pub home: HostName,
    /// What would be written; nothing when there is nothing to recover.
    pub changes: Vec<Note>,
}

/// What `cutover state move` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MoveView {
    /// `shop/production`.
    pub title: String,
    /// The host that keeps the state now.
    pub home: HostName,
    /// The host that kept it before; none when nothing had to be moved.
    pub from: Option<HostName>,
    /// Files that were brought over.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// A host's part in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostPart {
    /// Its name.
    pub host: HostName,
    /// Which part.
    pub part: Part,
    /// Where the state went from here.
    pub moved_to: Option<HostName>,
    /// Epoch of its fence, when it has one.
    pub fence: Option<u64>,
    /// Its line of deployments.
    pub lineage: Option<String>,
    /// Its state directory.
    pub path: Option<String>,
}

/// Which part a host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Keeps the state.
    Home,
    /// Belongs to the line.
    Member,
    /// Was the home before the state was moved.
    FormerHome,
    /// Has nothing of it.
    None,
    /// Could not be asked.
    Unknown,
}
