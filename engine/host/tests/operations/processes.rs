//! Processes of the `detached` driver.

use std::time::{Duration, Instant};

use cutover_host::operation::{Answer, FaultKind, Operation, Process, ProcessState};

use crate::stage::{Stage, eventually, shell};

/// Stops what a test started, also when it fails.
struct Stopped<'a>(&'a Stage);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let _ = self.0.perform(Operation::StopProcess { directory: "~/run".to_owned(), grace_ms: 0 });
    }
}

fn process(release: &str, script: &str) -> Operation {
    Operation::StartProcess {
        process: Process {
            directory: "~/run".to_owned(),
            release: release.to_owned(),
            program: shell(script),
            log: "~/log/app.log".to_owned(),
            log_limit: 1000,
        },
    }
}

fn status(stage: &Stage) -> ProcessState {
    match stage.perform(Operation::ProcessStatus { directory: "~/run".to_owned() }) {
        Ok(Answer::Process(state)) => state,
        other => panic!("{other:?}"),
    }
}

fn stop(stage: &Stage, grace_ms: u64) -> Result<Answer, cutover_host::operation::Fault> {
    stage.perform(Operation::StopProcess { directory: "~/run".to_owned(), grace_ms })
}

#[test]
fn a_process_is_started_once_and_stopped_gently() {
    let stage = Stage::new();
    let _stopped = Stopped(&stage);
    assert_eq!(status(&stage), ProcessState::Absent);
    let script = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done";
    let Ok(Answer::Process(first)) = stage.perform(process("r1", script)) else { panic!("does not start") };
    let ProcessState::Running { pid, release, .. } = &first else { panic!("{first:?}") };
    assert_eq!(release, "r1");
    assert_eq!(stage.perform(process("r1", script)), Ok(Answer::Process(first.clone())), "it runs already");
    assert_eq!(stage.fault(process("r2", script)), FaultKind::Conflict);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("runs");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("has a name").1.split(' ').collect();
    assert_eq!(
        (fields[2], fields[3]),
        (pid.to_string().as_str(), pid.to_string().as_str()),
        "a session of its own"
    );
    eventually("says hello", || stage.read("log/app.log") == "cutover: starting release r1\nhello\n");

    let begun = Instant::now();
    assert_eq!(stop(&stage, 10_000), Ok(Answer::Process(ProcessState::Absent)));
    assert!(begun.elapsed() < Duration::from_secs(5));
    // The shell itself may say that its `sleep` was terminated, before or after its own last word.
    let log = || stage.read("log/app.log");
    eventually("logs its end", || log().contains("\nhello\n") && log().lines().any(|line| line == "bye"));
    assert_eq!(stop(&stage, 0), Ok(Answer::Process(ProcessState::Absent)));
    assert!(stage.perform(process("r2", "sleep 60")).is_ok(), "another may start now");
}

#[test]
fn what_ignores_sigterm_is_killed_with_its_children() {
    let stage = Stage::new();
    let _stopped = Stopped(&stage);
    let script = "trap '' TERM; sleep 60 & echo $! > $HOME/child; while :; do sleep 0.05; done";
    stage.perform(process("r1", script)).expect("starts");
    eventually("has a child", || stage.path("child").exists() && stage.read("child").ends_with('\n'));
    let child = stage.read("child").trim().to_owned();
    let begun = Instant::now();
    assert_eq!(stop(&stage, 300), Ok(Answer::Process(ProcessState::Absent)));
    assert!((Duration::from_millis(300)..Duration::from_secs(5)).contains(&begun.elapsed()));
    let alive =
        || std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    eventually("the child is gone", || !alive());
}

#[test]
fn a_process_that_ends_by_itself_says_how() {
    let stage = Stage::new();
    let _stopped = Stopped(&stage);
    stage.perform(process("r1", "echo broken >&2; exit 9")).expect("starts");
    let exited = ProcessState::Exited { status: Some(9), release: "r1".to_owned() };
    eventually("exits", || status(&stage) == exited);
    assert_eq!(stage.read("log/app.log"), "cutover: starting release r1\nbroken\n");
    assert!(matches!(
        stage.perform(process("r2", "sleep 60")),
        Ok(Answer::Process(ProcessState::Running { .. }))
    ));
    let missing = |name: &str| {
        let Operation::StartProcess { mut process } = process("r1", "") else { unreachable!() };
        process.directory = "~/other".to_owned();
        process.program.program = name.to_owned();
        Operation::StartProcess { process }
    };
    assert_eq!(stage.fault(missing("/no/such/app")), FaultKind::NotFound);
}

#[test]
fn nobody_elses_process_is_signalled() {
    let stage = Stage::new();
    let _stopped = Stopped(&stage);
    stage.perform(process("r1", "exit 0")).expect("starts");
    eventually("exits", || matches!(status(&stage), ProcessState::Exited { .. }));
    // As if the host had gone down in the middle, and the number passed to another process. Start times have a grain of 10 ms: no
    // number comes round again within it, but the record below is a forgery.
    std::thread::sleep(Duration::from_millis(30));
    let mut innocent = std::process::Command::new("sleep").arg("60").spawn().expect("runs");
    std::fs::remove_file(stage.path("run/ending.json")).expect("removed");
    let mut record: serde_json::Value = serde_json::from_str(&stage.read("run/record.json")).expect("JSON");
    record["identity"]["pid"] = innocent.id().into();
    stage.write("run/record.json", &record.to_string());
    assert_eq!(status(&stage), ProcessState::Exited { status: None, release: "r1".to_owned() });
    assert_eq!(stop(&stage, 0), Ok(Answer::Process(ProcessState::Absent)));
    assert_eq!(innocent.try_wait().expect("can be asked"), None, "it still runs");
    innocent.kill().and_then(|()| innocent.wait()).expect("ends");
}

#[test]
fn the_log_is_bounded() {
    let stage = Stage::new();
    let _stopped = Stopped(&stage);
    let script = "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); [ $((i % 50)) = 0 ] && sleep 0.02; done; exec sleep 60";
    stage.perform(process("r1", script)).expect("starts");
    // While it is moved away there is none for a moment.
    let written = || std::fs::read_to_string(stage.path("log/app.log")).unwrap_or_default();
    eventually("writes", || written().ends_with("line 299\n"));
    let sizes = ["log/app.log", "log/app.log.1"].map(|name| stage.read(name).len());
    assert!(sizes.iter().sum::<usize>() < 300 * 9 && sizes[0] <= 1000 + 4096, "{sizes:?}");
}
