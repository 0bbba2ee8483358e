//! What the history says of releases: which went live, which never did, and which one a rollback goes to.

use std::collections::BTreeSet;

use super::{HistoryEntry, LiveRecord, Outcome, ReleaseId};

/// Releases of which it is known that they never had traffic: each deployment of them was put back, or never got so far. One that the
/// history does not know is not among them: it may be older than the history is.
#[must_use]
pub fn never_live(history: &[HistoryEntry], live: Option<&LiveRecord>) -> BTreeSet<ReleaseId> {
    let ids = |failed: bool| {
        let is_it = move |entry: &&HistoryEntry| {
            failed == matches!(entry.outcome, Outcome::RolledBack | Outcome::NothingChanged)
        };
        history.iter().filter(is_it).filter_map(|entry| entry.release.as_ref()).map(|release| &release.id)
    };
    let recorded = live.into_iter().flat_map(|record| std::iter::once(&record.live).chain(&record.previous));
    let lived: BTreeSet<&ReleaseId> = ids(false).chain(recorded.map(|live| &live.release.id)).collect();
    ids(true).filter(|id| !lived.contains(id)).cloned().collect()
}

/// The release that `cutover rollback` goes to: of those that are older than the live one, the one that was live last. So a second
/// rollback goes on backward, and never to the release that the first one left.
#[must_use]
pub fn before_live(history: &[HistoryEntry], record: &LiveRecord) -> Option<(ReleaseId, u64)> {
    let lived = history.iter().filter(|entry| entry.outcome == Outcome::Deployed);
    let known = lived.filter_map(|entry| entry.release.as_ref()).map(|release| (&release.id, release.number));
    // The history may have been lost; the record has one step of it.
    let previous = record.previous.iter().map(|live| (&live.release.id, live.release.number));
    let mut older = previous.chain(known).filter(|(_, number)| *number < record.live.release.number);
    older.next_back().map(|(id, number)| (id.clone(), number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Color, LiveRelease, Release, Timestamp};

    fn release(number: u64) -> Release {
        Release::for_tests(&format!("r{number}"), number)
    }

    fn record(live: u64, previous: Option<u64>) -> LiveRecord {
        let live_release = |number| LiveRelease {
            color: Color::Blue,
            release: release(number),
            since: Timestamp(0),
            excluded: Vec::new(),
        };
        LiveRecord {
            generation: 3,
            live: live_release(live),
            previous: previous.map(live_release),
            maintenance: None,
        }
    }

    #[test]
    fn a_rollback_goes_backward_only() {
        // What was live one after the other, by deployments and rollbacks, and what a rollback goes to.
        let table: [(&[u64], Option<u64>); 7] = [
            (&[1], None),
            (&[1, 2, 3], Some(2)),
            (&[1, 2, 3, 2], Some(1)),
            (&[1, 2, 3, 2, 1], None),
            // Release 3 was bad, and what came after it stands on 2.
            (&[1, 2, 3, 2, 4], Some(2)),
            (&[1, 2, 3, 2, 4, 2], Some(1)),
            (&[1, 2, 3, 1, 4], Some(1)),
        ];
        for (lived, expected) in table {
            let history: Vec<HistoryEntry> =
                lived.iter().map(|number| HistoryEntry::for_tests(*number, Outcome::Deployed)).collect();
            let live = record(lived[lived.len() - 1], lived.iter().rev().nth(1).copied());
            let found = before_live(&history, &live).map(|(_, number)| number);
            assert_eq!(found, expected, "{lived:?}");
        }
        // A failed one in between was never live.
        let history = [
            HistoryEntry::for_tests(1, Outcome::Deployed),
            HistoryEntry::for_tests(2, Outcome::RolledBack),
            HistoryEntry::for_tests(3, Outcome::Deployed),
        ];
        assert_eq!(before_live(&history, &record(3, Some(1))).map(|(_, number)| number), Some(1));
        // The history was lost.
        assert_eq!(before_live(&[], &record(3, Some(2))).map(|(_, number)| number), Some(2));
        assert_eq!(before_live(&[], &record(2, Some(3))), None);
    }

    #[test]
    fn what_is_not_known_to_have_failed_may_have_been_live() {
        let history = [
            HistoryEntry::for_tests(1, Outcome::Deployed),
            HistoryEntry::for_tests(2, Outcome::RolledBack),
            HistoryEntry::for_tests(3, Outcome::NothingChanged),
            HistoryEntry::for_tests(4, Outcome::Stuck),
            HistoryEntry::for_tests(5, Outcome::RolledBack),
            HistoryEntry::for_tests(5, Outcome::Deployed),
            HistoryEntry::for_tests(6, Outcome::RolledBack),
        ];
        let never = |live: Option<&LiveRecord>| {
            never_live(&history, live).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(never(None), ["r2", "r3", "r6"]);
        assert_eq!(never(Some(&record(6, Some(3)))), ["r2"]);
    }
}
