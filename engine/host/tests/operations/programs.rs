//! Programs that run while the engine waits.

use std::time::{Duration, Instant};

use cutover_host::operation::{Answer, Exit, FaultKind, Operation, Program};

use crate::stage::{Stage, Streams, eventually, shell};

fn run(stage: &Stage, program: Program) -> Exit {
    match stage.perform(Operation::Run { program }) {
        Ok(Answer::Exited(exit)) => exit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_environment_is_fixed_and_files_come_before_what_is_given() {
    let stage = Stage::new();
    stage.write("env", "SECRET='from file'\nBOTH=file\n");
    let program = Program {
        env: vec![("BOTH".to_owned(), "given".to_owned())],
        env_files: vec![stage.text("env")],
        ..shell("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort; pwd")
    };
    let home = stage.scratch.path().display().to_string();
    let user = cutover_host::Account::of_process(None, None).user;
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let expected = format!(
        "BOTH=given\nHOME={home}\nLANG=C.UTF-8\nPATH={path}\nSECRET=from file\nUSER={user}\n{home}\n"
    );
    assert_eq!(run(&stage, program).out.to_text(), expected);
    let missing = Program { env_files: vec![stage.text("nothing")], ..shell("true") };
    assert_eq!(stage.fault(Operation::Run { program: missing }), FaultKind::NotFound);
}

#[test]
fn ends_are_told_exactly() {
    let stage = Stage::new();
    assert_eq!(
        run(&stage, shell("echo out; echo err >&2; exit 7")),
        Exit { status: 7, out: "out\n".into(), errors: "err\n".into(), truncated: false }
    );
    assert_eq!(run(&stage, shell("kill -9 $$")).status, 137);
    let program = Program { output_limit: 10, ..shell("printf 0123456789abcdef") };
    let exit = run(&stage, program);
    assert_eq!((exit.out.to_text().as_str(), exit.truncated), ("01234bcdef", true));
    let echo = Program { input: Some("x".repeat(300_000).into()), output_limit: 1 << 20, ..shell("cat") };
    assert_eq!(run(&stage, echo).out.0.len(), 300_000);
    let ignores = Program { input: Some("x".repeat(300_000).into()), ..shell("exit 0") };
    assert_eq!(run(&stage, ignores).status, 0);
}

#[test]
fn what_can_not_run_is_told() {
    let stage = Stage::new();
    stage.write("plain", "not a program");
    let named = |program: &str| Operation::Run {
        program: Program { program: program.to_owned(), ..Program::default() },
    };
    assert_eq!(stage.fault(named("no-such-program")), FaultKind::NotFound);
    assert_eq!(stage.fault(named("/no/such/program")), FaultKind::NotFound);
    assert_eq!(stage.fault(named("./relative")), FaultKind::NotAllowed);
    assert_eq!(stage.fault(named(&stage.text("plain"))), FaultKind::Permission);
    let nowhere = Program { directory: Some("/no/such".to_owned()), ..shell("true") };
    assert_eq!(stage.fault(Operation::Run { program: nowhere }), FaultKind::NotFound);
}

#[test]
fn the_deadline_kills_the_whole_group() {
    let stage = Stage::new();
    let script = format!("sleep 60 & echo $! > {}; sleep 60", stage.text("pid"));
    let call = cutover_host::operation::Call {
        id: 1,
        guard: None,
        deadline_ms: Some(300),
        operation: Operation::Run { program: shell(&script) },
    };
    let begun = Instant::now();
    let fault = stage.host.perform(&call, &Streams::default()).expect_err("takes too long");
    assert_eq!(fault.kind, FaultKind::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(5));
    let pid = stage.read("pid").trim().to_owned();
    let alive =
        || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    eventually("its child ends", || !alive());
}

#[test]
fn a_descendant_that_keeps_the_output_open_holds_nobody_up() {
    let stage = Stage::new();
    let begun = Instant::now();
    let exit = run(&stage, shell("sleep 5 & echo started"));
    assert_eq!((exit.status, exit.out.to_text().as_str()), (0, "started\n"));
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_stream_passes_both_ways() {
    let stage = Stage::new();
    let streams = Streams::open();
    std::thread::scope(|threads| {
        let program = shell("read line; echo got $line; echo oops >&2; cat");
        let running = threads.spawn(|| stage.perform_with(Operation::Stream { program }, None, &streams));
        streams.push(b"hello\n");
        eventually("answers", || streams.out_text() == "got hello\n");
        streams.push(b"more");
        streams.close();
        assert_eq!(running.join().expect("joins"), Ok(Answer::Exited(Exit::default())));
    });
    assert_eq!((streams.out_text().as_str(), streams.errors_text().as_str()), ("got hello\nmore", "oops\n"));
}

#[test]
fn giving_up_ends_a_program_that_does_not_read() {
    let stage = Stage::new();
    let streams = Streams::open();
    std::thread::scope(|threads| {
        let operation = Operation::Stream { program: shell("echo begun; sleep 60") };
        let running = threads.spawn(|| stage.perform_with(operation, None, &streams));
        eventually("begins", || streams.out_text() == "begun\n");
        (0..10).for_each(|_| streams.push(&[0; 60_000]));
        streams.cancelled.raise();
        streams.close();
        assert!(running.join().expect("joins").is_err());
    });
}
