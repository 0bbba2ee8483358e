//! The closed list of what can be done.

use crate::model::Action;

/// Number of kinds.
pub(super) const KINDS: usize = 29;

/// Their names, in the order of their numbers.
pub(super) const NAMES: [&str; KINDS] = [
    "stage",
    "remove-partial",
    "migrate",
    "clear",
    "configure",
    "point",
    "start",
    "stop",
    "await-healthy",
    "smoke",
    "enable",
    "disable",
    "prepare",
    "discard",
    "switch",
    "prove",
    "watch",
    "require-healthy",
    "require-unrouted",
    "drain",
    "record-live",
    "set-current",
    "prune",
    "silence",
    "renew",
    "revert",
    "require-others",
    "prove-closed",
    "record-maintenance",
];

/// Number of an action's kind. An action that is new has to be added here before anything compiles.
pub(super) const fn kind(action: &Action) -> usize {
    match action {
        Action::Stage { .. } => 0,
        Action::RemovePartial { .. } => 1,
        Action::Migrate { .. } => 2,
        Action::Clear { .. } => 3,
        Action::Configure { .. } => 4,
        Action::Point { .. } => 5,
        Action::Start { .. } => 6,
        Action::Stop { .. } => 7,
        Action::AwaitHealthy { .. } => 8,
        Action::Smoke { .. } => 9,
        Action::Enable { .. } => 10,
        Action::Disable { .. } => 11,
        Action::Prepare { .. } => 12,
        Action::Discard { .. } => 13,
        Action::Switch { .. } => 14,
        Action::Prove { .. } => 15,
        Action::Watch { .. } => 16,
        Action::RequireHealthy { .. } => 17,
        Action::RequireUnrouted { .. } => 18,
        Action::Drain { .. } => 19,
        Action::RecordLive { .. } => 20,
        Action::SetCurrent { .. } => 21,
        Action::Prune { .. } => 22,
        Action::Silence { .. } => 23,
        Action::Renew { .. } => 24,
        Action::Revert { .. } => 25,
        Action::RequireOthers { .. } => 26,
        Action::ProveClosed => 27,
        Action::RecordMaintenance => 28,
    }
}
