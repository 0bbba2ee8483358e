//! Errors as people see them.

use super::line::{Line, Tone};
use super::notes::notes;
use crate::model::view::Problem;

/// Lines of an error: code and message, facts, hint.
#[must_use]
pub fn problem(problem: &Problem, width: Option<usize>) -> Vec<Line> {
    let mut lines = headline(&problem.code, &problem.message, width);
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

/// Lines of a text that has its form already: a fault of the configuration, with place, line and mark. The beginning of each
/// `error[…]` and `warning[…]` gets its tone.
#[must_use]
pub fn faults(text: &str) -> Vec<Line> {
    let toned = |line: &str| {
        let headed = [("error[", Tone::Bad), ("warning[", Tone::Warn)];
        let head = headed.into_iter().find(|(start, _)| line.starts_with(start));
        match (head, line.split_once("]: ")) {
            (Some((_, tone)), Some((head, message))) => {
                Line::of(tone, head).with(tone, "]").with(Tone::Strong, ": ").with(Tone::Strong, message)
            }
            _ => match line.trim_start().strip_prefix("hint: ") {
                Some(hint) => {
                    Line::plain(&line[..line.len() - hint.len() - 6]).with(Tone::Accent, "hint: ").text(hint)
                }
                None => Line::plain(line),
            },
        }
    };
    text.lines().map(toned).collect()
}

/// Lines of `key = value  # origin`, the origins dimmed.
#[must_use]
pub fn settings(text: &str) -> Vec<Line> {
    let toned = |line: &str| match line.rfind("  # ") {
        Some(at) => Line::plain(&line[..at]).with(Tone::Dim, &line[at..]),
        None => Line::plain(line),
    };
    text.lines().map(toned).collect()
}

/// Wrapped where there is a width to keep.
pub(super) fn wrapped(line: Line, width: Option<usize>, indent: usize) -> Vec<Line> {
    match width {
        Some(width) => line.wrap(width, indent),
        None => vec![line],
    }
}
