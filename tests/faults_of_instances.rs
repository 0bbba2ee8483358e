//! Releases that do not come up: the old one is never touched, and the reason is told.

use test_support::{Behaviour, assert_golden, get};

use crate::{local, with_v1};

/// Deploys a bad release over a good one, and returns what a person reads.
fn fails(name: &str, config: &[(&str, &str)], behaviour: Behaviour) {
    let Some(mut test) = with_v1(local()) else { return };
    for (from, to) in config {
        test.configure(from, to);
    }
    let load = test.load();
    let failed = test.deploy("v2", behaviour).expect(10);
    assert_golden(name, &test.normalise(&(failed.stdout + &failed.stderr)));
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(tally.order.len(), 1, "the failed release got a request: {:?}", tally.order);
    assert!(get("127.0.0.1", test.ports().1, "/up").is_err(), "the failed release still runs");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_process_that_exits_at_once() {
    fails("exits-at-once.txt", &[], Behaviour::ExitsAtOnce);
}

#[test]
fn an_instance_that_is_never_healthy() {
    fails("never-healthy.txt", &[("deadline = \"15s\"", "deadline = \"2s\"")], Behaviour::NeverHealthy);
}

#[test]
fn an_instance_that_lets_the_first_checks_wait_is_asked_again() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("interval = \"100ms\"", "interval = \"100ms\"\ntimeout = \"1s\"");
    test.repository.push("v2", Behaviour::WarmsUp);
    let mut running = test.start(&["deploy", "--json"]);
    let waited =
        running.wait_for("health", |event| event["event"] == "step-progress" && event["step"] == "health");
    assert_eq!(waited["text"], "no whole answer within 0.9 s");
    let _ = running.finish().expect(0);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn a_migration_that_fails() {
    let migrate = "directory = \"/srv/shop\"\nmigrate = [\"bin/shop\", \"migrate\"]";
    fails("migration-fails.txt", &[("directory = \"/srv/shop\"", migrate)], Behaviour::FailsMigration);
}

#[test]
fn a_taken_port() {
    let Some(test) = with_v1(local()) else { return };
    let squatter = std::net::TcpListener::bind(("127.0.0.1", test.ports().1)).unwrap();
    let failed = test.deploy("v2", Behaviour::Sound);
    let told = format!("ports: {} is for green, and ", test.ports().1);
    assert!(failed.status == 11 && failed.stderr.contains(&told), "{failed:?}");
    drop(squatter);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
}

#[test]
fn an_instance_that_ignores_sigterm_is_killed() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"2s\"\nretire = \"stop\"");
    let _ = test.deploy("v2", Behaviour::IgnoresStop).expect(0);
    assert!(get("127.0.0.1", test.ports().0, "/up").is_err(), "`retire = \"stop\"` has left blue running");
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    assert!(get("127.0.0.1", test.ports().1, "/up").is_err(), "green ignores SIGTERM and still runs");
}
