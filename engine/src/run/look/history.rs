//! `cutover history`: past deployments, newest first.

use crate::model::view::HistoryView;
use crate::model::{
    Deployment, HistoryEntry, HistoryRelease, LiveRecord, Maintenance, Outcome, Progress, Record, Timestamp,
    view,
};
use crate::store::ReadJournal;

/// Puts a history together. `entries` are oldest first, as kept; `open` is the deployment that has no end.
#[must_use]
pub fn history_view(
    deployment: &Deployment,
    asked: Timestamp,
    entries: Vec<HistoryEntry>,
    live: Option<&LiveRecord>,
    open: Option<view::HistoryEntry>,
) -> HistoryView {
    let mut previous: Option<u64> = None;
    let mut told = Vec::new();
    for entry in entries {
        let before = previous;
        if entry.outcome == Outcome::Deployed {
            previous = entry.release.as_ref().map(|release| release.number).or(previous);
        }
        told.push(tell(entry, before));
    }
    told.extend(open.map(|open| view::HistoryEntry { previous, ..open }));
    told.reverse();
    let id = live.map(|record| &record.live.release.id);
    // A release can have gone live several times: it is live because of the last one.
    let is_live = |entry: &&mut view::HistoryEntry| {
        entry.outcome == Some(Outcome::Deployed) && entry.release.as_ref().map(|release| &release.id) == id
    };
    if id.is_some()
        && let Some(entry) = told.iter_mut().find(is_live)
    {
        entry.live = true;
    }
    HistoryView { title: deployment.title(), asked, entries: told }
}

/// The deployment whose journal is open, when it has not ended; `under_way` says whether somebody is at work on it.
pub(crate) fn open_entry(open: &ReadJournal<Record>, under_way: bool) -> Option<view::HistoryEntry> {
    let (_, Record::Planned { plan, origin }) = open.records.first()? else { return None };
    let outcome = match open.records.last() {
        Some((_, Record::Closed { outcome })) if *outcome != Outcome::Stuck => return None,
        Some((_, Record::Closed { outcome })) if !under_way => Some(*outcome),
        Some(_) | None => None,
    };
    let is_new = Maintenance::of(&plan.command).is_none();
    let progress = Progress::replay(open.entries()).ok();
    let error = progress.as_ref().and_then(|progress| progress.first_error().cloned());
    let denied = progress.as_ref().map(|progress| progress.denied().to_vec()).unwrap_or_default();
    let switches = progress.as_ref().map(|progress| progress.switches().to_vec()).unwrap_or_default();
    let excluded = progress.map(|progress| progress.excluded()).unwrap_or_default();
    Some(view::HistoryEntry {
        deployment: plan.deployment.clone(),
        command: plan.command.clone(),
        who: origin.who.clone(),
        ci: origin.ci.clone(),
        message: origin.message.clone(),
        release: is_new.then(|| HistoryRelease::from(&plan.release)),
        color: is_new.then_some(plan.color),
        previous: None,
        started: began(&plan.deployment, plan.made),
        ended: None,
        under_way,
        outcome,
        error: error.map(|error| format!("{}: {}", error.code, error.message)),
        excluded: excluded.into_iter().collect(),
        denied,
        switches,
        live: false,
    })
}

/// When its run began, by its identifier: it was planned only after it had been built.
fn began(deployment: &str, planned: Timestamp) -> Timestamp {
    let named = ulid::Ulid::from_string(deployment).ok().map(|id| Timestamp(id.timestamp_ms()));
    named.filter(|began| *began <= planned).unwrap_or(planned)
}

fn tell(entry: HistoryEntry, previous: Option<u64>) -> view::HistoryEntry {
    let started = began(&entry.deployment, entry.started);
    view::HistoryEntry {
        deployment: entry.deployment,
        command: entry.command,
        who: entry.who,
        ci: entry.ci,
        message: entry.message,
        release: entry.release,
        color: entry.color,
        previous,
        started,
        ended: Some(entry.ended),
        under_way: false,
        outcome: Some(entry.outcome),
        error: entry.error.map(|error| format!("{}: {}", error.code, error.text)),
        excluded: entry.excluded,
        denied: entry.denied,
        switches: entry.switches,
        live: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::sample;
    use crate::model::{Color, Driver, LiveRelease, Release};

    fn release(number: u64) -> Release {
        Release::for_tests(&format!("r{number}"), number)
    }

    #[test]
    fn the_newest_comes_first_and_names_what_was_live_before() {
        let entries = vec![
            HistoryEntry::for_tests(1, Outcome::Deployed),
            HistoryEntry::for_tests(2, Outcome::Deployed),
            HistoryEntry::for_tests(3, Outcome::RolledBack),
            HistoryEntry::for_tests(1, Outcome::Deployed),
        ];
        let live = LiveRelease {
            color: Color::Blue,
            release: release(1),
            since: Timestamp(0),
            excluded: Vec::new(),
        };
        let record = LiveRecord { generation: 3, live, previous: None, maintenance: None };
        let view =
            history_view(&sample::deployment(Driver::Detached), Timestamp(9), entries, Some(&record), None);
        let line = |entry: &view::HistoryEntry| {
            let number = entry.release.as_ref().map(|release| release.number);
            (number, entry.previous, entry.live, entry.error.clone())
        };
        let lines: Vec<_> = view.entries.iter().map(line).collect();
        assert_eq!(
            lines,
            [
                (Some(1), Some(2), true, None),
                (Some(3), Some(2), false, Some("smoke/failed: 1 of 7".to_owned())),
                (Some(2), Some(1), false, None),
                (Some(1), None, false, None),
            ]
        );
    }
}
