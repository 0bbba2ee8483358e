//! A sandbox that ends or lies is the failure of its hook, and nothing is left of it.

use cutover::model::HookKind;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cutover::hook::{Confinement, HookFailure};
use cutover::model::Health;
use serde_json::json;

use super::stage::{Stage, call, hook, instance, nothing, stranger};

/// A program that writes down its process and becomes a sandbox.
fn noted(stage: &Stage) -> (PathBuf, PathBuf) {
    let (script, note) = (stage.place.path().join("sandbox"), stage.place.path().join("pids"));
    let text = format!(
        "#!/bin/sh\necho $$ >> '{}'\nexec '{}' \"$@\"\n",
        note.display(),
        env!("CARGO_BIN_EXE_cutover")
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    (script, note)
}

fn last_pid(note: &Path) -> u32 {
    fs::read_to_string(note).unwrap().lines().last().unwrap().parse().unwrap()
}

fn runs(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn one_that_is_killed_fails_its_question_and_the_next_one_is_answered() {
    let stage = Stage::new();
    let (script, note) = noted(&stage);
    let hook = hook(json!({"do": "sleep"}), nothing(), Duration::from_secs(3));
    let pool = stage.pool_of(script, Some(stage.cache()));
    let hook = pool.load(&hook, HookKind::HealthCheck, stranger(), &stage).await.unwrap();
    let first = last_pid(&note);
    let (call, instance) = (call(Vec::new()), instance(1));
    let asked = hook.check_health(&call, &instance, stage.access());
    let killed = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(first.cast_signed()).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
    };
    let (answer, ()) = tokio::join!(asked, killed);
    match answer.result {
        Err(HookFailure::Died(text)) => {
            assert!(text.starts_with("the sandbox was killed by signal 9"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    let answer = hook.check_health(&call, &instance, stage.access()).await;
    assert_eq!(answer.result, Err(HookFailure::TimedOut(Duration::from_secs(3))));
    let second = last_pid(&note);
    assert_ne!(first, second);
    drop(hook);
    for _ in 0..100 {
        if !runs(second) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the sandbox outlives its hook");
}

#[tokio::test]
async fn it_holds_nothing_open_and_knows_nothing() {
    let stage = Stage::new();
    let (script, note) = noted(&stage);
    // A handle that this process would hand down to every child.
    let inherited = fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
    let hook = hook(json!({"do": "answer"}), nothing(), Duration::from_secs(5));
    let pool = stage.pool_of(script, Some(stage.cache()));
    let hook = pool.load(&hook, HookKind::HealthCheck, stranger(), &stage).await.unwrap();
    let answer = hook.check_health(&call(Vec::new()), &instance(1), stage.access()).await;
    assert_eq!(answer.result, Ok(Health::Starting("answered".to_owned())));

    let process = PathBuf::from(format!("/proc/{}", last_pid(&note)));
    let mut open: Vec<String> = fs::read_dir(process.join("fd"))
        .unwrap()
        .map(|entry| fs::read_link(entry.unwrap().path()).unwrap().to_str().unwrap().to_owned())
        .map(|target| target.split(':').next().unwrap().trim_start_matches('/').to_owned())
        .collect();
    open.sort();
    open.dedup();
    // The code (and what the runtime maps of it), standard error, and the socket to the engine.
    assert_eq!(open, ["memfd", "pipe", "socket"]);
    let status = fs::read_to_string(process.join("status")).unwrap();
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    // What Landlock takes away can't be seen from outside; a test beside it does.
    let filtered = if Confinement::of_this_machine().seccomp { 2 } else { 0 };
    assert!(status.contains(&format!("Seccomp:\t{filtered}")), "{status}");
    let limits = fs::read_to_string(process.join("limits")).unwrap();
    assert!(limits.contains("Max data size             536870912            536870912"), "{limits}");
    assert!(limits.contains("Max core file size        0                    0"), "{limits}");
    // What the shell of this test's own script adds.
    let environment = fs::read_to_string(process.join("environ")).unwrap();
    let foreign = environment.split('\0').filter(|one| !one.is_empty() && !one.starts_with("PWD="));
    assert_eq!(foreign.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn programs_that_are_no_sandbox() {
    let stage = Stage::new();
    for (program, expected) in [
        (
            "/bin/true",
            "hook/not-compiled: hook `stranger` can't be compiled: the sandbox ended with status 0",
        ),
        ("/bin/cat", "hook/not-compiled: hook `stranger` can't be compiled: the sandbox "),
        (
            "/nowhere",
            "hook/no-sandbox: the sandbox of hook `stranger` can't be started: No such file or directory",
        ),
    ] {
        let hook = hook(json!({"do": "answer"}), nothing(), Duration::from_secs(5));
        let loaded =
            stage.pool_of(program.into(), None).load(&hook, HookKind::Router, stranger(), &stage).await;
        let fault = loaded.unwrap_err();
        let text = format!("{}: {fault}", fault.code());
        assert!(text.starts_with(expected), "{text}");
    }
}
