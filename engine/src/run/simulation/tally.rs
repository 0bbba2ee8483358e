//! What an exploration counted.

use std::collections::BTreeMap;

use super::commit_points::CommitPoints;

/// What an exploration counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Histories that were walked to their end, each another one.
    pub(super) histories: u64,
    /// Histories that came to where another one had been, and were not walked on.
    pub(super) merged: u64,
    /// Records and actions that were judged.
    pub(super) steps: u64,
    /// How they ended.
    pub(super) ends: BTreeMap<String, u64>,
    pub(super) points: CommitPoints,
    /// Broken promises; no more than a few are kept.
    pub(super) violations: Vec<String>,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.histories += other.histories;
        self.merged += other.merged;
        self.steps += other.steps;
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        self.points.add(&other.points);
        self.violations.extend(other.violations);
    }
}
