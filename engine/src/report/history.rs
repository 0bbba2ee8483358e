//! `cutover history` for people.

use super::line::{Line, Tone};
use super::problem::wrapped;
use super::quantity::Quantity;
use super::story::source_words;
use super::table::table;
use crate::model::view::{HistoryEntry, HistoryView};
use crate::model::{Outcome, Timestamp};

/// Lines of a history, newest first: a row a deployment, with its message and its error beneath.
#[must_use]
pub fn history(view: &HistoryView, width: Option<usize>) -> Vec<Line> {
    let heading = Line::of(Tone::Strong, &view.title);
    if view.entries.is_empty() {
        return vec![heading, Line::plain("nothing was deployed yet")];
    }
    let heads = ["STARTED (UTC)", "END", "TOOK", "RELEASE", "SOURCE", "WHO"];
    let mut rows: Vec<Vec<Line>> = vec![heads.iter().map(|head| Line::of(Tone::Dim, head)).collect()];
    rows.extend(view.entries.iter().map(row));
    let mut laid = table(rows).into_iter();
    let mut lines = vec![heading];
    lines.extend(laid.next());
    for (entry, line) in view.entries.iter().zip(laid) {
        lines.push(line);
        lines.extend(beneath(entry).into_iter().flat_map(|line| wrapped(line, width, 4)));
    }
    lines
}

fn row(entry: &HistoryEntry) -> Vec<Line> {
    let release = match (&entry.release, entry.previous) {
        (Some(release), Some(previous)) => format!("{previous} → {}", release.number),
        (Some(release), None) => release.number.to_string(),
        (None, _) => "-".to_owned(),
    };
    let source = entry.release.as_ref().map_or_else(String::new, |release| {
        source_words(release.branch.as_deref(), release.revision.as_deref(), None)
    });
    vec![
        Line::plain(&Quantity::date_minute(entry.started)),
        end(entry),
        Line::plain(&took(entry.started, entry.ended)),
        Line::plain(&release),
        Line::plain(if source.is_empty() { "-" } else { &source }),
        Line::plain(&entry.who),
    ]
}

fn end(entry: &HistoryEntry) -> Line {
    match entry.outcome {
        Some(Outcome::Deployed) if entry.live => {
            let live = Line::of(Tone::Good, "live");
            if entry.command == "rollback" { live.text(", rollback") } else { live }
        }
        Some(Outcome::Deployed) if entry.command == "rollback" => Line::plain("rollback"),
        Some(Outcome::Deployed) => Line::plain("done"),
        Some(Outcome::RolledBack) => Line::of(Tone::Warn, "rolled back"),
        Some(Outcome::NothingChanged) => Line::of(Tone::Dim, "nothing changed"),
        Some(Outcome::Stuck) => Line::of(Tone::Bad, "stuck"),
        Some(Outcome::Unfinished) | None => Line::of(Tone::Bad, "unfinished"),
    }
}

fn took(started: Timestamp, ended: Option<Timestamp>) -> String {
    ended.map_or_else(|| "-".to_owned(), |ended| Quantity::took(ended.since(started)))
}

fn beneath(entry: &HistoryEntry) -> Vec<Line> {
    let mut lines = Vec::new();
    let subject = entry.release.as_ref().and_then(|release| release.subject.as_deref());
    if let Some(text) = entry.message.as_deref().or(subject) {
        lines.push(Line::plain("    \"").text(text).text("\""));
    }
    if let Some(ci) = &entry.ci {
        lines.push(Line::plain("    ").with(Tone::Dim, ci));
    }
    if let Some(error) = &entry.error {
        lines.push(Line::plain("    ").with(Tone::Bad, error));
    }
    lines
}
