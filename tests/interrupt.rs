//! Ctrl-C: nothing is left half done.

use std::time::Duration;

use rustix::process::Signal;
use test_support::{Behaviour, Ended, Load, Running, Test, eventually, get};

use crate::{fleet, local, with_v1};

fn interrupt_at(test: &Test, step: &str, behaviour: Behaviour) -> Ended {
    test.repository.push("v2", behaviour);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step(step);
    running.press_ctrl_c();
    let ended = running.finish();
    told_as_interrupted(&ended, step);
    ended
}

/// The step is told to be interrupted, nothing is told to have failed, and each step that began has ended once.
#[track_caller]
fn told_as_interrupted(ended: &Ended, step: &str) {
    let events = ended.events();
    let of = |kind: &str| -> Vec<&str> {
        let found = events.iter().filter(|event| event["event"] == kind);
        found.map(|event| event["step"].as_str().unwrap()).collect()
    };
    let (mut begun, mut over) = (of("step-started"), of("step-ended"));
    begun.sort_unstable();
    over.sort_unstable();
    assert_eq!(begun, over, "{}", ended.stdout);
    let ends: Vec<_> = events.iter().filter(|event| event["event"] == "step-ended").collect();
    assert!(ends.iter().all(|event| event["end"] != "failed"), "{}", ended.stdout);
    let own = ends.iter().find(|event| event["step"] == step).unwrap();
    assert_eq!(own["end"], "interrupted", "{own}");
    assert_eq!(own["summary"], "interrupted by SIGINT", "{own}");
    let last = events.last().unwrap();
    assert_eq!(last["code"], "deploy/interrupted", "{last}");
}

#[test]
fn in_the_build_nothing_was_changed() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("run = [[\"cp\"", "run = [[\"sleep\", \"30\"], [\"cp\"");
    let begun = std::time::Instant::now();
    let ended = interrupt_at(&test, "build", Behaviour::Sound).expect(20);
    assert!(begun.elapsed().as_secs() < 20, "the build went on");
    assert_eq!(ended.last_event()["outcome"], "nothing-changed");
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn before_the_switch_the_service_is_untouched() {
    let Some(test) = with_v1(local()) else { return };
    let load = test.load();
    let ended = interrupt_at(&test, "health", Behaviour::NeverHealthy).expect(20);
    let told: Vec<_> = ended.events().into_iter().filter(|event| event["event"] == "interrupted").collect();
    assert_eq!(told.len(), 1, "{}", ended.stdout);
    assert_eq!(
        (&told[0]["signal"], &told[0]["text"]),
        (&"SIGINT".into(), &"all is put back; a second signal leaves at once".into())
    );
    assert_eq!(ended.last_event()["event"], "ended");
    assert_eq!(ended.last_event()["outcome"], "rolled-back");
    assert_eq!(test.live(), "v1 blue");
    assert!(get("127.0.0.1", test.ports().1, "/up").is_err(), "the new release still runs");
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(tally.order.len(), 1);
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
}

#[test]
fn after_the_switch_it_switches_back() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"60s\"");
    let load = test.load();
    let ended = interrupt_at(&test, "watch", Behaviour::Sound).expect(20);
    assert_eq!(ended.last_event()["outcome"], "rolled-back");
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

/// One Ctrl-C has come, and the way back waits for an instance that does not end when it is asked to.
fn on_a_long_way_back() -> Option<(Test, Load, Running)> {
    let mut test = with_v1(local())?;
    test.configure("watch = \"2s\"", "watch = \"60s\"")
        .configure("stop-timeout = \"2s\"", "stop-timeout = \"60s\"");
    let load = test.load();
    test.repository.push("v2", Behaviour::IgnoresStop);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    running.press_ctrl_c();
    running.wait_for("word of it", |event| event["event"] == "interrupted");
    eventually("the traffic is back", Duration::from_secs(5), || (test.live() == "v1 blue").then_some(()));
    Some((test, load, running))
}

/// Nothing is decided yet, nobody holds the lock, and one command finishes.
fn is_left_for_later(mut test: Test, load: Load, ended: Ended) {
    let last = ended.expect(21).last_event();
    assert_eq!(
        (&last["outcome"], &last["code"]),
        (&"unfinished".into(), &"deploy/interrupted".into()),
        "{last}"
    );
    let status = test.cutover(&["status", "--json"]).last_event();
    assert_eq!(status["lock"]["state"], "free", "{status}");
    test.configure("stop-timeout = \"60s\"", "stop-timeout = \"2s\"");
    let _ = test.cutover(&["resume"]).expect(20);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_way_back_that_takes_longer_than_ci_waits_is_left_for_later() {
    let Some((test, load, running)) = on_a_long_way_back() else { return };
    is_left_for_later(test, load, running.finish());
}

#[test]
fn a_second_signal_leaves_at_once() {
    let Some((test, load, running)) = on_a_long_way_back() else { return };
    running.press_ctrl_c();
    let begun = std::time::Instant::now();
    let ended = running.finish();
    assert!(begun.elapsed().as_secs() < 4, "it took its time: {ended:?}");
    is_left_for_later(test, load, ended);
}

#[test]
fn after_the_pivot_it_goes_forward() {
    let Some(test) = with_v1(local()) else { return };
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for("pivot", |event| event["event"] == "pivot");
    running.signal(Signal::INT);
    let ended = running.finish();
    assert!([0, 21].contains(&ended.status), "{ended:?}");
    let _ = test.cutover(&["resume"]);
    assert_eq!(test.live(), "v2 green");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn whoever_only_looks_is_let_go_at_once() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let Some(cables) = test.cables() else { return };
    cables.pull(&["web1"]);
    for command in ["status", "history"] {
        let running = test.start(&[command, "--json"]);
        // Its handlers are there long before; the host does not answer for longer.
        std::thread::sleep(Duration::from_secs(2));
        let begun = std::time::Instant::now();
        running.signal(Signal::INT);
        let ended = running.finish();
        if command == "status" {
            assert!(begun.elapsed().as_secs() < 3, "it went on asking: {ended:?}");
            assert_eq!(ended.status, 20, "{ended:?}");
        } else {
            // The home is another host.
            assert_eq!(ended.status, 0, "{ended:?}");
        }
    }
}

#[test]
fn the_other_signals_and_a_shell_around_it_do_the_same() {
    let Some(test) = with_v1(local()) else { return };
    for signal in [Signal::TERM, Signal::HUP] {
        test.repository.push("v2", Behaviour::NeverHealthy);
        let mut running = test.start(&["deploy", "--json"]);
        running.wait_for_step("health");
        running.signal(signal);
        let ended = running.finish().expect(20);
        assert_eq!(ended.last_event()["outcome"], "rolled-back", "{signal:?}");
    }
    // A terminal sends Ctrl-C to the whole group, the shell included.
    let _ = test.command(&[]);
    let mut shell = test.desk.command("bash", &test.directory());
    shell.arg("-c").arg(format!("{} deploy --json; echo status=$?", test.program().display()));
    let mut running = Running::start(&test.desk, shell);
    running.wait_for_step("health");
    running.signal_group(Signal::INT);
    let ended = running.finish();
    assert!(ended.stdout.contains("\"outcome\":\"rolled-back\""), "{ended:?}");
    assert_eq!(test.live(), "v1 blue");
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
}

#[test]
fn an_output_that_nobody_reads_any_more_ends_nothing() {
    let Some(test) = with_v1(local()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let _ = test.command(&[]);
    let mut shell = test.desk.command("bash", &test.directory());
    let run = format!("({} deploy 2>&1; echo status=$? > /srv/end) | head -n 1", test.program().display());
    shell.arg("-c").arg(run);
    let ended = Running::start(&test.desk, shell).finish();
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    let end = test.desk.outside("/srv/end");
    eventually("the end of a run", Duration::from_secs(60), || end.exists().then_some(()));
    assert_eq!(std::fs::read_to_string(end).unwrap(), "status=0\n");
    assert_eq!(test.live(), "v2 green");
}
