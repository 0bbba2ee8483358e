//! `cargo xtask test`: every test there is.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::command::{self, cargo, target};
use crate::peers;

/// A test with real servers waits more than it computes.
const THREADS_FOR_A_PROCESSOR: usize = 2;

/// Workspaces of their own, and where each is built.
const WORKSPACES: [(&str, &str); 2] =
    [("engine/script/Cargo.toml", "script"), ("hooks-sdk/generate/Cargo.toml", "generate")];

/// Where more tests fail, it was not the machine.
const MOST_FLAKY: usize = 8;

/// Unit tests, the exhaustive test of the pipeline, documentation tests, and the end-to-end tests with real peers.
///
/// Of a whole run, end-to-end tests that failed run once more, alone: a machine that stood still for a moment may have been their fault.
/// What passes then is told at the end as flaky, with all that it said before; what fails again has failed.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    peers::for_tests()?;
    let noted = target().join("skipped-tests");
    // Of an earlier run; where it can't be removed, the tests can't write it either, and say so.
    let _ = fs::remove_file(&noted);
    let test = |words: &[&str]| {
        let mut command = cargo(&[&["test", "--locked", "--workspace"], words].concat());
        command.env("CUTOVER_TEST_SKIPPED", &noted);
        command
    };
    if !args.is_empty() {
        let ran = command::run(&mut test(args));
        tell_skipped(&fs::read_to_string(&noted).unwrap_or_default());
        return ran;
    }
    let mut all = test(&["--no-fail-fast"]);
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        all.env("RUST_TEST_THREADS", threads().to_string());
    }
    let (first, ended) = listen(all);
    tell_skipped(&fs::read_to_string(&noted).unwrap_or_default());
    let mut flaky = String::new();
    if let Err(fault) = ended {
        let failed: Vec<&str> = first.failed.iter().map(String::as_str).collect();
        if failed.is_empty() || failed.len() > MOST_FLAKY || first.unfinished > 0 {
            return Err(fault);
        }
        let alone = ["--test", "end-to-end", "--", "--exact", "--test-threads", "1"];
        let (again, ended) = listen(test(&[&alone, failed.as_slice()].concat()));
        // A test of another kind is none of these, and does not pass here.
        if ended.is_err() || again.passed != failed.len() {
            return Err(fault);
        }
        flaky =
            format!("flaky {}: failed beside others and passed alone: {}\n", failed.len(), failed.join(", "));
    }
    let ended = WORKSPACES.into_iter().try_for_each(|(manifest, place)| {
        let words = ["test", "--locked", "--manifest-path", manifest, "--target-dir"];
        command::run(cargo(&words).arg(target().join(place)))
    });
    eprint!("{flaky}");
    ended
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from) * THREADS_FOR_A_PROCESSOR
}

/// What a run of tests told.
#[derive(Default)]
struct Told {
    failed: Vec<String>,
    passed: usize,
    /// Programs with tests that began, and did not come to their end.
    unfinished: usize,
}

impl Told {
    /// Takes in a line of the test harness.
    fn take(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test ") else {
            self.unfinished += usize::from(is_beginning(line));
            return;
        };
        if rest.starts_with("result: ") {
            self.unfinished = self.unfinished.saturating_sub(1);
        }
        if let Some(name) = rest.strip_suffix(" ... FAILED") {
            self.failed.push(name.to_owned());
        }
        self.passed += usize::from(rest.ends_with(" ... ok"));
    }
}

/// Whether a program with tests begins: `running 1 test`, `running 12 tests`.
fn is_beginning(line: &str) -> bool {
    let words: Vec<_> = line.split(' ').collect();
    matches!(words.as_slice(), ["running", count, "test" | "tests"] if count.parse::<usize>().is_ok())
}

/// Shows a run of tests, and takes in what it tells.
fn listen(mut command: Command) -> (Told, Result<(), String>) {
    let mut told = Told::default();
    let ended = command::listen(&mut command, |line| {
        println!("{line}");
        told.take(line);
    });
    (told, ended)
}

/// How many tests were skipped for each reason, of those that were noted line by line.
fn tell_skipped(noted: &str) {
    for line in skipped(noted) {
        eprintln!("{line}");
    }
}

fn skipped(noted: &str) -> Vec<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in noted.lines() {
        *reasons.entry(reason).or_default() += 1;
    }
    reasons.into_iter().map(|(reason, count)| format!("skipped {count}: {reason}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_once() {
        assert_eq!(skipped("no nginx\nnight\nno nginx\n"), ["skipped 1: night", "skipped 2: no nginx"]);
        assert_eq!(skipped(""), Vec::<String>::new());
    }

    #[test]
    fn what_failed_is_known_by_name() {
        let mut told = Told::default();
        for line in [
            "test canary::apache_shares_too ... ok",
            "test resume::killed ... FAILED",
            "test resume::killed has been running for over 60 seconds",
            "test lib.rs - doc (line 3) ... ignored",
            "test canary::apache_shares_too fails at tests/x.rs:1: ... FAILED too",
            "{\"test\":\" ... FAILED\"}",
            "failures:",
            "running 3 tests",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1s",
            "running 1 test",
        ] {
            told.take(line);
        }
        assert_eq!((told.failed, told.passed, told.unfinished), (vec!["resume::killed".to_owned()], 1, 1));
    }
}
