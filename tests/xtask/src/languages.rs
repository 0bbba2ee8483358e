//! `cargo xtask languages`: what a hook of each kind does in each language, on the real engine.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::command::{self, cargo};
use crate::peers;

/// The test that asks, and what begins the lines that it tells.
const TEST: &str = "hooks::languages::a_hook_of_each_kind_does_the_same_in_each";
const FOUND: &str = "languages: ";

/// Builds a hook in each language, asks it all, and tells each cell.
pub(crate) fn run(as_json: bool) -> Result<(), String> {
    peers::for_languages()?;
    command::build_cutover()?;
    let words = ["test", "--locked", "--workspace", "--package", "cutover", "--test", "end-to-end", "--"];
    let mut tests = cargo(&[&words[..], &[TEST, "--exact", "--nocapture"]].concat());
    eprintln!("$ cargo {} {TEST}", words.join(" "));
    let ended = tests
        .env("CUTOVER_TEST_NIGHTLY", "1")
        .output()
        .map_err(|fault| format!("the tests can't be run: {fault}"))?;
    let cells = cells(&String::from_utf8_lossy(&ended.stdout));
    if cells.is_empty() {
        return Err(format!("the test told nothing:\n{}", String::from_utf8_lossy(&ended.stderr)));
    }
    if as_json {
        for cell in &cells {
            println!("{cell}");
        }
    } else {
        print!("{}", table(&cells));
    }
    let wrong = cells.iter().filter(|cell| cell["ok"] != true).count();
    match (wrong, ended.status.success()) {
        (0, true) => Ok(()),
        (0, false) => Err(format!("the test failed:\n{}", String::from_utf8_lossy(&ended.stderr))),
        (wrong, _) => Err(format!("{wrong} of {} cells are not as they should be", cells.len())),
    }
}

/// What a test printed, in the order of it.
fn cells(said: &str) -> Vec<Value> {
    let lines = said.lines().filter_map(|line| Some(&line[line.find(FOUND)? + FOUND.len()..]));
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A line for each kind and case, a column for each language; then why where one is not as it should be.
fn table(cells: &[Value]) -> String {
    let text = |cell: &Value, key: &str| cell[key].as_str().unwrap_or_default().to_owned();
    let mut languages: Vec<String> = Vec::new();
    let mut rows: Vec<(String, String)> = Vec::new();
    for cell in cells {
        let (language, row) = (text(cell, "language"), (text(cell, "kind"), text(cell, "case")));
        if !languages.contains(&language) {
            languages.push(language);
        }
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    let mut out = format!("{:<14}{:<12}", "", "");
    languages.iter().for_each(|language| out.push_str(&format!("{language:<8}")));
    for (kind, case) in rows {
        out.push_str(&format!("\n{kind:<14}{case:<12}"));
        for language in &languages {
            let of = |cell: &&Value| {
                cell["language"] == **language && cell["kind"] == *kind && cell["case"] == *case
            };
            let ended = cells.iter().find(of).map(|cell| if cell["ok"] == true { "ok" } else { "no" });
            out.push_str(&format!("{:<8}", ended.unwrap_or_default()));
        }
    }
    let whys: BTreeSet<String> = cells
        .iter()
        .filter(|cell| cell["ok"] != true)
        .map(|cell| format!("{}: {}", text(cell, "language"), text(cell, "why")))
        .collect();
    let mut out: String = out.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    whys.iter().for_each(|why| out.push_str(&format!("{why}\n")));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_become_a_table() {
        let said = "running 1 test\ntest x ... languages: {\"kind\":\"build\",\"language\":\"rust\",\"case\":\"http\",\"ok\":true}\n\
                    languages: {\"kind\":\"build\",\"language\":\"go\",\"case\":\"http\",\"ok\":false,\"why\":\"no Go\"}\nok\n";
        let expected =
            "                          rust    go\nbuild         http        ok      no\ngo: no Go\n";
        assert_eq!(table(&cells(said)), expected);
    }
}
