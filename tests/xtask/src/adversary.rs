//! `cargo xtask adversary`: every bad manner of a hook that we know of, and how each ends.

use serde_json::Value;

use crate::command::{self, cargo};

/// The test that runs the table, and what begins the lines that it tells.
const TEST: &str = "hooks::adversary::every_mode_ends_exactly_and_the_next_hook_runs";
const FOUND: &str = "adversary: ";

/// Runs the table and tells its figures.
pub(crate) fn run(as_json: bool) -> Result<(), String> {
    command::build_cutover()?;
    let words = ["test", "--locked", "--workspace", "--package", "cutover", "--test", "end-to-end", "--"];
    let mut tests = cargo(&[&words[..], &[TEST, "--exact", "--nocapture"]].concat());
    eprintln!("$ cargo {} {TEST}", words.join(" "));
    let ended = tests.output().map_err(|fault| format!("the tests can't be run: {fault}"))?;
    let figures = tell(&String::from_utf8_lossy(&ended.stdout));
    let Some(figures) = figures else {
        return Err(format!("the test told nothing:\n{}", String::from_utf8_lossy(&ended.stderr)));
    };
    if as_json {
        println!("{figures}");
    } else {
        for (name, value) in figures.as_object().into_iter().flatten() {
            println!("{:<16} {value}", name.replace('_', " "));
        }
    }
    if ended.status.success() { Ok(()) } else { Err("a mode did not end as it should".to_owned()) }
}

/// Shows the modes that ended otherwise; the figures are returned.
fn tell(said: &str) -> Option<Value> {
    let mut figures = None;
    for line in said.lines().filter_map(|line| Some(&line[line.find(FOUND)? + FOUND.len()..])) {
        match serde_json::from_str(line) {
            Ok(found) => figures = Some(found),
            Err(_) => eprintln!("{line}"),
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_among_what_a_test_prints() {
        let said =
            "running 1 test\ntest x ... adversary: endless-loop: answered\nadversary: {\"modes\":40}\nok";
        assert_eq!(tell(said), Some(serde_json::json!({"modes": 40})));
        assert_eq!(tell("running 0 tests"), None);
    }
}
