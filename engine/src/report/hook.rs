//! `cutover hook` for people.

use super::line::{Line, Tone};
use super::quantity::Quantity;
use super::table::table;
use crate::model::view::{
    AddedView, BuiltView, ComponentKind, ComponentView, FetchView, Fetched, FetchedView, ImportView,
    LockChangeView, LockView,
};

/// Lines of a component. What can be pasted is never wrapped.
#[must_use]
pub fn component(view: &ComponentView) -> Vec<Line> {
    let mut lines = described(view);
    match &view.grants {
        None => {
            let page = format!("cutover help {}", view.source);
            lines.push(Line::plain("it comes with grants of its own: ").with(Tone::Accent, &page));
        }
        Some(grants) if grants.is_empty() => {
            lines.push(Line::plain("it needs no grants"));
        }
        Some(grants) => {
            lines.push(Line::plain(
                "with these grants it loads, and each call that is denied names the entry for it:",
            ));
            for kind in &view.kinds {
                lines.push(Line::plain("  ").with(Tone::Accent, &format!("[{}.grants]", kind.kind)));
                lines.extend(grants.lines().map(|line| Line::plain("  ").with(Tone::Accent, line)));
            }
        }
    }
    lines
}

fn described(view: &ComponentView) -> Vec<Line> {
    let mut lines = vec![
        Line::of(Tone::Strong, &view.source).text("  ").text(&kinds(&view.kinds, view.memory.is_none())),
        Line::plain("  ").with(Tone::Dim, &view.sha256),
    ];
    let mut facts = Quantity::bytes(view.size).to_string();
    if let Some(memory) = view.memory {
        facts.push_str(&format!(", begins with {} of memory", Quantity::bytes(memory)));
        match view.memory_most {
            Some(most) => facts.push_str(&format!(" and takes {} at most", Quantity::bytes(most))),
            None => facts.push_str(" and names no maximum"),
        }
    }
    if !view.languages.is_empty() {
        // Of an interpreter that brings its script along, that is the interpreter's.
        let how = if view.memory.is_some() { "compiled from" } else { "written in" };
        facts.push_str(&format!("; {how} {}", view.languages.join(", ")));
    }
    lines.push(Line::plain("  ").text(&facts));
    lines.push(Line::plain(if view.imports.is_empty() { "it asks for nothing" } else { "it asks for" }));
    lines.extend(imports(&view.imports, "  "));
    lines
}

fn kinds(kinds: &[ComponentKind], is_script: bool) -> String {
    if kinds.is_empty() {
        return format!("is a {} and no hook", if is_script { "script" } else { "component" });
    }
    let kind = |kind: &ComponentKind| {
        let unusable = if kind.usable { "" } else { ", which this version of cutover does not speak" };
        format!("{} hook (contract {}{unusable})", kind.kind, kind.contract)
    };
    kinds.iter().map(kind).collect::<Vec<_>>().join(", ")
}

/// A line for each import; those of WASI, which reach nothing, in one.
fn imports(imports: &[ImportView], before: &str) -> Vec<Line> {
    let (wasi, ours): (Vec<&ImportView>, Vec<&ImportView>) = imports.iter().partition(|import| {
        import.name.starts_with("wasi:") && import.keys.is_empty() && import.means.starts_with("WASI")
    });
    let row = |import: &&ImportView| {
        let tone = if import.keys.is_empty() { Tone::Dim } else { Tone::Strong };
        vec![Line::plain(before).with(tone, &import.name), Line::plain(&import.means)]
    };
    let mut rows: Vec<Vec<Line>> = ours.iter().map(row).collect();
    if let Some(first) = wasi.first() {
        let name = format!("{} of WASI", wasi.len());
        let means = first.means.trim_start_matches("WASI: ");
        rows.push(vec![Line::plain(before).with(Tone::Dim, &name), Line::plain(means)]);
    }
    table(rows)
}

/// Lines of a lock file's changes; `written` is whether they are made.
#[must_use]
pub fn lock(view: &LockView, written: bool) -> Vec<Line> {
    let mut lines: Vec<Line> = view.changes.iter().flat_map(change).collect();
    lines.push(verdict(view, written));
    lines
}

fn verdict(view: &LockView, written: bool) -> Line {
    let count = match view.hooks {
        1 => "1 hook".to_owned(),
        many => format!("{many} hooks"),
    };
    let verdict = match (view.changes.is_empty(), written) {
        (true, _) => " is as it was: ",
        (false, true) => " is written: ",
        (false, false) => " would have: ",
    };
    Line::of(Tone::Strong, &view.file).text(verdict).text(&count)
}

fn change(change: &LockChangeView) -> Vec<Line> {
    let (tone, word) = match (&change.before, &change.after) {
        (None, _) => (Tone::Good, "new    "),
        (_, None) => (Tone::Bad, "gone   "),
        (Some(before), Some(after)) if before == after => (Tone::Plain, "same   "),
        (Some(_), Some(_)) => (Tone::Warn, "changed"),
    };
    let mut lines = vec![Line::of(tone, word).text("  ").with(Tone::Strong, &change.requested)];
    let digest = |label: &str, digest: &String| Line::plain(label).with(Tone::Dim, digest);
    lines.extend(
        change.before.iter().filter(|_| change.before != change.after).map(|it| digest("  was ", it)),
    );
    lines.extend(change.after.iter().map(|it| digest("  is  ", it)));
    lines.extend(change.manifest.iter().map(|manifest| digest("  from ", manifest)));
    lines.extend(change.copy.iter().map(|copy| Line::plain("  copy ").text(copy)));
    if change.after.is_some() {
        for (what, these) in [("asks for", &change.gained), ("no more ", &change.lost)] {
            lines.extend(imports(these, &format!("  {what} ")));
        }
    }
    lines
}

/// Lines of what was added, with what is still to be written.
#[must_use]
pub fn added(view: &AddedView) -> Vec<Line> {
    let mut lines = described(&view.component);
    lines.push(verdict(&view.lock, true));
    lines.extend(for_configuration(&view.lines));
    lines
}

/// Lines of what was built, with what is still to be written.
#[must_use]
pub fn built(view: &BuiltView) -> Vec<Line> {
    let mut lines = described(&view.component);
    lines.extend(for_configuration(&view.lines));
    lines
}

fn for_configuration(text: &str) -> impl Iterator<Item = Line> {
    let lines = text.lines().map(|line| Line::of(Tone::Accent, line));
    std::iter::once(Line::plain("for the configuration:")).chain(lines)
}

/// Lines of what was fetched.
#[must_use]
pub fn fetched(view: &FetchView) -> Vec<Line> {
    if view.hooks.is_empty() {
        return vec![Line::plain("no hook has a URL: there is nothing to fetch")];
    }
    let row = |hook: &FetchedView| {
        let (tone, word) = match hook.how {
            Fetched::Now => (Tone::Good, "fetched"),
            Fetched::Before => (Tone::Dim, "was here"),
            Fetched::Vendored => (Tone::Dim, "copy in the project"),
        };
        vec![Line::of(Tone::Strong, &hook.requested), Line::of(tone, word), Line::of(Tone::Dim, &hook.sha256)]
    };
    table(view.hooks.iter().map(row).collect())
}
