//! `cargo xtask prove`: the proof that a deployment keeps its promises, in figures. See `RELIABILITY.md`.

use serde_json::{Map, Value, json};

use crate::command::{self, cargo};
use crate::peers;

/// What begins a line of the tests that we read, wherever in the line it is: the test runner writes before it.
const FOUND: &str = "proof: {";
const PLANTED: &str = "planted: {";
const KILLED: &str = "killed: ";

/// Part of the names of tests that tell of violations.
const HISTORIES: &str = "simulation::proof::";

/// Exploring is what takes long.
const OPTIMISED: [&str; 4] = [
    "--config",
    "profile.dev.package.cutover.opt-level=1",
    "--config",
    "profile.dev.package.cutover-host.opt-level=1",
];

/// Kills at any moment, beside those at each step and at each change of a host: by day and by night.
const KILLS: [&str; 2] = ["12", "100"];

/// All that the tests told.
#[derive(Default)]
struct Proof {
    /// Figures by name.
    figures: Map<String, Value>,
    planted: u64,
    caught: u64,
    kills: u64,
    violations: Vec<String>,
    /// Whether the test harness is telling which tests failed.
    lists_failures: bool,
}

/// Runs the proof: every history with two mishaps, the model of the lock, planted bugs, and real processes that are killed.
pub(crate) fn run(nightly: bool, as_json: bool) -> Result<(), String> {
    peers::for_tests()?;
    let mut proof = Proof::default();
    let mut failed = Vec::new();
    let mut tests = vec!["simulation::proof::with_two", "simulation::planted_bugs", "epoch::model"];
    if nightly {
        tests.push("nightly");
    } else {
        tests.extend(["--skip", "nightly"]);
    }
    let features = ["--features", "cutover/proof,cutover-host/proof", "--lib"];
    let features = [&features[..], &OPTIMISED].concat();
    failed.extend(command::listen(&mut cargo(&test(&features, &tests)), |line| proof.take(line)).err());
    // Without the feature: it is the program as it is that is killed.
    command::build_cutover()?;
    let mut kills =
        cargo(&test(&["--package", "cutover", "--test", "end-to-end"], &["resume::killed", "commit_points"]));
    kills.env("CUTOVER_TEST_KILLS", KILLS[usize::from(nightly)]);
    if nightly {
        kills.env("CUTOVER_TEST_NIGHTLY", "1");
    }
    failed.extend(command::listen(&mut kills, |line| proof.take(line)).err());
    proof.tell(as_json);
    match failed.into_iter().next() {
        None if proof.violations.is_empty() => Ok(()),
        None => Err("a promise was broken".to_owned()),
        Some(fault) => Err(fault),
    }
}

/// Words for cargo. The whole workspace is named, so that dependencies have the features that they have in all tests. One test at a
/// time: those that are long use every processor by themselves.
fn test<'a>(what: &[&'a str], tests: &[&'a str]) -> Vec<&'a str> {
    let first = ["test", "--locked", "--workspace", "--no-fail-fast"];
    [&first[..], what, &["--", "--nocapture", "--test-threads", "1"], tests].concat()
}

impl Proof {
    fn take(&mut self, line: &str) {
        let after = |mark: &str| {
            let at = line.find(mark)? + mark.len() - 1;
            serde_json::from_str::<Map<String, Value>>(&line[at..]).ok()
        };
        if let Some(found) = after(FOUND) {
            eprintln!("{}", &line[line.find(FOUND).unwrap_or_default()..]);
            for (name, value) in found {
                self.add(name, value);
            }
        } else if let Some(bug) = after(PLANTED) {
            self.planted += 1;
            self.caught += u64::from(!bug["caught_by"].is_null());
            eprintln!("planted {}: {}", bug["bug"], bug["caught_by"]);
        } else if line.contains(KILLED) {
            self.kills += 1;
        } else if let Some(test) = line.strip_prefix("    ").filter(|_| self.lists_failures) {
            self.fail(test);
        } else {
            self.lists_failures = line == "failures:" || self.lists_failures && line.is_empty();
        }
    }

    /// A test that failed. Histories tell their violations one by one.
    fn fail(&mut self, test: &str) {
        if !test.contains(HISTORIES) {
            self.violations.push(format!("test `{test}` failed"));
        }
    }

    /// A figure; the greater one where two parts of the proof tell it: the one of the night.
    fn add(&mut self, name: String, value: Value) {
        if name == "violations" {
            let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            self.violations.extend(texts.map(str::to_owned));
            return;
        }
        let known = self.figures.get(&name).and_then(Value::as_f64);
        if known.is_none() || known < value.as_f64() {
            self.figures.insert(name, value);
        }
    }

    fn tell(&self, as_json: bool) {
        for violation in &self.violations {
            eprintln!("violation: {violation}");
        }
        let names = [
            "histories",
            "commit_points_visited",
            "commit_points",
            "history_seconds",
            "lock_states",
            "lock_seconds",
        ];
        let figures =
            names.iter().filter_map(|name| Some(((*name).to_owned(), self.figures.get(*name)?.clone())));
        let mut object: Map<String, Value> = figures.collect();
        for (name, count) in [
            ("planted_bugs", self.planted),
            ("planted_bugs_caught", self.caught),
            ("kills", self.kills),
            ("violations", self.violations.len() as u64),
        ] {
            object.insert(name.to_owned(), json!(count));
        }
        if as_json {
            println!("{}", Value::Object(object));
            return;
        }
        for (name, value) in object {
            println!("{:<22} {value}", name.replace('_', " "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_wherever_they_are_in_a_line() {
        let mut proof = Proof::default();
        for line in [
            r#"test a ... proof: {"histories":7,"merged":9,"violations":["P1, x"]}"#,
            r#"proof: {"histories":5,"lock_states":3,"violations":[]}"#,
            r#"test b ... planted: {"bug":"One","caught_by":"P1"}"#,
            r#"planted: {"bug":"Two","caught_by":null}"#,
            "test c ... killed: at-switch, 10",
            "killed: at-watch, 0",
            "test d ... ok",
            "    no failure",
            "failures:",
            "",
            "failures:",
            "    resume::killed_at_each_step",
            "    run::simulation::proof::with_two_mishaps",
            "",
            "test result: FAILED. 1 passed; 2 failed",
            "    at ./../tests/resume.rs:1:1",
        ] {
            proof.take(line);
        }
        assert_eq!((proof.planted, proof.caught, proof.kills), (2, 1, 2));
        assert_eq!((&proof.figures["histories"], &proof.figures["lock_states"]), (&json!(7), &json!(3)));
        assert_eq!(proof.violations, ["P1, x", "test `resume::killed_at_each_step` failed"]);
    }
}
