//! `cutover history` for people.

use super::line::{Line, Tone};
use super::problem::wrapped;
use super::quantity::Quantity;
use super::switched::switched;
use super::table::table;
use super::words::source_words;
use crate::model::view::{HistoryEntry, HistoryView};
use crate::model::{Maintenance, Outcome, Timestamp};

/// Lines of a history, newest first: a row a deployment, with its message and its error beneath. Where a row is wider than the
/// terminal, source and person go beneath it too.
#[must_use]
pub fn history(view: &HistoryView, width: Option<usize>) -> Vec<Line> {
    let heading = Line::of(Tone::Strong, &view.title);
    if view.entries.is_empty() {
        return vec![heading, Line::plain("nothing was deployed yet")];
    }
    let mut laid = rows(view, HEADS.len());
    let widest = laid.iter().map(Line::width).max().unwrap_or(0);
    let narrow = width.is_some_and(|width| widest > width);
    if narrow {
        laid = rows(view, BESIDE);
    }
    let mut laid = laid.into_iter();
    let mut lines = vec![heading];
    lines.extend(laid.next());
    for (entry, line) in view.entries.iter().zip(laid) {
        lines.push(line);
        if narrow {
            let known = Some(source(entry)).filter(|source| source != "-").map(|source| source + " ");
            let line = Line::plain("    ").text(&known.unwrap_or_default());
            lines.extend(wrapped(line.with(Tone::Dim, "by ").text(&entry.who), width, 4));
        }
        lines.extend(beneath(entry).into_iter().flat_map(|line| wrapped(line, width, 4)));
    }
    lines
}

const HEADS: [&str; 6] = ["STARTED (UTC)", "END", "TOOK", "RELEASE", "SOURCE", "WHO"];

/// Columns that stay beside each other on a narrow terminal.
const BESIDE: usize = 4;

/// Of what hooks were denied in a deployment, so many are shown.
const DENIALS: usize = 3;

/// The heads and one row a deployment, of the first columns.
fn rows(view: &HistoryView, columns: usize) -> Vec<Line> {
    let mut rows: Vec<Vec<Line>> = vec![HEADS.iter().map(|head| Line::of(Tone::Dim, head)).collect()];
    rows.extend(view.entries.iter().map(row));
    rows.iter_mut().for_each(|row| row.truncate(columns));
    table(rows)
}

fn row(entry: &HistoryEntry) -> Vec<Line> {
    let release = match (&entry.release, entry.previous) {
        (Some(release), Some(previous)) => format!("{previous} → {}", release.number),
        (Some(release), None) => release.number.to_string(),
        (None, _) => "-".to_owned(),
    };
    vec![
        Line::plain(&Quantity::date_time(entry.started)),
        end(entry),
        Line::plain(&took(entry.started, entry.ended)),
        Line::plain(&release),
        Line::plain(&source(entry)),
        Line::plain(&entry.who),
    ]
}

/// Where the release came from, when that is known.
fn source(entry: &HistoryEntry) -> String {
    let words = entry.release.as_ref().map_or_else(String::new, |release| {
        source_words(release.branch.as_deref(), release.revision.as_deref(), None)
    });
    if words.is_empty() { "-".to_owned() } else { words }
}

fn end(entry: &HistoryEntry) -> Line {
    match entry.outcome {
        Some(Outcome::Deployed) if entry.live => {
            let live = Line::of(Tone::Good, "live");
            match entry.command.as_str() {
                "rollback" => live.text(", rollback"),
                "state recover" => live.text(", recovered"),
                _ => live,
            }
        }
        Some(Outcome::Deployed) if entry.command == "rollback" => Line::plain("rollback"),
        Some(Outcome::Deployed) if entry.command == "state recover" => Line::plain("recovered"),
        Some(Outcome::Deployed) if Maintenance::of(&entry.command).is_some() => Line::plain(&entry.command),
        Some(Outcome::Deployed) => Line::plain("done"),
        Some(Outcome::RolledBack) => Line::of(Tone::Warn, "rolled back"),
        Some(Outcome::NothingChanged) => Line::of(Tone::Dim, "nothing changed"),
        Some(Outcome::Stuck) => Line::of(Tone::Bad, "stuck"),
        None if entry.under_way => Line::of(Tone::Warn, "under way"),
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
    if !entry.excluded.is_empty() {
        let names: Vec<String> = entry.excluded.iter().map(ToString::to_string).collect();
        lines.push(Line::plain("    ").with(Tone::Warn, &format!("without {}", names.join(" "))));
    }
    let late = entry.switches.iter().filter(|switch| switch.late.is_some_and(|late| late > 0));
    lines.extend(
        late.filter_map(switched).map(|text| Line::plain("    ").with(Tone::Warn, "switch: ").text(&text)),
    );
    let (told, more) = entry.denied.split_at(entry.denied.len().min(DENIALS));
    lines.extend(told.iter().map(|denial| {
        let text = format!("hook `{}` asked to {}", denial.hook, denial.request);
        Line::plain("    ").with(Tone::Warn, "denied: ").text(&text)
    }));
    if !more.is_empty() {
        lines.push(Line::plain("    ").text(&format!("and {} more denied: `--json` has them", more.len())));
    }
    if let Some(error) = &entry.error {
        lines.push(Line::plain("    ").with(Tone::Bad, error));
    }
    lines
}
