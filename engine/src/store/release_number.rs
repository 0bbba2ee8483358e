//! The next release number.

use crate::model::{HistoryEntry, LiveRecord};

/// No application has a thousand million releases; a host that says so is not believed.
const PLAUSIBLE: u64 = 1_000_000_000;

/// One more than any number that home or hosts know of. Only under the lock. `staged` are the numbers of the releases on
/// the hosts: they count when the home's record of them was lost, or their deployment has no end yet.
pub fn next_release_number(
    history: &[HistoryEntry],
    live: Option<&LiveRecord>,
    staged: impl IntoIterator<Item = u64>,
) -> u64 {
    let remembered = history.iter().filter_map(|entry| entry.release.as_ref()).map(|release| release.number);
    let recorded = live.into_iter().flat_map(|record| std::iter::once(&record.live).chain(&record.previous));
    let highest = remembered
        .chain(recorded.map(|live| live.release.number))
        .chain(staged)
        .filter(|number| *number <= PLAUSIBLE)
        .max();
    highest.unwrap_or(0) + 1
}
