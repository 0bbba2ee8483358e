//! What may befall a world while nobody is at work on it: each row of the table of `RELIABILITY.md` that no other test is about.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use test_support::{Behaviour, Ended, Test};

use crate::{local, with_v1};

/// A deployment of v2 that was killed at a step.
fn killed_at(test: &Test, step: &str, behaviour: Behaviour) -> Ended {
    test.repository.push("v2", behaviour);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step(step);
    running.kill()
}

/// As a router that comes up with a configuration from before the deployment, or one that somebody has put back.
fn put_router_back(test: &Test) {
    fs::remove_file(test.nginx.flags().join("green")).unwrap();
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_router_that_comes_up_with_its_old_configuration_is_left_there() {
    let Some(test) = with_v1(local()) else { return };
    let _ = killed_at(&test, "watch", Behaviour::Sound);
    assert_eq!(test.live(), "v2 green");
    put_router_back(&test);
    let _ = test.cutover(&["resume"]).expect(10);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_router_that_somebody_moved_after_the_pivot_is_for_a_person() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"500ms\"");
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for("the pivot", |event| event["event"] == "pivot");
    let killed = running.kill();
    assert_eq!(killed.status, 137, "{killed:?}");
    put_router_back(&test);
    let _ = test.cutover(&["resume"]).expect(40);
    assert_eq!(test.live(), "v1 blue");
    assert!(test_support::get("127.0.0.1", test.ports().0, "/up").is_ok(), "nothing was stopped");
    assert!(test_support::get("127.0.0.1", test.ports().1, "/up").is_ok(), "nothing was stopped");
}

#[test]
fn with_both_colors_sick_nothing_is_moved() {
    let Some(mut test) = local() else { return };
    test.set_up();
    let _ = test.deploy("v1", Behaviour::SickAfterVisits(60)).expect(0);
    test.configure("watch = \"2s\"", "watch = \"60s\"");
    let sicken = || {
        for _ in 0..80 {
            assert_eq!(test.front_door("/").status, 200);
        }
    };
    sicken();
    let _ = killed_at(&test, "watch", Behaviour::SickAfterVisits(60));
    assert_eq!(test.live(), "v2 green");
    sicken();
    for command in ["resume", "abort"] {
        let refused = test.cutover(&[command]).expect(40);
        assert_eq!(test.live(), "v2 green", "{command}: {refused:?}");
    }
}

/// Where the state of the application is.
fn state(test: &Test) -> PathBuf {
    let places = ["/var/lib/cutover/shop/default", "/root/.local/state/cutover/shop/default"];
    places.map(|place| test.desk.outside(place)).into_iter().find(|place| place.exists()).unwrap()
}

#[test]
fn a_clock_that_jumps_a_day_keeps_nobody_from_the_lock() {
    let Some(test) = with_v1(local()) else { return };
    let file = state(&test).join("lock.json");
    const DAY: i64 = 86_400_000;
    for (jump, version) in [(DAY, "v2"), (-DAY, "v3")] {
        // Somebody at another machine took it before the clock went back or on.
        let mut lock: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let renewed = lock["renewed-ms"].as_i64().unwrap() + jump;
        lock["holder"] =
            serde_json::json!({ "who": "ann@elsewhere pid 1", "deployment": "d", "command": "deploy" });
        lock["renewed-ms"] = renewed.into();
        lock["acquired-ms"] = renewed.into();
        fs::write(&file, lock.to_string()).unwrap();
        let _ = test.deploy(version, Behaviour::Sound).expect(0);
        assert!(test.live().starts_with(version), "{}", test.live());
    }
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_fence_that_nobody_gave_ends_with_60_and_reaches_no_router() {
    let Some(test) = with_v1(local()) else { return };
    // A fence from the future: some later holder was here, and the home does not know.
    let file = state(&test).join("fence");
    let kept = fs::read(&file).unwrap();
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("health");
    fs::write(&file, br#"{"version":1,"epoch":999}"#).unwrap();
    let _ = running.finish().expect(60);
    assert_eq!(test.live(), "v1 blue");
    fs::write(&file, kept).unwrap();
}
