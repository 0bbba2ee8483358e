//! A journal supplies state, never authority: what it names beyond the configuration is refused, and nonsense is for a person.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_support::{Behaviour, Test};

use crate::{fleet, local, with_v1};

#[test]
fn a_plan_for_a_host_that_is_not_ours_is_refused() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    let _ = running.kill();
    test.configure("hosts = [\"web1\", \"web2\"]", "hosts = [\"web1\"]");
    let refused = test.cutover(&["resume"]).expect(60);
    assert!(refused.stderr.contains("web2"), "{}", refused.stderr);
    // Nothing was done: what the killed run had switched to still answers.
    assert_eq!(test.live(), "v2 green");
}

/// The state of a deployment that was killed while it watched, to be spoilt.
struct Unfinished {
    test: Test,
    state: PathBuf,
    journal: PathBuf,
    /// Records of the journal, with their times.
    lines: Vec<Value>,
}

impl Unfinished {
    fn new(test: Test) -> Self {
        test.repository.push("v2", Behaviour::Sound);
        let mut running = test.start(&["deploy", "--json"]);
        running.wait_for_step("watch");
        let _ = running.kill();
        let places = ["/var/lib/cutover/shop/default", "/root/.local/state/cutover/shop/default"];
        let state = places.map(|place| test.desk.outside(place)).into_iter().find(|place| place.exists());
        let state = state.expect("a state directory");
        let open: Value = serde_json::from_slice(&fs::read(state.join("open.json")).unwrap()).unwrap();
        let journal = state.join(format!("journal/{}.jsonl", open["deployment"].as_str().unwrap()));
        let text = fs::read_to_string(&journal).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { test, state, journal, lines }
    }

    /// Writes records as a journal whose chain is whole.
    fn write(&self, lines: &[Value]) {
        let name = format!("journal/{}", self.journal.file_name().unwrap().to_str().unwrap());
        let mut prev = digits(name.as_bytes());
        let mut text = String::new();
        for (seq, line) in lines.iter().enumerate() {
            let (at, record) = (&line["at"], &line["record"]);
            let body = format!(r#"{{"version":1,"seq":{seq},"prev":"{prev}","at":{at},"record":{record}"#);
            prev = digits(body.as_bytes());
            text.push_str(&format!("{body},\"hash\":\"{prev}\"}}\n"));
        }
        fs::write(&self.journal, text).unwrap();
    }

    /// Every command that could change something ends so (`resume` and `abort`, then `deploy` and `rollback`), the first ones say
    /// why, and nothing changes.
    fn assert_refused(&self, what: &str, (resumed, begun): (i32, i32), said: &str) {
        let before = self.print();
        for (command, status) in
            [("resume", resumed), ("abort", resumed), ("deploy", begun), ("rollback", begun)]
        {
            let ended = self.test.cutover(&[command]);
            assert_eq!(ended.status, status, "{what}, {command}: {ended:?}");
            let recovers = matches!(command, "resume" | "abort");
            assert!(!recovers || ended.stderr.contains(said), "{what}, {command}: {}", ended.stderr);
            assert_eq!(self.print(), before, "{what}: {command} has changed something");
            for text in [&ended.stdout, &ended.stderr] {
                assert!(!text.contains('\u{1b}'), "{what}, {command}: {text:?}");
                assert!(
                    !text.lines().any(|line| line.trim_start().starts_with("::")),
                    "{what}, {command}: {text}"
                );
            }
        }
        let status = self.test.cutover(&["status"]);
        assert!(!status.stdout.contains('\u{1b}'), "{what}: {status:?}");
        assert_eq!(self.test.live(), "v2 green", "{what}");
    }

    /// All that a deployment changes: files of releases, processes and routing, journal and history; not the lock, which is taken
    /// and freed.
    fn print(&self) -> String {
        let mut text = String::new();
        for place in [self.test.desk.outside("/srv/shop"), self.test.nginx.flags(), self.state.clone()] {
            let listed = Command::new("find")
                .arg(place)
                .args(["-not", "-name", "lock.json", "-not", "-name", "fence", "-not", "-name", "*.log"])
                .args(["-type", "f", "-printf", "%p %s %m %T@\n", "-o", "-type", "l", "-printf", "%p %l\n"])
                .output()
                .unwrap();
            let mut lines: Vec<String> =
                String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect();
            lines.sort();
            text.push_str(&lines.join("\n"));
        }
        text
    }
}

fn digits(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_forged_journal_can_do_nothing() {
    let Some(test) = with_v1(local()) else { return };
    let unfinished = Unfinished::new(test);
    let stop_live = json!({ "do": "stop", "host": "local", "color": "blue" });
    let plan = |forge: &dyn Fn(&mut Value)| {
        let mut lines = unfinished.lines.clone();
        forge(&mut lines[0]["record"]["plan"]);
        lines
    };
    let not_ours = "not one that this configuration leads to";
    let cases: [(&str, Vec<Value>, &str); 9] = [
        (
            "the live colour is stopped on the way back",
            plan(&|plan| plan["stages"][0]["tasks"][0]["undo"] = json!([stop_live])),
            "it would stop blue on `local`",
        ),
        (
            "another host",
            plan(&|plan| plan["stages"][0]["tasks"][0]["action"]["host"] = json!("db1")),
            "on `db1`",
        ),
        ("other work than was done", plan(&|plan| plan["stages"] = json!([])), "can't stand there"),
        ("another command", plan(&|plan| plan["command"] = json!("x\u{1b}[2J\n::error::")), not_ours),
        (
            "a release outside",
            plan(&|plan| plan["release"]["id"] = json!("../../etc")),
            "is not a release identifier",
        ),
        (
            "another deployment",
            plan(&|plan| plan["deployment"] = json!("01ARZ3NDEKTSV4RRFFQ69G5FAV")),
            "its plan is of another deployment",
        ),
        (
            "another order",
            {
                let mut lines = unfinished.lines.clone();
                lines.swap(1, 2);
                lines
            },
            "can't stand there",
        ),
        (
            "a record of its own",
            {
                let mut lines = unfinished.lines.clone();
                lines.push(json!({ "at": 1, "record": { "record": "run", "program": "/bin/sh" } }));
                lines
            },
            "is no record",
        ),
        (
            "the pivot too early",
            {
                let mut lines = unfinished.lines[..3].to_vec();
                lines.push(json!({ "at": 1, "record": { "record": "pivot" } }));
                lines
            },
            "can't stand there",
        ),
    ];
    for (what, lines, said) in cases {
        unfinished.write(&lines);
        // What can't even be read as records says nothing of what has not ended.
        let is_read = !["is no record", "is not a release identifier"].contains(&said);
        unfinished.assert_refused(what, (60, if is_read { 40 } else { 60 }), said);
    }
    unfinished.write(&unfinished.lines);
    let _ = unfinished.test.cutover(&["abort"]).expect(0);
    assert_eq!(unfinished.test.live(), "v1 blue");
}

#[test]
fn nonsense_at_the_home_is_for_a_person() {
    let Some(test) = with_v1(local()) else { return };
    let unfinished = Unfinished::new(test);
    let deep = "[".repeat(100_000);
    let huge = vec![b' '; (24 << 20) + 1];
    let name = unfinished.journal.strip_prefix(&unfinished.state).unwrap().to_owned();
    let sealed = format!("{{\"version\":1,\"seq\":0,\"prev\":\"\",\"at\":1,\"record\":{deep}");
    let sealed = format!("{sealed},\"hash\":\"{}\"}}\n", digits(sealed.as_bytes()));
    let cases: [(&str, &Path, &[u8], &str); 10] = [
        ("no JSON", Path::new("open.json"), b"\x1b[2J\xff", "makes no sense"),
        (
            "a way out",
            Path::new("open.json"),
            br#"{"version":1,"deployment":"../../../../etc/passwd"}"#,
            "is no deployment",
        ),
        ("a number for a name", Path::new("open.json"), br#"{"version":1,"deployment":7}"#, "makes no sense"),
        ("depth", Path::new("open.json"), deep.as_bytes(), "makes no sense"),
        ("depth", &name, sealed.as_bytes(), "is no record"),
        ("a huge journal", &name, &huge, "25165824 bytes"),
        ("a huge small file", Path::new("live.json"), &huge[..2 << 20], "1048576 bytes"),
        ("no record", Path::new("live.json"), b"{\"version\":1}", "makes no sense"),
        (
            "an odd release",
            Path::new("live.json"),
            br#"{"version":1,"generation":1,"live":{"color":"red","release":{"id":".."}}}"#,
            "makes no sense",
        ),
        ("no history", Path::new("history.jsonl"), b"{}\n{}\n{}\n", "damaged"),
    ];
    for (what, file, content, said) in cases {
        let path = unfinished.state.join(file);
        let kept = fs::read(&path).unwrap();
        fs::write(&path, content).unwrap();
        // What is whole and no record was forged.
        let status = if said == "is no record" { 60 } else { 40 };
        unfinished.assert_refused(&format!("{what} in {}", file.display()), (status, status), said);
        fs::write(&path, kept).unwrap();
    }
    // What the host itself can't read keeps anything from being begun.
    type Case<'a> = (&'a str, &'a [u8], (i32, i32), &'a str);
    let cases: [Case<'_>; 4] = [
        ("lineage", b"{}", (40, 40), "makes no sense"),
        ("lock.json", b"{\"epoch\":-1}", (11, 11), "is not what cutover wrote there"),
        ("lock.json", &huge[..3 << 20], (11, 11), "is not what cutover wrote there"),
        // Whoever does not take the lock does not meet it.
        ("fence", b"x", (11, 40), "is not what cutover wrote there"),
    ];
    for (file, content, statuses, said) in cases {
        let path = unfinished.state.join(file);
        let kept = fs::read(&path).unwrap();
        fs::write(&path, content).unwrap();
        unfinished.assert_refused(&format!("nonsense in {file}"), statuses, said);
        fs::write(&path, kept).unwrap();
    }
    let _ = unfinished.test.cutover(&["abort"]).expect(0);
    assert_eq!(unfinished.test.live(), "v1 blue");
}
