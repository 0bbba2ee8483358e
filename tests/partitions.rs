//! Connections break, wires go dead, holders of the lock sleep: what the rest of the fleet sees of it.

use std::time::Duration;

use rustix::process::Signal;
use test_support::Behaviour;

use crate::{fleet, with_v1};

/// Steps of a second deployment during which something is done on a host, or waited for.
const STEPS: [&str; 10] =
    ["preflight", "stage", "migrate", "start", "health", "smoke", "switch", "watch", "drain", "retire"];

#[test]
fn a_connection_that_breaks_at_any_step_is_made_again() {
    let Some(mut test) = with_v1(fleet()) else { return };
    // No answer to it may be missed, nor may it be asked for again.
    let migrate = r#"migrate = ["sh", "-c", "sleep 0.3 && head -n 1 behaviour >> /root/migrated"]"#;
    test.configure("listen = \"{address}\"", &format!("listen = \"{{address}}\"\n{migrate}"));
    let wires = ["web1", "lb1"].map(|host| test.wire(host));
    let load = test.load();
    for step in STEPS {
        let version = format!("cut-at-{step}");
        test.repository.push(&version, Behaviour::Sound);
        let mut running = test.start(&["deploy", "--json"]);
        running.wait_for_step(step);
        wires.iter().for_each(test_support::Relay::cut);
        let ended = running.finish().expect(0);
        assert_eq!(ended.last_event()["outcome"], "deployed", "{step}: {}", ended.stdout);
        assert!(test.live().starts_with(&format!("{version} ")), "{step}: {}", test.live());
    }
    let migrated = std::fs::read_to_string(test.machine("web1").outside("/root/migrated")).unwrap();
    let expected: String = STEPS.iter().map(|step| format!("version = cut-at-{step}\n")).collect();
    assert_eq!(migrated, expected);
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn cables_that_were_out_for_a_moment_are_not_noticed() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let Some(cables) = test.cables() else { return };
    let load = test.load();
    for step in ["stage", "start", "switch", "watch"] {
        let version = format!("out-at-{step}");
        test.repository.push(&version, Behaviour::Sound);
        let mut running = test.start(&["deploy", "--json"]);
        running.wait_for_step(step);
        cables.pull(&["web1", "lb1"]);
        std::thread::sleep(Duration::from_secs(3));
        cables.plug(&["web1", "lb1"]);
        let ended = running.finish().expect(0);
        assert_eq!(ended.last_event()["outcome"], "deployed", "{step}: {}", ended.stdout);
    }
    load.finish().assert_none_failed();
}

/// Nobody frees the lock, and no clock of the one who is cut off is asked.
#[test]
fn whoever_is_cut_off_is_followed_within_75_seconds_and_changes_nothing_any_more() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let Some(cables) = test.cables() else { return };
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    let all = ["web1", "web2", "lb1"];
    cables.pull(&all);
    cables.go_elsewhere(&mut test);
    // By other addresses it is the same hosts.
    let _ = test.cutover(&["resume", "--lock-wait", "75s", "--accept-changes"]).expect(10);
    assert_eq!(test.live(), "v1 blue");
    cables.plug(&all);
    // It has given up, or is told by the first host that it reaches.
    let cut_off = running.finish();
    assert!([21, 31].contains(&cut_off.status), "{cut_off:?}");
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn wires_that_are_slow_and_lose_much_cost_time_and_nothing_else() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let wires = ["web1", "web2", "lb1"].map(|host| test.wire(host));
    wires.iter().for_each(|wire| wire.worsen(Duration::from_millis(20)));
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_holder_that_slept_through_its_lock_changes_nothing() {
    let Some(test) = with_v1(fleet()) else { return };
    let load = test.load();
    for step in ["stage", "start", "health", "switch", "watch", "retire"] {
        let before = test.live();
        test.repository.push(&format!("slept-at-{step}"), Behaviour::Sound);
        let mut sleeper = test.start(&["deploy", "--json"]);
        sleeper.wait_for_step(step);
        sleeper.signal(Signal::STOP);
        let held = test.cutover(&["status", "--json"]).last_event();
        let epoch = held["lock"]["epoch"].as_u64().unwrap().to_string();
        let _ = test.cutover(&["unlock", "--epoch", &epoch, "-y"]).expect(0);
        let resumed = test.cutover(&["resume"]);
        assert!([0, 10, 11, 20].contains(&resumed.status), "{step}: {resumed:?}");
        let live = test.live();
        sleeper.signal(Signal::CONT);
        let _ = sleeper.finish().expect(31);
        assert_eq!(test.live(), live, "{step}: was {before}");
        let _ = test.cutover(&["status", "--check"]).expect(0);
    }
    load.finish().assert_none_failed();
}

#[test]
fn a_home_that_is_out_of_reach_leaves_an_end_for_later() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let Some(cables) = test.cables() else { return };
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    cables.pull(&["lb1"]);
    let cut_off = running.finish().expect(21).last_event();
    assert_eq!(cut_off["outcome"], "unfinished");
    let ways = "`cutover resume --forward` goes on with it, `cutover abort` puts everything back";
    assert_eq!(cut_off["hint"], ways);
    // The lock could not be freed, and nobody on this machine holds it any more.
    cables.plug(&["lb1"]);
    let _ = test.cutover(&["resume"]).expect(10);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_host_that_is_out_of_reach_is_put_back_when_it_returns() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let Some(cables) = test.cables() else { return };
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("health");
    cables.pull(&["web1"]);
    let stuck = running.finish().expect(40).last_event();
    assert_eq!(stuck["outcome"], "stuck");
    assert_eq!(test.live(), "v1 blue");
    cables.plug(&["web1"]);
    let _ = test.cutover(&["resume"]).expect(10);
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
}
