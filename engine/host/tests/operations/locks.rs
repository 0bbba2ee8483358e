//! Lock, fence and guard.

use std::io::{ErrorKind, Read as _};
use std::net::TcpListener;
use std::sync::Arc;

use cutover_host::operation::{Answer, FaultKind, Guard, Lock, LockHolder, Operation, Turn};

use crate::stage::{Stage, Streams};

const STATE: &str = "~/state";

fn holder(deployment: &str) -> LockHolder {
    LockHolder {
        who: "ada@laptop".to_owned(),
        deployment: deployment.to_owned(),
        command: "deploy".to_owned(),
        process: None,
    }
}

fn take(deployment: &str, steal: Option<u64>) -> Operation {
    Operation::TakeLock { state: STATE.to_owned(), holder: holder(deployment), steal }
}

fn lock(answer: Result<Answer, cutover_host::operation::Fault>) -> Lock {
    match answer {
        Ok(Answer::Lock(lock)) => lock,
        other => panic!("{other:?}"),
    }
}

fn read(stage: &Stage) -> Lock {
    lock(stage.perform(Operation::ReadLock { state: STATE.to_owned() }))
}

#[test]
fn the_lock_is_taken_stolen_and_freed_and_the_epoch_only_grows() {
    let stage = Stage::new();
    let free = |epoch| Operation::FreeLock { state: STATE.to_owned(), epoch };
    assert_eq!(read(&stage), Lock { version: 1, ..Lock::default() });
    let first = lock(stage.perform(take("one", None)));
    assert_eq!((first.epoch, first.holder.as_ref()), (1, Some(&holder("one"))));

    let fault = stage.perform(take("two", None)).expect_err("is held");
    assert_eq!(fault.kind, FaultKind::Held);
    assert_eq!(fault.message, "the lock is held by ada@laptop (deploy, deployment one, epoch 1, at step ``)");
    assert_eq!(stage.fault(take("two", Some(7))), FaultKind::Held, "another epoch");
    assert_eq!(lock(stage.perform(take("two", Some(1)))).epoch, 2);

    let renew = |epoch| Operation::RenewLock { state: STATE.to_owned(), epoch, step: "health".to_owned() };
    assert_eq!(stage.fault(renew(1)), FaultKind::Fenced);
    assert_eq!(lock(stage.perform(renew(2))).step, "health");
    assert_eq!(stage.fault(free(1)), FaultKind::Fenced);
    let freed = lock(stage.perform(free(2)));
    assert_eq!((freed.epoch, freed.holder), (3, None));
    assert_eq!(stage.fault(free(2)), FaultKind::Fenced, "freed already");
    assert_eq!(stage.fault(renew(3)), FaultKind::Fenced, "nobody holds it");
    assert_eq!(lock(stage.perform(take("three", None))).epoch, 4);
    let mode = |name: &str| {
        let found = std::fs::metadata(stage.path(name)).expect("is there");
        std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o7777
    };
    assert_eq!(
        ["state", "state/lock.json", "state/fence", "state/mutex"].map(mode),
        [0o700, 0o600, 0o600, 0o600]
    );
}

#[test]
fn a_holder_that_the_fence_has_left_behind_holds_nothing() {
    let stage = Stage::new();
    assert_eq!(lock(stage.perform(take("one", None))).epoch, 1);
    assert_eq!(stage.fault(take("two", None)), FaultKind::Held);
    assert_eq!(stage.perform(Operation::Fence { state: STATE.to_owned(), epoch: 7 }), Ok(Answer::Done));
    assert_eq!(lock(stage.perform(take("two", None))).epoch, 8);
}

#[test]
fn nobody_takes_the_lock_where_the_state_was_moved_away() {
    let stage = Stage::new();
    assert_eq!(lock(stage.perform(take("one", None))).epoch, 1);
    stage.write("state/lineage", r#"{"version":1,"lineage":"01ARZ3NDEKTSV4RRFFQ69G5FAV","moved-to":"lb2"}"#);
    for steal in [None, Some(1)] {
        let fault = stage.perform(take("two", steal)).expect_err("it was moved");
        assert_eq!(fault.kind, FaultKind::Moved);
        assert!(fault.message.ends_with("/state` was moved to `lb2`"), "{fault}");
    }
    stage.write("state/lineage", r#"{"version":1,"lineage":"01ARZ3NDEKTSV4RRFFQ69G5FAV","home":true}"#);
    assert_eq!(lock(stage.perform(take("two", Some(1)))).epoch, 2);
}

#[test]
fn a_change_under_an_old_epoch_does_not_happen() {
    let stage = Stage::new();
    let fence = |epoch| Operation::Fence { state: STATE.to_owned(), epoch };
    let write =
        || Operation::Write { path: "~/file".to_owned(), beneath: None, content: "x".into(), mode: None };
    assert_eq!(stage.perform_under(1, write()).expect_err("never fenced").kind, FaultKind::Fenced);
    assert_eq!(stage.perform(fence(5)), Ok(Answer::Done));
    assert_eq!(stage.perform(fence(5)), Ok(Answer::Done));
    assert_eq!(stage.fault(fence(4)), FaultKind::Fenced);
    for epoch in [4, 6] {
        let fault = stage.perform_under(epoch, write()).expect_err("fenced");
        assert_eq!(fault.kind, FaultKind::Fenced);
        assert!(fault.message.ends_with(&format!("is fenced: epoch 5 holds it, not {epoch}")), "{fault}");
    }
    assert!(!stage.path("file").exists());
    assert_eq!(stage.perform_under(5, write()), Ok(Answer::Done));
}

#[test]
fn a_program_under_way_keeps_nobody_out_but_the_next_holder() {
    let stage = Arc::new(Stage::new());
    assert_eq!(lock(stage.perform(take("one", None))).epoch, 1);
    let busy = Arc::clone(&stage);
    let change = std::thread::spawn(move || {
        let program = crate::stage::shell("touch $HOME/begun; sleep 0.6; touch $HOME/done");
        busy.perform_under(1, Operation::Run { program })
    });
    crate::stage::eventually("begins", || stage.path("begun").exists());
    let renew = Operation::RenewLock { state: STATE.to_owned(), epoch: 1, step: "smoke".to_owned() };
    assert_eq!(lock(stage.perform(renew)).step, "smoke");
    let append = Operation::Append { path: "~/journal".to_owned(), at: 0, content: "x".into() };
    assert_eq!(stage.perform_under(1, append), Ok(Answer::Done));
    let takers = ["two", "three", "four"].map(|deployment| {
        let stage = Arc::clone(&stage);
        std::thread::spawn(move || stage.perform(take(deployment, Some(1))).is_ok())
    });
    let taken = takers.map(|taker| taker.join().expect("joins"));
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    assert_eq!(read(&stage).epoch, 2);
    assert!(!stage.path("done").exists(), "none of all this waited for the program");

    assert_eq!(stage.perform(Operation::Fence { state: STATE.to_owned(), epoch: 2 }), Ok(Answer::Done));
    assert!(stage.path("done").exists(), "what is nearly done is waited for");
    assert!(change.join().expect("joins").is_ok());
}

#[test]
fn a_program_of_an_old_epoch_ends_before_the_fence_is_up() {
    let stage = Arc::new(Stage::new());
    assert_eq!(lock(stage.perform(take("one", None))).epoch, 1);
    let busy = Arc::clone(&stage);
    let change = std::thread::spawn(move || {
        let program = crate::stage::shell("touch $HOME/begun; sleep 60; touch $HOME/done");
        busy.perform_under(1, Operation::Run { program })
    });
    crate::stage::eventually("begins", || stage.path("begun").exists());
    assert_eq!(stage.perform(Operation::Fence { state: STATE.to_owned(), epoch: 2 }), Ok(Answer::Done));
    assert_eq!(change.join().expect("joins").expect_err("was cut off").kind, FaultKind::Fenced);
    assert!(!stage.path("done").exists());
}

#[test]
fn a_connection_of_an_old_epoch_is_cut_before_the_fence_is_up() {
    let stage = Stage::new();
    assert_eq!(lock(stage.perform(take("one", None))).epoch, 1);
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("has one").port();
    let relay = || Operation::Relay { address: "127.0.0.1".to_owned(), port, connect_ms: 2000 };
    let streams = Streams::open();
    std::thread::scope(|threads| {
        let relaying = threads.spawn(|| stage.perform_with(relay(), Some(1), &streams));
        let (mut peer, _) = listener.accept().expect("accepts");
        streams.push(b"half of ");
        let mut half = [0; 8];
        peer.read_exact(&mut half).expect("reads");
        assert_eq!(stage.perform(Operation::Fence { state: STATE.to_owned(), epoch: 2 }), Ok(Answer::Done));
        streams.push(b"a request");
        streams.close();
        let mut rest = Vec::new();
        // However it ended: nothing more came.
        let _ = peer.read_to_end(&mut rest);
        assert_eq!((&half, rest), (b"half of ", Vec::new()));
        let fault = relaying.join().expect("joins").expect_err("was cut off");
        assert_eq!(fault.kind, FaultKind::Fenced);
    });
    listener.set_nonblocking(true).expect("is set");
    assert_eq!(stage.perform_under(1, relay()).expect_err("too late").kind, FaultKind::Fenced);
    assert_eq!(listener.accept().expect_err("nobody comes").kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_turn_that_is_over_keeps_its_holder_out_though_the_lock_is_held() {
    let stage = Arc::new(Stage::new());
    assert_eq!(lock(stage.perform(take("one", None))).epoch, 1);
    let turn = |operation: fn(String) -> Operation| stage.perform(operation("~/.router".to_owned()));
    let taken = turn(|state| Operation::TakeLock { state, holder: holder("one"), steal: None });
    assert_eq!(lock(taken).epoch, 1);
    let in_turn = |stage: &Stage, epoch, operation| {
        let turn = Some(Turn { state: "~/.router".to_owned(), epoch });
        stage.perform_guarded(Guard { state: STATE.to_owned(), epoch: 1, turn }, operation)
    };
    let write =
        || Operation::Write { path: "~/site".to_owned(), beneath: None, content: "x".into(), mode: None };
    assert_eq!(in_turn(&stage, 1, write()), Ok(Answer::Done));

    let busy = Arc::clone(&stage);
    let change = std::thread::spawn(move || {
        let program = crate::stage::shell("touch $HOME/begun; sleep 60; touch $HOME/done");
        in_turn(&busy, 1, Operation::Run { program })
    });
    crate::stage::eventually("begins", || stage.path("begun").exists());
    // Another application takes the turn over; what was begun in the old one ends before it goes on.
    let taken = turn(|state| Operation::TakeLock { state, holder: holder("two"), steal: Some(1) });
    assert_eq!(lock(taken).epoch, 2);
    assert_eq!(turn(|state| Operation::Fence { state, epoch: 2 }), Ok(Answer::Done));
    assert_eq!(change.join().expect("joins").expect_err("was cut off").kind, FaultKind::Fenced);
    assert!(!stage.path("done").exists());

    let late = in_turn(&stage, 1, write()).expect_err("its turn is over");
    assert_eq!(late.kind, FaultKind::Fenced);
    assert!(late.message.ends_with("/.router` is fenced: epoch 2 holds it, not 1"), "{late}");
    // The lock of its application is untouched by all that.
    assert_eq!(stage.perform_under(1, write()), Ok(Answer::Done));
}
