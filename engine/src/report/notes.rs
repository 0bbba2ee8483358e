//! Labelled lines: labels in one column, texts in another.

use unicode_width::UnicodeWidthStr;

use super::escape::visible;
use super::line::{Line, Tone};
use crate::model::Note;

/// Lines for notes, indented by two. A text of several lines goes on beneath itself; with a width, long ones are wrapped.
pub(super) fn notes(notes: &[Note], width: Option<usize>) -> Vec<Line> {
    let longest = notes.iter().map(|note| visible(&note.label).width()).max().unwrap_or(0);
    // A label that takes half of the line is worse than a ragged column.
    let labels = longest.min(24);
    let mut lines = Vec::new();
    for note in notes {
        for (index, text) in note.text.lines().enumerate() {
            let label = if index == 0 { note.label.as_str() } else { "" };
            let mut line = Line::plain("  ");
            if labels > 0 {
                line = line.with(Tone::Dim, label).pad(2 + labels).text("  ");
            }
            let indent = if labels > 0 { labels + 4 } else { 2 };
            let line = line.text(text);
            match width {
                Some(width) => lines.extend(line.wrap(width, indent)),
                None => lines.push(line),
            }
        }
    }
    lines
}
