//! The closed list of what is written down.

use crate::model::Record;

/// Number of kinds.
pub(super) const KINDS: usize = 11;

/// Their names, in the order of their numbers.
pub(super) const NAMES: [&str; KINDS] = [
    "planned",
    "started",
    "ended",
    "turned-back",
    "undo-started",
    "undo-ended",
    "pivot",
    "recovered",
    "closed",
    DENIED,
    SWITCHED,
];

/// Changes nothing of what comes next, and no hook is denied anything in the simulated world.
pub(super) const DENIED: &str = "denied";

/// The same, and nothing is measured there.
pub(super) const SWITCHED: &str = "switched";

/// Number of a record's kind.
pub(super) const fn kind(record: &Record) -> usize {
    match record {
        Record::Planned { .. } => 0,
        Record::Started { .. } => 1,
        Record::Ended { .. } => 2,
        Record::TurnedBack { .. } => 3,
        Record::UndoStarted { .. } => 4,
        Record::UndoEnded { .. } => 5,
        Record::Pivot => 6,
        Record::Recovered { .. } => 7,
        Record::Closed { .. } => 8,
        Record::Denied { .. } => 9,
        Record::Switched { .. } => 10,
    }
}
