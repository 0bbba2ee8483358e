//! `cutover hook test` and `cutover hook run`: hooks in a world that a case makes up, and cases of what really happened.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use test_support::{Behaviour, Test, assert_golden};

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

/// With grants, a call gets what a run would answer before it does anything; what is granted is answered by the case.
#[test]
fn a_case_with_grants_denies_what_a_run_would() {
    let place = tempfile::tempdir().unwrap();
    let with =
        |grants: &str| HEALTH.replace("\n\n[[outside]]", &format!("\ngrants = {grants}\n\n[[outside]]"));
    let denied = with("{ http = [] }").split_once("[[outside]]").unwrap().0.to_owned()
        + "[expect.error]\nkind = \"denied\"\n";
    let cases = [
        ("granted.toml", with("{ http = [{ to = \"instances\" }] }")),
        ("denied.toml", denied.clone()),
        ("another.toml", with("{ http = [{ to = \"https://example.com\" }] }")),
    ];
    let output = tested(place.path(), "builtin:http-health", &cases);
    assert_golden("hook-test-grants.txt", &said(&output));
    assert_eq!(output.status.code(), Some(70));
}

/// Tries a file, a program and secrets, and tells what becomes of each.
const TRIES: &str = r#"import { exec, readText } from "cutover:hook/hosts@0.1.0";
import { reveal } from "cutover:hook/secret-text@0.1.0";
import { hmacSha256 } from "cutover:hook/secrets@0.1.0";

const ID = { program: "/usr/bin/id", args: [], env: [], secretEnv: [], asRoot: false };

export const smokeTest = {
  validate: () => [],
  run: () => [
    tried("file", () => readText("web1", "/etc/motd")),
    tried("program", () => exec("web1", ID)),
    tried("secret", () => reveal("token")),
    tried("signature", () => hmacSha256("key", "AWS4", [], new Uint8Array([1]))),
  ],
};

function tried(name, deed) {
  try {
    deed();
    return { name, outcome: { tag: "passed" }, durationMs: 0, labels: [] };
  } catch (error) {
    return { name, outcome: { tag: "failed", val: error.payload.val }, durationMs: 0, labels: [] };
  }
}
"#;

const TRIED: &str = "\
kind = \"smoke-test\"
call.instances = [{ host = \"web1\", port = 4001 }]
secrets = { token = \"open-sesame-1\", key = \"open-sesame-2\" }

[grants]
read = [{ hosts = \"app\", path = \"/etc/motd\" }]
exec = [{ hosts = \"web1\", program = \"/usr/bin/id\", args = [] }]
secrets = [{ name = \"token\", reveal = true }, { name = \"key\", hmac = { prefix = \"AWS4\", chain = [] } }]

[[outside]]
read = { path = \"/etc/motd\", answer = { text = \"hello\" } }

[[outside]]
exec = { program = \"/usr/bin/id\", answer = { out = \"root\" } }

[expect]
cases = [{ outcome = \"passed\" }, { outcome = \"passed\" }, { outcome = \"passed\" }, { outcome = \"passed\" }]
";

#[test]
fn grants_of_a_case_are_for_hosts_and_secrets_too() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("tries.js"), TRIES).unwrap();
    let (head, rest) = TRIED.split_once("read = [{").unwrap();
    let outside = rest.split_once("[[outside]]").unwrap().1;
    let cases =
        [("granted.toml", TRIED.to_owned()), ("denied.toml", format!("{head}\n[[outside]]{outside}"))];
    let output = tested(place.path(), "script:tries.js", &cases);
    assert_golden("hook-test-grants-all.txt", &said(&output));
    assert_eq!(output.status.code(), Some(70));
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
    assert_golden("hook-run.txt", &asked(&test));
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    for hook in ["health-check", "router"] {
        let ended = test.cutover(&["hook", "test", hook, &record(hook)]).expect(0);
        assert!(ended.stdout.contains("1 case: all passed"), "{}", ended.stdout);
    }
}

/// What is said of each question that can be asked by hand, and of each that can't.
fn asked(test: &Test) -> String {
    let questions: [&[&str]; 14] = [
        &["health-check", "--of", "blue"],
        &["health-check", "--of", "green"],
        &["checkout"],
        &["router"],
        &["router", "--ask", "features"],
        &["router", "--ask", "connections"],
        &["build", "--ask", "validate"],
        &["build"],
        &["router", "--ask", "apply"],
        &["checkout", "--ask", "observe"],
        &["login"],
        &["health-check", "--host", "web9"],
        &["checkout", "--host", "local"],
        &["router", "--record", "router.toml"],
    ];
    let mut text = String::new();
    for words in questions {
        let ended = test.cutover(&[&["hook", "run", "--color=never"], words].concat());
        text.push_str(&format!("$ cutover hook run {}\n{}\n", words.join(" "), told(test, ended)));
    }
    text
}
