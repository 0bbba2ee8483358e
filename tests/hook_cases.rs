//! `cutover hook test` and `cutover hook run`: hooks in a world that a case makes up, and cases of what really happened.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use test_support::{Behaviour, assert_golden};

use crate::{local, told, with_v1};

const HEALTH: &str = "\
kind = \"health-check\"
settings = { path = \"/health\" }
call.instances = [{ host = \"web1\", port = 4001 }]

[[outside]]
send = { url = \"http://127.0.0.1:4001/health\", via = \"web1\", answer = { status = 503, text = \"no database\" } }

[expect]
health = \"unhealthy\"
";

/// Cases in a directory, each held against a hook.
fn tested(directory: &Path, hook: &str, cases: &[(&str, String)]) -> Output {
    for (name, text) in cases {
        fs::write(directory.join(name), text).unwrap();
    }
    Command::new(env!("CARGO_BIN_EXE_cutover"))
        .current_dir(directory)
        .env("HOME", directory)
        .args(["hook", "test", "--color=never", hook])
        .args(cases.iter().map(|(name, _)| name))
        .output()
        .unwrap()
}

/// What is said, without times, and without word that a hook is compiled: others may have done that.
fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let lines = String::from_utf8(text).unwrap();
    let timeless = |line: &str| match line.rsplit_once(", ") {
        Some((head, took)) if took.ends_with(" s") => format!("{head}\n"),
        _ => format!("{line}\n"),
    };
    lines.lines().filter(|line| !line.contains(" │ is compiled, ")).map(timeless).collect()
}

#[test]
fn a_bundled_hook_is_held_against_cases() {
    let place = tempfile::tempdir().unwrap();
    let cases = [
        ("sick.toml", HEALTH.to_owned()),
        ("answer.toml", HEALTH.replace("unhealthy", "healthy")),
        ("call.toml", HEALTH.replace("via = \"web1\"", "via = \"web2\"")),
        (
            "more.toml",
            format!("{}[expect]\nhealth = \"healthy\"\n", HEALTH.split_once("[[outside]]").unwrap().0),
        ),
        ("missing.toml", HEALTH.replace("[expect]", "[[outside]]\nread = { path = \"/never\" }\n\n[expect]")),
    ];
    let output = tested(place.path(), "builtin:http-health", &cases);
    assert_golden("hook-test-health.txt", &said(&output));
    assert_eq!(output.status.code(), Some(70));
    let output = tested(place.path(), "builtin:http-health", &cases[..1]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_case_with_mistakes_is_not_run() {
    let place = tempfile::tempdir().unwrap();
    let cases = [("sick.toml", HEALTH.to_owned()), ("typo.toml", HEALTH.replace("status", "statu"))];
    let output = tested(place.path(), "builtin:http-health", &cases);
    assert_golden("hook-test-mistakes.txt", &said(&output));
    assert_eq!(output.status.code(), Some(50));
}

/// A script that tests two pages.
#[test]
fn a_script_is_held_against_a_case() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("pages.js"), include_str!("../example-hooks/scripts/pages.js")).unwrap();
    let case = "\
kind = \"smoke-test\"
settings = { pages = [{ path = \"/\" }, { path = \"/cart\" }] }
call.instances = [{ host = \"web1\", port = 4001 }]

[[outside]]
send = { method = \"GET\", answer = { text = \"welcome\" } }

[[outside]]
send = { method = \"GET\", answer = { status = 500 } }

[expect]
cases = [{ outcome = \"passed\" }, { outcome = \"failed\" }]
";
    let output = tested(place.path(), "script:pages.js", &[("pages.toml", case.to_owned())]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

/// A real health check and a real look at nginx are recorded, and asked again with nothing of it there.
#[test]
fn what_really_happened_is_asked_again_offline() {
    let Some(test) = with_v1(local()) else { return };
    let record = |hook: &str| test.directory().join(format!("{hook}.toml")).display().to_string();
    for hook in ["health-check", "router"] {
        let ran = test.cutover(&["hook", "run", hook, "--color=never", "--record", &record(hook)]).expect(0);
        assert!(ran.stdout.contains("\nit asked\n  allowed  "), "{}", ran.stdout);
        assert!(ran.stdout.contains("\nit is recorded: "), "{}", ran.stdout);
    }
    let lines = told(&test, test.cutover(&["hook", "run", "router", "--ask", "apply"]).expect(2));
    assert_golden("hook-run-refused.txt", &lines);
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    for hook in ["health-check", "router"] {
        let ended = test.cutover(&["hook", "test", hook, &record(hook)]).expect(0);
        assert!(ended.stdout.contains("1 case: all passed"), "{}", ended.stdout);
    }
}
