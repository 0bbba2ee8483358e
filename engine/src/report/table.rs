//! Columns that are as wide as their widest cell.

use super::line::Line;

/// Lines of a table. The last column is not padded.
pub(super) fn table(rows: Vec<Vec<Line>>) -> Vec<Line> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(Line::width).max().unwrap_or(0))
        .collect();
    let place = |row: Vec<Line>| {
        let mut line = Line::new();
        let mut end = 0;
        for (cell, width) in row.into_iter().zip(&widths) {
            line = line.pad(end).join(cell);
            end += width + 2;
        }
        line
    };
    rows.into_iter().map(place).collect()
}
