//! `cutover plan` for people: all that would be done, and how each part of it is taken back.

use super::line::{Line, Tone};
use super::notes::notes;
use super::problem::{headline, hint, wrapped};
use super::table::table;
use super::words::{color_tone, source_words};
use crate::model::view::{PlanView, PlannedHook, PlannedStep};
use crate::model::{Maintenance, Trouble};

/// Column of what labels name.
const LABEL: usize = 17;

/// Cells of the widest table that goes where nobody keeps a width: into a file, a CI log, a message.
const WIDEST: usize = 120;

/// Lines of a plan.
#[must_use]
pub fn plan(view: &PlanView, width: Option<usize>) -> Vec<Line> {
    let mut lines = wrapped(header(view), width, 2);
    lines.extend(notes(&view.header.notes, width));
    lines.push(Line::new());
    lines.extend(steps(view, width));
    lines.extend(section("cannot be taken back"));
    if view.irreversible.is_empty() {
        lines.push(Line::plain("  nothing: every step has a way back"));
    }
    for text in &view.irreversible {
        lines.extend(wrapped(Line::plain("  ").with(Tone::Warn, text), width, 4));
    }
    lines.extend(section("hosts"));
    lines.extend(table(
        view.hosts
            .iter()
            .map(|host| {
                vec![
                    Line::plain("  ").with(Tone::Strong, &host.name),
                    Line::plain(&host.reach),
                    Line::of(Tone::Dim, &host.roles.join(", ")),
                ]
            })
            .collect(),
    ));
    lines.extend(section("hooks, and what they may do"));
    for hook in &view.hooks {
        lines.extend(hook_lines(hook, width));
    }
    if !view.secrets.is_empty() {
        lines.extend(section("secrets"));
        let row = |secret: &crate::model::view::PlannedSecret| {
            vec![
                Line::plain("  ").with(Tone::Strong, &secret.name),
                Line::plain(&format!("from {}", secret.source)),
                Line::plain(&format!("for {}", secret.used_by.join(", "))),
            ]
        };
        lines.extend(table(view.secrets.iter().map(row).collect()));
    }
    if !view.obstacles.is_empty() {
        lines.extend(section("it would not be begun now"));
    }
    for Trouble { code, message, hint: to_do } in &view.obstacles {
        lines.extend(headline(code, message, width));
        lines.extend(hint(to_do.as_deref(), width));
    }
    lines.push(Line::new());
    lines.push(Line::of(Tone::Strong, "nothing was changed"));
    lines
}

fn header(view: &PlanView) -> Line {
    let header = &view.header;
    let source =
        source_words(header.branch.as_deref(), header.revision.as_deref(), header.subject.as_deref());
    let mut line = Line::of(Tone::Strong, &header.title)
        .with(Tone::Dim, " · ")
        .text(&format!("plan of {}", header.command));
    line = line.with(Tone::Dim, " · ").with(Tone::Strong, &format!("release {}", header.release));
    if !source.is_empty() {
        line = line.text(" = ").text(&source);
    }
    if let Some(commits) = header.commits.filter(|commits| *commits > 0) {
        line = line.text(&format!(" (+{commits} {})", if commits == 1 { "commit" } else { "commits" }));
    }
    // Where hosts have one place each, none is named.
    let moves_all = Maintenance::of(&header.command).is_some();
    if !header.rolling && !moves_all {
        line = line.text(" into ").with(color_tone(header.color), header.color.as_str());
    }
    line = line.with(Tone::Dim, " · ");
    let state = if header.maintenance { "in maintenance: " } else { "live: " };
    match &header.live {
        Some(live) if header.rolling => line.text(&format!("{state}release {}", live.release.number)),
        Some(live) => line
            .text(state)
            .with(color_tone(live.color), live.color.as_str())
            .text(&format!(", release {}", live.release.number)),
        None => line.text("first deployment"),
    }
}

/// A table, where the terminal has room for it; otherwise a paragraph a step, each of whose lines still says all of one thing where
/// nobody keeps a width.
fn steps(view: &PlanView, width: Option<usize>) -> Vec<Line> {
    let laid = step_table(view);
    let has_room = laid.iter().all(|line| line.width() <= width.unwrap_or(WIDEST));
    if has_room { laid } else { view.steps.iter().flat_map(|step| step_lines(step, width)).collect() }
}

fn step_lines(step: &PlannedStep, width: Option<usize>) -> Vec<Line> {
    let heading = Line::of(Tone::Strong, step.step.as_str()).pad(LABEL).text(&step.places.join(" "));
    let mut lines = wrapped(heading, width, LABEL);
    let undo = step.undo.as_deref();
    let told = [Some(("does", step.what.as_str())), undo.map(|undo| ("way back", undo))];
    for (label, text) in told.into_iter().flatten().chain([("when it fails", step.on_failure.as_str())]) {
        let line = Line::plain("  ").with(Tone::Dim, label).pad(LABEL).text(text);
        lines.extend(wrapped(line, width, LABEL));
    }
    lines
}

fn step_table(view: &PlanView) -> Vec<Line> {
    let heads = ["STEP", "WHERE", "DOES", "WAY BACK", "WHEN IT FAILS"];
    let mut rows: Vec<Vec<Line>> = vec![heads.iter().map(|head| Line::of(Tone::Dim, head)).collect()];
    rows.extend(view.steps.iter().map(|step| {
        vec![
            Line::of(Tone::Strong, step.step.as_str()),
            Line::plain(&step.places.join(" ")),
            Line::plain(&step.what),
            Line::plain(step.undo.as_deref().unwrap_or("-")),
            Line::of(Tone::Dim, &step.on_failure),
        ]
    }));
    table(rows)
}

fn hook_lines(hook: &PlannedHook, width: Option<usize>) -> Vec<Line> {
    let heading = Line::plain("  ")
        .with(Tone::Strong, &hook.title)
        .text(&format!(" ({}) {} ", hook.kind, hook.source))
        .with(Tone::Dim, &hook.digest);
    let mut lines = wrapped(heading, width, 4);
    if hook.grants.is_empty() {
        lines.push(Line::plain("    nothing"));
    } else if hook.bundled_grants {
        lines.push(Line::plain("    ").with(Tone::Dim, "as the program lists for it:"));
    }
    for grant in &hook.grants {
        lines.extend(wrapped(Line::plain("    ").text(grant), width, 6));
    }
    for danger in &hook.dangers {
        lines.extend(wrapped(
            Line::plain("    ").with(Tone::Warn, "as good as root: ").text(danger),
            width,
            6,
        ));
    }
    if !hook.limits.is_empty() {
        let limits = Line::plain("    ").with(Tone::Dim, "limits: ").text(&hook.limits.join(", "));
        lines.extend(wrapped(limits, width, 6));
    }
    lines
}

fn section(title: &str) -> [Line; 2] {
    [Line::new(), Line::of(Tone::Strong, title)]
}
