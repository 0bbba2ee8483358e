//! `cutover setup` for people: a script for each host, ready to paste into a shell of root's, remarks as its comments.

use super::line::{Line, Tone};
use crate::model::view::SetupView;

/// Lines of what hosts need. Never wrapped, since they are pasted.
#[must_use]
pub fn setup(view: &SetupView) -> Vec<Line> {
    let remark = |text: &str| Line::of(Tone::Dim, &format!("# {text}"));
    let mut lines =
        vec![remark(&format!("{}: once on each host, as root; doing it again does no harm", view.title))];
    for host in &view.hosts {
        lines.push(Line::new());
        let heading = format!("# ── {} ({}) ──", host.host, host.reach);
        lines.push(Line::of(Tone::Strong, &heading));
        match &host.problem {
            Some(problem) => lines.push(Line::of(Tone::Warn, &format!("# not known: {problem}"))),
            None if host.parts.is_empty() => lines.push(remark("nothing is needed")),
            None => {}
        }
        for part in &host.parts {
            lines.push(remark(&part.title));
            lines.extend(part.script.lines().map(Line::plain));
        }
    }
    lines
}
