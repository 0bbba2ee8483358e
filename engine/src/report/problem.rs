//! Errors as people see them.

use unicode_width::UnicodeWidthStr;

use super::escape::visible;
use super::line::{Line, Tone};
use super::notes::notes;
use crate::model::view::{Excerpt, Problem};

/// Lines of an error: code and message, place and text, facts, hint.
#[must_use]
pub fn problem(problem: &Problem, width: Option<usize>) -> Vec<Line> {
    let mut lines = headline(&problem.code, &problem.message, width);
    if let Some(excerpt) = &problem.excerpt {
        lines.extend(place(excerpt));
    }
    lines.extend(notes(&problem.facts, width));
    lines.extend(hint(problem.hint.as_deref(), width));
    lines
}

/// `error[code]: message`. Further lines of the message follow, indented.
pub(super) fn headline(code: &str, message: &str, width: Option<usize>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, text) in message.lines().enumerate() {
        let line = if index == 0 {
            Line::of(Tone::Bad, &format!("error[{code}]")).with(Tone::Strong, ": ").with(Tone::Strong, text)
        } else {
            Line::plain("  ").text(text)
        };
        lines.extend(wrapped(line, width, 2));
    }
    lines
}

/// `hint: …`, indented by two.
pub(super) fn hint(hint: Option<&str>, width: Option<usize>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, text) in hint.unwrap_or_default().lines().enumerate() {
        let line = if index == 0 {
            Line::plain("  ").with(Tone::Accent, "hint: ").text(text)
        } else {
            Line::plain("        ").text(text)
        };
        lines.extend(wrapped(line, width, 8));
    }
    lines
}

/// The place in the file with the text that is there:
/// ```text
///   --> cutover.toml:12:3
///    |
/// 12 | prot = 4001
///    | ^^^^
/// ```
fn place(excerpt: &Excerpt) -> Vec<Line> {
    let location = &excerpt.location;
    let gutter = location.line.to_string();
    let blank = " ".repeat(gutter.len());
    let arrow = format!("{}:{}:{}", location.file, location.line, location.column);
    let mut lines = vec![Line::plain(&blank).with(Tone::Accent, "--> ").text(&arrow)];
    if !excerpt.line.trim().is_empty() {
        let before: String = excerpt.line.chars().take(location.column.saturating_sub(1)).collect();
        let marked: String =
            excerpt.line.chars().skip(location.column.saturating_sub(1)).take(excerpt.length).collect();
        let carets = visible(&marked).width().max(1);
        lines.push(Line::plain(&blank).with(Tone::Accent, " |"));
        lines.push(Line::of(Tone::Accent, &gutter).with(Tone::Accent, " | ").text(&excerpt.line));
        lines.push(
            Line::plain(&blank)
                .with(Tone::Accent, " | ")
                .text(&" ".repeat(visible(&before).width()))
                .with(Tone::Bad, &"^".repeat(carets)),
        );
    }
    lines
}

pub(super) fn wrapped(line: Line, width: Option<usize>, indent: usize) -> Vec<Line> {
    match width {
        Some(width) => line.wrap(width, indent),
        None => vec![line],
    }
}
