//! `cutover doctor` for people.

use super::line::{Line, Tone};
use super::problem::wrapped;
use super::quantity::Quantity;
use crate::model::view::{DoctorView, Severity};

/// Columns before the text of a finding: severity, and the widest place up to here.
const WIDEST_PLACE: usize = 24;

/// Lines of what was found: severity, place and text, and what to do beneath.
#[must_use]
pub fn doctor(view: &DoctorView, width: Option<usize>) -> Vec<Line> {
    let asked = format!(
        "{} and {} asked {} UTC",
        count(view.hosts, "host"),
        count(view.routers, "router"),
        Quantity::time(view.asked)
    );
    let mut lines = vec![Line::of(Tone::Strong, &view.title).text("  ").with(Tone::Dim, &asked)];
    let places = view.findings.iter().filter_map(|finding| finding.place.as_deref());
    let widest = places.map(|place| Line::plain(place).width()).max().unwrap_or(0).min(WIDEST_PLACE);
    for finding in &view.findings {
        let (tone, word) = match finding.severity {
            Severity::Problem => (Tone::Bad, "PROBLEM"),
            Severity::Warning => (Tone::Warn, "warning"),
            Severity::Note => (Tone::Dim, "note   "),
        };
        let place = finding.place.as_deref().unwrap_or_default();
        let line = Line::plain("  ").with(tone, word).text("  ").with(Tone::Strong, place).pad(11 + widest);
        lines.extend(wrapped(line.text("  ").text(&finding.text), width, 13 + widest));
        if let Some(fix) = &finding.fix {
            let line = Line::plain("").pad(13 + widest).with(Tone::Accent, fix);
            lines.extend(wrapped(line, width, 13 + widest));
        }
    }
    lines.push(verdict(view));
    lines
}

fn verdict(view: &DoctorView) -> Line {
    let said: Vec<String> = [(Severity::Problem, "problem"), (Severity::Warning, "warning")]
        .into_iter()
        .map(|(severity, word)| (view.count(severity), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| count(number, word))
        .collect();
    match (said.is_empty(), view.count(Severity::Problem)) {
        (true, _) => Line::of(Tone::Good, "nothing is wrong"),
        (false, 0) => Line::of(Tone::Warn, &said.join(", ")),
        (false, _) => Line::of(Tone::Bad, &said.join(", ")),
    }
}

fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
