//! Where a crash or a fault can hit: derived from the closed lists of actions and records, and marked as each is reached.

use super::action_kind;
use super::fault::Fault;
use super::record_kind;
use crate::model::{Action, Record};

/// What happened at an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtAction {
    /// It went well.
    Ok,
    /// The engine died right after it, the others of its batch not begun.
    Crash,
    /// It went wrong.
    Fault(Fault),
}

/// How often each commit point was reached.
#[derive(Debug, Clone, Default)]
pub(super) struct CommitPoints {
    actions: [[u64; 2 + Fault::ALL.len()]; action_kind::KINDS],
    /// A crash before the record is kept, and after.
    records: [[u64; 2]; record_kind::KINDS],
}

impl CommitPoints {
    pub(super) fn at_action(&mut self, action: &Action, what: AtAction) {
        let column = match what {
            AtAction::Ok => 0,
            AtAction::Crash => 1,
            AtAction::Fault(fault) => 2 + fault as usize,
        };
        self.actions[action_kind::kind(action)][column] += 1;
    }

    pub(super) fn at_record(&mut self, record: &Record, kept: bool) {
        self.at_record_kind(record_kind::kind(record), kept);
    }

    pub(super) fn at_record_kind(&mut self, kind: usize, kept: bool) {
        self.records[kind][usize::from(kept)] += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (own, others) in self.actions.iter_mut().flatten().zip(other.actions.iter().flatten()) {
            *own += others;
        }
        for (own, others) in self.records.iter_mut().flatten().zip(other.records.iter().flatten()) {
            *own += others;
        }
    }

    /// Every commit point that there is, with how often it was reached.
    pub(super) fn all(&self) -> Vec<(String, u64)> {
        let mut all = Vec::new();
        for (kind, counts) in self.actions.iter().enumerate() {
            let name = action_kind::NAMES[kind];
            for (column, count) in counts.iter().enumerate() {
                let what = match column {
                    0 => "ok".to_owned(),
                    1 => "crash".to_owned(),
                    fault => format!("{:?}", Fault::ALL[fault - 2]),
                };
                if can_be(name, &what) {
                    all.push((format!("{name} {what}"), *count));
                }
            }
        }
        for (kind, counts) in self.records.iter().enumerate() {
            let name = record_kind::NAMES[kind];
            if ![record_kind::DENIED, record_kind::SWITCHED].contains(&name) {
                all.push((format!("record {name} lost"), counts[0]));
                all.push((format!("record {name} kept"), counts[1]));
            }
        }
        all
    }
}

/// Whether there is such a point. What is done alone in its batch has no "others not begun" that the next record does not tell, and so has
/// what concerns a host that is left out, of which the explored worlds have one at most; the time of a deployment ends nothing on the way
/// back or after the pivot.
fn can_be(action: &str, what: &str) -> bool {
    let alone = [
        "migrate",
        "smoke",
        "switch",
        "prove",
        "prove-closed",
        "watch",
        "require-healthy",
        "require-others",
        "require-unrouted",
        "silence",
        "drain",
        "record-live",
        "record-maintenance",
    ];
    let never_there = [
        "remove-partial",
        "revert",
        "stop",
        "disable",
        "discard",
        "drain",
        "record-live",
        "record-maintenance",
        "set-current",
        "prune",
    ];
    let never_back = [
        "stage",
        "migrate",
        "clear",
        "configure",
        "renew",
        "await-healthy",
        "silence",
        "smoke",
        "enable",
        "prepare",
        "prove-closed",
        "watch",
    ];
    match what {
        "crash" => !alone.contains(&action),
        "Hangs" => !never_there.contains(&action),
        "Overdue" => !never_back.contains(&action),
        "Moved" => Fault::MOVED_BEFORE.contains(&action),
        _ => true,
    }
}
