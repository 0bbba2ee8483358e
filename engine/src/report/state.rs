//! `cutover state show` for people.

use std::time::Duration;

use super::line::{Line, Tone};
use super::notes::notes;
use super::problem::wrapped;
use super::quantity::Quantity;
use super::table::table;
use super::words::color_tone;
use crate::model::view::{
    HostPart, KeptHolder, KeptJournal, KeptLock, KeptState, MoveView, Part, RecoveryView, StateView,
};
use crate::model::{LiveRelease, Timestamp};

/// Lines of a state.
#[must_use]
pub fn state(view: &StateView, width: Option<usize>) -> Vec<Line> {
    let place = view.kept.as_ref().map(|kept| format!("{}:{}", view.home, kept.path));
    let place = place.unwrap_or_else(|| format!("{} keeps nothing yet", view.home));
    let asked = format!("asked {} UTC", Quantity::time(view.asked));
    let mut lines =
        vec![Line::of(Tone::Strong, &view.title).text("  ").text(&place).text("  ").with(Tone::Dim, &asked)];
    if let Some(kept) = &view.kept {
        lines.extend(rows(kept, view.asked));
    }
    lines.extend(hosts(&view.hosts));
    let problems = view.problems.iter().flat_map(|problem| problem.lines());
    lines.extend(problems.map(|problem| Line::of(Tone::Bad, "problem: ").text(problem)));
    lines.into_iter().flat_map(|line| wrapped(line, width, 2)).collect()
}

fn rows(kept: &KeptState, now: Timestamp) -> Vec<Line> {
    let unread = || Line::of(Tone::Bad, "can't be read");
    let lineage = kept.lineage.as_deref().unwrap_or("none yet");
    let history = kept.deployments.map_or_else(unread, |deployments| {
        let ended = if deployments == 1 { "deployment has ended" } else { "deployments have ended" };
        let journals = if kept.journals == 1 { "journal" } else { "journals" };
        let bytes = Quantity::bytes(kept.bytes);
        Line::plain(&format!("{deployments} {ended}; {} {journals} kept; {bytes}", kept.journals))
    });
    let live = kept.live.as_ref().map_or_else(
        || vec![Line::plain("nothing")],
        |record| {
            let mut lines = vec![release(&record.live).text(&format!(", generation {}", record.generation))];
            lines.extend(
                record.previous.as_ref().map(|previous| Line::plain("before: ").join(release(previous))),
            );
            lines
        },
    );
    let mut rows = vec![
        ("lineage", Line::plain(lineage)),
        ("lock", kept.lock.as_ref().map_or_else(unread, |kept| lock(kept, now))),
    ];
    rows.extend(
        live.into_iter().enumerate().map(|(index, line)| (if index == 0 { "live" } else { "" }, line)),
    );
    rows.push(("open", kept.open.as_ref().map_or_else(|| Line::plain("nothing"), |kept| open(kept, now))));
    rows.push(("history", history));
    rows.into_iter()
        .map(|(label, line)| Line::plain("  ").with(Tone::Dim, label).pad(11).join(line))
        .collect()
}

fn release(live: &LiveRelease) -> Line {
    let since = Quantity::date_time(live.since);
    Line::of(color_tone(live.color), live.color.as_str())
        .text(&format!(", release {}, since {since}", live.release.number))
}

fn lock(lock: &KeptLock, now: Timestamp) -> Line {
    let Some(KeptHolder { who, command, deployment, since, step, silent_ms, lapsed }) = &lock.holder else {
        return Line::plain(&format!("free, epoch {}", lock.epoch));
    };
    let held = Quantity::age(now.since(*since));
    let step = if step.is_empty() { String::new() } else { format!(", at {step}") };
    let silent = Quantity::age(Duration::from_millis(*silent_ms));
    let line = Line::of(Tone::Warn, "held")
        .text(&format!(" by {who} for {held}: {command} {deployment}{step}, epoch {}; ", lock.epoch));
    if *lapsed {
        line.with(Tone::Bad, &format!("silent for {silent}, so the next run takes it over"))
    } else {
        line.text(&format!("last sign of life {silent} ago"))
    }
}

fn open(open: &KeptJournal, now: Timestamp) -> Line {
    let command = open.command.as_deref().unwrap_or("deployment");
    let mut text = format!(" {command} {}", open.deployment);
    if let Some(since) = open.since {
        text.push_str(&format!(", {} old", Quantity::age(now.since(since))));
    }
    if let Some(step) = &open.step {
        text.push_str(&format!(", got to {step}"));
    }
    text.push_str(&format!(", {} record{}", open.records, if open.records == 1 { "" } else { "s" }));
    let line = Line::of(Tone::Warn, "unfinished").text(&text);
    if open.torn { line.text(", ").with(Tone::Warn, "last line torn") } else { line }
}

fn hosts(hosts: &[HostPart]) -> Vec<Line> {
    let heads = ["HOST", "PART", "FENCE", "LINEAGE", "DIRECTORY"];
    let mut rows = vec![heads.iter().map(|head| Line::of(Tone::Dim, head)).collect()];
    rows.extend(hosts.iter().map(row));
    table(rows)
}

fn row(part: &HostPart) -> Vec<Line> {
    let dash = || Line::plain("-");
    let word = match (part.part, &part.moved_to) {
        (Part::Home, _) => Line::of(Tone::Strong, "home"),
        (Part::Member, _) => Line::plain("member"),
        (Part::FormerHome, Some(to)) => Line::of(Tone::Warn, "moved").text(&format!(" to {to}")),
        (Part::FormerHome, None) => Line::of(Tone::Warn, "moved"),
        (Part::None, _) => dash(),
        (Part::Unknown, _) => Line::of(Tone::Bad, "unknown"),
    };
    vec![
        Line::plain(part.host.as_str()),
        word,
        part.fence.map_or_else(dash, |epoch| Line::plain(&epoch.to_string())),
        part.lineage.as_deref().map_or_else(dash, Line::plain),
        part.path.as_deref().map_or_else(dash, Line::plain),
    ]
}

/// Lines of what `state recover` would write.
#[must_use]
pub fn recovery(view: &RecoveryView, width: Option<usize>) -> Vec<Line> {
    let line = Line::of(Tone::Strong, &view.title).text("  state on ").with(Tone::Strong, view.home.as_str());
    if view.changes.is_empty() {
        return vec![line.text("  ").with(Tone::Good, "nothing is to be recovered")];
    }
    let mut lines = vec![line.text(", as it would be written:")];
    lines.extend(notes(&view.changes, width));
    lines
}

/// The line of what `state recover` has written.
#[must_use]
pub fn recovered(view: &RecoveryView) -> Vec<Line> {
    let line = Line::plain("the state is on ").with(Tone::Strong, view.home.as_str()).text(" now; see ");
    vec![line.with(Tone::Accent, "cutover status")]
}

/// The line of what `state move` has done.
#[must_use]
pub fn moved(view: &MoveView) -> Vec<Line> {
    let line =
        Line::of(Tone::Strong, &view.title).text("  the state is on ").with(Tone::Strong, view.home.as_str());
    let line = match (&view.from, view.files) {
        (None, _) => line.text(" already"),
        (Some(from), 0) => line.text(&format!(" now; it had been brought from {from} before")),
        (Some(from), files) => {
            let bytes = Quantity::bytes(view.bytes);
            line.text(&format!(" now: {files} files, {bytes}, brought from {from} and read back"))
        }
    };
    vec![line]
}
