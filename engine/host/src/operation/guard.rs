//! Under what a change is allowed.

use serde::{Deserialize, Serialize};

/// The epoch under which a change is allowed, and the state directory whose fence knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Absolute directory that holds `mutex` and `fence` of one application and environment on this host.
    pub state: String,
    /// The epoch of the lock that the engine holds. Another epoch in the fence is [`FaultKind::Fenced`](super::FaultKind::Fenced).
    pub epoch: u64,
    /// The turn that it has to be as well, where others change the same thing.
    pub turn: Option<Turn>,
}

/// A turn at what several applications change on one host: a lock beside that of the application, in a directory of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Absolute directory that holds `mutex`, `fence` and `lock.json` of what is shared.
    pub state: String,
    /// The epoch under which the turn is held. Another epoch in its fence is [`FaultKind::Fenced`](super::FaultKind::Fenced).
    pub epoch: u64,
}
