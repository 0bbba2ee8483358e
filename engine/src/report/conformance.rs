//! `cutover hook conformance` for people.

use super::line::{Line, Tone};
use super::problem::wrapped;
use crate::model::view::{ConformanceView, RuleView};

/// Columns before the name of a rule, and before its text.
const NAME: usize = 10;
const TEXT: usize = 26;

/// A line for each rule, with how it was broken beneath.
#[must_use]
pub fn conformance(view: &ConformanceView, width: Option<usize>) -> Vec<Line> {
    let tried =
        format!("  {} calls of imports, {} questions with one gone wrong", view.calls, view.disturbed);
    let head =
        Line::of(Tone::Strong, view.router.as_str()).text("  ").text(&view.hook).with(Tone::Dim, &tried);
    let mut lines = vec![head];
    lines.extend(view.rules.iter().flat_map(|rule| of_rule(rule, width)));
    lines.push(verdict(view));
    lines
}

fn of_rule(rule: &RuleView, width: Option<usize>) -> Vec<Line> {
    let (tone, word) = match (rule.times, &rule.untried) {
        (0, None) => (Tone::Good, "kept"),
        (0, Some(_)) => (Tone::Dim, "open"),
        _ => (Tone::Bad, "BROKEN"),
    };
    let line =
        Line::plain("  ").with(tone, word).pad(NAME).with(Tone::Strong, rule.rule).pad(TEXT).text(rule.text);
    let mut lines = wrapped(line, width, TEXT);
    let mut below =
        |tone, text: &str| lines.extend(wrapped(Line::plain("").pad(TEXT).with(tone, text), width, TEXT + 2));
    if let Some(why) = rule.untried.as_ref().filter(|_| rule.times == 0) {
        below(Tone::Dim, &format!("not tried: {why}"));
    }
    for how in &rule.broken {
        below(Tone::Bad, how);
    }
    let more = rule.times.saturating_sub(rule.broken.len());
    if more > 0 {
        below(Tone::Dim, &format!("{more} more of {} tries", rule.tried));
    }
    lines
}

fn verdict(view: &ConformanceView) -> Line {
    let open = view.rules.iter().filter(|rule| rule.times == 0 && rule.untried.is_some()).count();
    let kept = view.rules.len() - open - view.broken();
    let rest = if open == 0 { String::new() } else { format!(", {open} not tried") };
    match view.broken() {
        0 => Line::of(Tone::Good, &format!("{kept} rules kept{rest}")),
        broken => {
            Line::of(Tone::Bad, &format!("{broken} {} broken", if broken == 1 { "rule" } else { "rules" }))
                .text(&format!(", {kept} kept{rest}"))
        }
    }
}
