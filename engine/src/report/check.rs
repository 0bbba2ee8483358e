//! `cutover check` for people, when the configuration is right.

use super::line::{Line, Tone};
use super::problem::{faults, wrapped};
use super::table::table;
use crate::model::view::{CheckView, Finding, HostCheck, Verdict};

/// Lines of a check.
#[must_use]
pub fn check(view: &CheckView, width: Option<usize>) -> Vec<Line> {
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let mut lines = vec![
        Line::of(Tone::Strong, &view.title)
            .text("  ")
            .text(&view.file)
            .text(" is ")
            .with(Tone::Good, "right")
            .text(&format!(": {}, {}", count(view.hosts.len(), "host"), count(view.hooks.len(), "hook"))),
    ];
    let hook = |hook: &crate::model::view::CheckedHook| {
        vec![
            Line::plain("  hook ").with(Tone::Strong, &hook.title),
            Line::plain(&hook.source),
            Line::of(Tone::Dim, &hook.digest),
        ]
    };
    lines.extend(table(view.hooks.iter().map(hook).collect()));
    for warning in &view.warnings {
        lines.extend(faults(warning));
    }
    lines.extend(view.host_checks.iter().flat_map(|host| host_lines(host, width)));
    if !view.front_doors.is_empty() {
        lines.push(Line::of(Tone::Strong, "front doors"));
        lines.extend(findings(&view.front_doors, width));
    }
    if !view.host_checks.is_empty() {
        let missing = view.findings().filter(|finding| finding.verdict == Verdict::Missing).count();
        let heard_of = |host: &&HostCheck| host.facts.is_some();
        let of_hosts = view.host_checks.iter().filter(heard_of).flat_map(|host| &host.findings);
        let mut known = of_hosts.chain(&view.front_doors);
        let not_ready = || {
            let text = format!(": {} missing", count(missing, "thing"));
            Line::of(Tone::Bad, "the hosts are not ready").text(&text)
        };
        lines.push(match missing {
            0 => Line::of(Tone::Good, "the hosts are ready"),
            // `setup` asks them too.
            _ if known.all(|finding| finding.verdict != Verdict::Missing) => not_ready(),
            _ => not_ready().text("; ").with(Tone::Accent, "cutover setup").text(" prints what to do"),
        });
    }
    lines
}

fn host_lines(host: &HostCheck, width: Option<usize>) -> Vec<Line> {
    let facts = host.facts.as_deref().unwrap_or("not reached");
    let mut lines = vec![Line::of(Tone::Strong, &host.host).text("  ").with(Tone::Dim, facts)];
    lines.extend(findings(&host.findings, width));
    lines
}

fn findings(findings: &[Finding], width: Option<usize>) -> Vec<Line> {
    let mut lines = Vec::new();
    let longest = findings.iter().map(|finding| Line::plain(&finding.what).width()).max().unwrap_or(0);
    for finding in findings {
        let (tone, word) = match finding.verdict {
            Verdict::Ok => (Tone::Good, "ok     "),
            Verdict::Warning => (Tone::Warn, "warning"),
            Verdict::Missing => (Tone::Bad, "MISSING"),
        };
        let line = Line::plain("  ").with(tone, word).text("  ").text(&finding.what).pad(13 + longest);
        lines.extend(wrapped(line.text(&finding.text), width, 13 + longest));
        // Ready to paste, so never wrapped.
        let fix = finding.fix.iter().flat_map(|fix| fix.lines());
        lines.extend(fix.map(|text| Line::plain("           ").with(Tone::Accent, text)));
    }
    lines
}
