//! Killed at any step, one command reaches an end, and no request is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use test_support::{Behaviour, Ended, Test};

use crate::{fleet, local, with_v1};

/// Steps that a second deployment announces.
const STEPS: [&str; 12] = [
    "preflight",
    "build",
    "stage",
    "migrate",
    "start",
    "health",
    "smoke",
    "switch",
    "watch",
    "drain",
    "retire",
    "finish",
];

/// By this time, in milliseconds, a deployment to one machine has ended.
const LONGEST: u64 = 2760;

/// Exit status of what SIGKILL ended.
const KILLED: i32 = 128 + 9;

#[test]
fn killed_at_each_step_on_one_machine() {
    let Some(mut test) = with_v1(local()) else { return };
    let migrate = "bin/shop migrate && sleep 0.3 && head -n 1 behaviour >> /root/migrated";
    test.configure(
        "listen = \"127.0.0.1\"",
        &format!("listen = \"127.0.0.1\"\nmigrate = [\"sh\", \"-c\", \"{migrate}\"]"),
    );
    kill_at_each_step(&test, &STEPS);
    let migrated = std::fs::read_to_string(test.desk.outside("/root/migrated")).unwrap();
    let releases: Vec<&str> = migrated.lines().collect();
    let once: BTreeSet<&str> = releases.iter().copied().collect();
    assert_eq!(releases.len(), once.len(), "a migration ran twice:\n{migrated}");
    assert!(once.len() > STEPS.len() / 2, "hardly any ran:\n{migrated}");
}

#[test]
fn killed_around_the_switch_of_a_fleet() {
    let Some(test) = with_v1(fleet()) else { return };
    kill_at_each_step(&test, &["stage", "start", "switch", "watch", "retire"]);
}

#[test]
fn killed_at_any_moment() {
    let Some(test) = with_v1(local()) else { return };
    // `cargo xtask prove` asks for more.
    let rounds = std::env::var("CUTOVER_TEST_KILLS").map_or(12, |rounds| rounds.parse().unwrap());
    for moment in (0..rounds).map(|round| round * LONGEST / rounds) {
        let version = format!("after-{moment}-ms");
        let before = test.live();
        test.repository.push(&version, Behaviour::Sound);
        // By night there are more rounds than one load may last for.
        let load = test.load();
        let running = test.start(&["deploy", "--json"]);
        std::thread::sleep(Duration::from_millis(moment));
        let killed = running.kill();
        assert_recovers(&test, &before, &version, &killed);
        load.finish().assert_none_failed();
    }
}

fn kill_at_each_step(test: &Test, steps: &[&str]) {
    let load = test.load();
    for step in steps {
        let version = format!("at-{step}");
        let before = test.live();
        test.repository.push(&version, Behaviour::Sound);
        let mut running = test.start(&["deploy", "--json"]);
        running.wait_for_step(step);
        let killed = running.kill();
        assert_recovers(test, &before, &version, &killed);
    }
    let _ = test.deploy("last", Behaviour::Sound).expect(0);
    load.finish().assert_none_failed();
}

/// One command reaches an end, a second one changes nothing more, and record and router agree.
#[expect(clippy::print_stdout, reason = "`cargo xtask prove` counts them")]
fn assert_recovers(test: &Test, before: &str, version: &str, killed: &Ended) {
    let ends = [0, 10, 11, 20];
    let resumed = test.cutover(&["resume"]);
    assert!(ends.contains(&resumed.status), "{version}: {resumed:?}");
    let live = test.live();
    assert!(live == before || live.starts_with(&format!("{version} ")), "{version}: {live}");
    let again = test.cutover(&["resume"]).expect(0);
    assert!(again.stdout.contains("no deployment"), "{version}: {again:?}");
    assert_eq!(test.live(), live);
    let _ = test.cutover(&["status", "--check"]).expect(0);
    // One that had ended by itself is none.
    if killed.status == KILLED {
        println!("killed: {version}, {}", resumed.status);
    }
}
