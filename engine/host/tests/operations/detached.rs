//! Operations that go on when nobody waits.

use std::time::{Duration, Instant};

use cutover_host::operation::{Answer, Detached, Exit, FaultKind, Operation, Program};

use crate::stage::{Stage, eventually, shell};

const STATE: &str = "~/state";

fn begin(stage: &Stage, operation: &str, program: Program) -> Result<Answer, cutover_host::operation::Fault> {
    stage.perform(Operation::Begin { state: STATE.to_owned(), operation: operation.to_owned(), program })
}

fn outcome(stage: &Stage, operation: &str, wait_ms: u64) -> Detached {
    let asked = Operation::Outcome { state: STATE.to_owned(), operation: operation.to_owned(), wait_ms };
    match stage.perform(asked) {
        Ok(Answer::Operation(detached)) => detached,
        other => panic!("{other:?}"),
    }
}

fn record(stage: &Stage, operation: &str) -> serde_json::Value {
    serde_json::from_str(&stage.read(&format!("state/ops/{operation}/record.json"))).expect("JSON")
}

#[test]
fn an_operation_runs_once_and_its_result_stays() {
    let stage = Stage::new();
    assert_eq!(outcome(&stage, "m-1", 0), Detached::NeverBegan);
    let program = || Program {
        input: Some("the input".into()),
        env: vec![("SECRET".to_owned(), "hidden".to_owned())],
        ..shell("cat; echo ran >> $HOME/runs; echo $SECRET >&2; exit 3")
    };
    assert_eq!(begin(&stage, "m-1", program()), Ok(Answer::Operation(Detached::Running)));
    let exit = Exit { status: 3, out: "the input".into(), errors: "hidden\n".into(), truncated: false };
    assert_eq!(outcome(&stage, "m-1", 10_000), Detached::Ended(exit.clone()));
    assert_eq!(begin(&stage, "m-1", program()), Ok(Answer::Operation(Detached::Ended(exit))));
    assert_eq!(stage.read("runs"), "ran\n");
    assert!(!record(&stage, "m-1").to_string().contains("hidden"), "no secret is kept");
}

#[test]
fn beginning_at_the_same_time_begins_once() {
    let stage = Stage::new();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads
                .spawn(|| begin(&stage, "m-1", shell("echo ran >> $HOME/runs; sleep 0.2")).expect("begins"));
        }
    });
    assert!(matches!(outcome(&stage, "m-1", 10_000), Detached::Ended(_)));
    assert_eq!(stage.read("runs"), "ran\n");
}

#[test]
fn what_can_not_run_never_began() {
    let stage = Stage::new();
    let missing = Program { program: "/no/such".to_owned(), ..Program::default() };
    assert_eq!(begin(&stage, "m-1", missing).expect_err("can't run").kind, FaultKind::NotFound);
    assert_eq!(outcome(&stage, "m-1", 0), Detached::NeverBegan);
    for bad in ["", "../x", "a b", "a/b"] {
        assert_eq!(begin(&stage, bad, shell("true")).expect_err(bad).kind, FaultKind::NotAllowed);
    }
}

#[test]
fn what_a_later_holder_shut_out_does_not_begin() {
    let stage = Stage::new();
    stage.perform(Operation::Fence { state: STATE.to_owned(), epoch: 5 }).expect("fenced");
    // As that of a supervisor which was started before, and was slow.
    let fault = begin(&stage, "m-1", shell("touch $HOME/ran")).expect_err("an older epoch");
    assert_eq!(fault.kind, FaultKind::Fenced);
    assert_eq!(outcome(&stage, "m-1", 0), Detached::NeverBegan);
    assert!(!stage.path("ran").exists());
}

#[test]
fn a_killed_supervisor_is_not_taken_for_a_result() {
    let stage = Stage::new();
    begin(&stage, "m-1", shell("touch $HOME/begun; sleep 60")).expect("begins");
    eventually("begins", || stage.path("begun").exists());
    let pid = record(&stage, "m-1")["identity"]["pid"].as_u64().expect("a number");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("runs");
    let supervisor =
        stat.rsplit_once(") ").expect("has a name").1.split(' ').nth(1).expect("has a parent").to_owned();
    let kill = |pid: &str| std::process::Command::new("kill").args(["-9", pid]).status().expect("runs");
    kill(&supervisor);
    eventually("is gone", || {
        !std::path::Path::new(&format!("/proc/{supervisor}")).exists() || {
            std::fs::read_to_string(format!("/proc/{supervisor}/stat"))
                .is_ok_and(|stat| stat.contains(") Z "))
        }
    });
    assert_eq!(outcome(&stage, "m-1", 0), Detached::Running, "the program itself still runs");
    kill(&pid.to_string());
    eventually("is lost", || outcome(&stage, "m-1", 0) == Detached::Lost);
    assert_eq!(
        begin(&stage, "m-1", shell("true")),
        Ok(Answer::Operation(Detached::Lost)),
        "it is not run again"
    );
}

#[test]
fn one_operation_is_ended_alone() {
    let stage = Stage::new();
    for operation in ["one", "two"] {
        begin(&stage, operation, shell(&format!("touch $HOME/{operation}; sleep 60"))).expect("begins");
        eventually("begins", || stage.path(operation).exists());
    }
    let end = |operation: &str| {
        stage.perform(Operation::End { state: STATE.to_owned(), operation: operation.to_owned() })
    };
    for _ in 0..2 {
        let Ok(Answer::Operation(Detached::Ended(exit))) = end("one") else { panic!("has not ended") };
        assert_eq!(exit.status, 143);
    }
    assert_eq!(outcome(&stage, "two", 0), Detached::Running);
    assert_eq!(end("three"), Ok(Answer::Operation(Detached::NeverBegan)));
    end("two").expect("ends");
}

#[test]
fn old_results_are_forgotten_but_for_the_newest() {
    let stage = Stage::new();
    // When it was begun counts, not how it is called.
    for operation in ["01Z-migrate", "01B-migrate", "01C-migrate", "00000000000000000007-start-blue-0"] {
        begin(&stage, operation, shell("true")).expect("begins");
        assert!(matches!(outcome(&stage, operation, 10_000), Detached::Ended(_)));
    }
    begin(&stage, "01A-long", shell("touch $HOME/long; sleep 60")).expect("begins");
    eventually("begins", || stage.path("long").exists());
    let forget = |spare: &str, newest| {
        let (state, spare) = (STATE.to_owned(), spare.to_owned());
        stage.perform(Operation::ForgetOperations { state, spare, newest })
    };
    let left = || match stage.perform(Operation::ListNames { path: format!("{STATE}/ops"), beneath: None }) {
        Ok(Answer::Names(names)) => names,
        other => panic!("{other:?}"),
    };
    assert_eq!(forget("01A", 2), Ok(Answer::Done));
    assert_eq!(left(), ["00000000000000000007-start-blue-0", "01A-long", "01C-migrate"]);
    // What runs is never forgotten, however old.
    for _ in 0..2 {
        assert_eq!(forget("01C", 0), Ok(Answer::Done));
        assert_eq!(left(), ["01A-long", "01C-migrate"]);
    }
    stage.perform(Operation::Reap { state: STATE.to_owned(), epoch: 1 }).expect("ends");
    assert_eq!(forget("01E", 0), Ok(Answer::Done));
    assert_eq!(left(), Vec::<String>::new());
}

#[test]
fn there_is_nothing_to_forget_at_first() {
    let stage = Stage::new();
    let forget = Operation::ForgetOperations { state: STATE.to_owned(), spare: "01A".to_owned(), newest: 0 };
    assert_eq!(stage.perform(forget), Ok(Answer::Done));
}

#[test]
fn operations_of_older_epochs_are_ended() {
    let stage = Stage::new();
    stage.perform(Operation::Fence { state: STATE.to_owned(), epoch: 1 }).expect("fenced");
    let begin = |operation: &str, script: &str| {
        let program = shell(script);
        let operation =
            Operation::Begin { state: STATE.to_owned(), operation: operation.to_owned(), program };
        stage.perform_under(1, operation).expect("begins")
    };
    begin("polite", "trap 'exit 4' TERM; touch $HOME/polite; sleep 60 & wait");
    begin("stubborn", "trap '' TERM; touch $HOME/stubborn; while :; do sleep 0.1; done");
    begin("ended", "touch $HOME/ended");
    eventually("all begin", || ["polite", "stubborn", "ended"].iter().all(|name| stage.path(name).exists()));
    outcome(&stage, "ended", 10_000);
    let reap = |epoch| stage.perform(Operation::Reap { state: STATE.to_owned(), epoch });
    assert_eq!(reap(1), Ok(Answer::Names(Vec::new())), "not those of this epoch");
    let begun = Instant::now();
    assert_eq!(reap(2), Ok(Answer::Names(vec!["polite".to_owned(), "stubborn".to_owned()])));
    assert!(begun.elapsed() < Duration::from_secs(6));
    let status = |operation: &str| {
        let Detached::Ended(exit) = outcome(&stage, operation, 0) else {
            panic!("`{operation}` has not ended")
        };
        exit.status
    };
    assert_eq!((status("polite"), status("stubborn"), status("ended")), (4, 137, 0));
    assert_eq!(reap(3), Ok(Answer::Names(Vec::new())));
}
