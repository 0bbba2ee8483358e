//! Killed at any step, one command reaches an end, and no request is lost.

use test_support::{Behaviour, Test};

use crate::{fleet, local, with_v1};

/// Steps that a second deployment announces.
const STEPS: [&str; 11] = [
    "lock",
    "preflight",
    "stage",
    "migrate",
    "start",
    "health",
    "smoke",
    "switch",
    "watch",
    "drain",
    "retire",
];

#[test]
fn killed_at_each_step_on_one_machine() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("listen = \"127.0.0.1\"", "listen = \"127.0.0.1\"\nmigrate = [\"bin/shop\", \"migrate\"]");
    kill_at_each_step(&test, &STEPS);
}

#[test]
fn killed_around_the_switch_of_a_fleet() {
    let Some(test) = with_v1(fleet()) else { return };
    kill_at_each_step(&test, &["stage", "start", "switch", "watch", "retire"]);
}

fn kill_at_each_step(test: &Test, steps: &[&str]) {
    let load = test.load();
    for step in steps {
        let before = test.live();
        test.repository.push(&format!("at-{step}"), Behaviour::Sound);
        let mut running = test.start(&["deploy", "--json"]);
        running.wait_for_step(step);
        let _ = running.kill();
        let resumed = test.cutover(&["resume"]);
        let ends = [0, 10, 11, 20];
        assert!(ends.contains(&resumed.status), "after `{step}`: {resumed:?}");
        let again = test.cutover(&["resume"]);
        assert!(ends.contains(&again.status), "the second time after `{step}`: {again:?}");
        let live = test.live();
        assert!(live == before || live.starts_with(&format!("at-{step} ")), "after `{step}`: {live}");
        let _ = test.cutover(&["status", "--check"]).expect(0);
    }
    let _ = test.deploy("last", Behaviour::Sound).expect(0);
    load.finish().assert_none_failed();
}
