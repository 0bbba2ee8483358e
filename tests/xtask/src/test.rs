//! `cargo xtask test`: every test there is.

use std::collections::BTreeMap;
use std::fs;

use crate::command::{self, cargo, target};
use crate::peers;

/// Unit tests, the exhaustive test of the pipeline, documentation tests, and the end-to-end tests with real peers.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    peers::for_tests()?;
    let words = ["test", "--locked", "--workspace"];
    let noted = target().join("skipped-tests");
    // Of an earlier run; where it can't be removed, the tests can't write it either, and say so.
    let _ = fs::remove_file(&noted);
    let ran = command::run(cargo(&[words.as_slice(), args].concat()).env("CUTOVER_TEST_SKIPPED", &noted));
    for line in skipped(&fs::read_to_string(&noted).unwrap_or_default()) {
        eprintln!("{line}");
    }
    ran?;
    // A workspace of its own, in which no filter of the other's tests would find any.
    if !args.is_empty() {
        return Ok(());
    }
    let script = ["test", "--locked", "--manifest-path=engine/script/Cargo.toml", "--target-dir"];
    command::run(cargo(&script).arg(target().join("script")))
}

/// How many tests were skipped for each reason, of those that were noted line by line.
fn skipped(noted: &str) -> Vec<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in noted.lines() {
        *reasons.entry(reason).or_default() += 1;
    }
    reasons.into_iter().map(|(reason, count)| format!("skipped {count}: {reason}")).collect()
}

#[cfg(test)]
mod tests {
    use super::skipped;

    #[test]
    fn each_reason_is_told_once() {
        assert_eq!(skipped("no nginx\nnight\nno nginx\n"), ["skipped 1: night", "skipped 2: no nginx"]);
        assert_eq!(skipped(""), Vec::<String>::new());
    }
}
