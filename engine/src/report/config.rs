//! `cutover config` for people.

use super::line::{Line, Tone};
use super::table::table;
use crate::model::view::ConfigView;

/// Lines of a merged configuration: `key = value`, and where the value comes from.
#[must_use]
pub fn config(view: &ConfigView) -> Vec<Line> {
    let row = |entry: &crate::model::view::ConfigEntry| {
        let value = Line::of(Tone::Strong, &entry.key).text(" = ").text(&entry.value);
        vec![value, Line::of(Tone::Dim, &format!("# {}", entry.origin))]
    };
    let mut lines = vec![Line::of(Tone::Dim, &format!("# {}", view.title))];
    // One very long value must not push all origins to the right.
    let (short, _): (Vec<_>, Vec<_>) = view.entries.iter().partition(|entry| row(entry)[0].width() <= 72);
    let column = short.iter().map(|entry| row(entry)[0].width()).max().unwrap_or(0);
    for entry in &view.entries {
        let cells = row(entry);
        lines.extend(table(vec![
            cells
                .into_iter()
                .enumerate()
                .map(|(index, cell)| if index == 0 { cell.pad(column) } else { cell })
                .collect(),
        ]));
    }
    lines
}
