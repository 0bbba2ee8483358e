//! `cutover hook run` for people.

use std::time::Duration;

use super::line::{Line, Tone};
use super::quantity::Quantity;
use super::table::table;
use crate::model::view::HookRunView;

/// What it was asked, each call that it made, and what it answered.
#[must_use]
pub fn hook_run(view: &HookRunView) -> Vec<Line> {
    let about = if view.about.is_empty() { String::new() } else { format!(" of {}", view.about) };
    let head = Line::of(Tone::Strong, &view.hook)
        .text(&format!("  {}{about}", view.question))
        .with(Tone::Dim, &format!("  {}", view.digest));
    let mut lines = vec![head];
    if view.calls.is_empty() {
        lines.push(Line::plain("it asked nothing of hosts and servers"));
    } else {
        lines.push(Line::plain("it asked"));
        let row = |call: &crate::model::view::RunCall| {
            let (tone, word) = if call.denied { (Tone::Bad, "denied ") } else { (Tone::Good, "allowed") };
            vec![
                Line::plain("  ").with(tone, word),
                Line::plain(&call.call),
                Line::plain(&call.answer),
                Line::of(Tone::Dim, &format!("{} ms", call.took_ms)),
            ]
        };
        lines.extend(table(view.calls.iter().map(row).collect()));
    }
    for denial in view.denied.iter().filter(|denial| !denial.grant.is_empty()) {
        lines.push(Line::plain("  to allow it: ").with(Tone::Accent, &denial.grant));
    }
    let took = Quantity::took(Duration::from_millis(view.took_ms));
    lines.push(Line::plain("it answered").with(Tone::Dim, &format!("  after {took}")));
    let tone = if view.said.error.is_some() { Tone::Bad } else { Tone::Plain };
    let answer = toml::to_string_pretty(&view.said).unwrap_or_default();
    lines.extend(answer.lines().map(|line| Line::plain("  ").with(tone, line)));
    if let Some(file) = &view.recorded {
        lines.push(
            Line::plain("it is recorded: ")
                .with(Tone::Accent, &format!("cutover hook test {} {file}", view.hook)),
        );
    }
    lines
}
