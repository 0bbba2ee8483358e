//! What happens to a router in the middle of a deployment: once it is prepared, and before it is moved.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;
use test_support::{Behaviour, Running, assert_golden};

use crate::routed::{Kind, behind_each};

fn restarted(kind: Kind) {
    let Some(mut world) = kind.with_v1() else { return };
    // It may take a while to come up.
    world.test.configure("timeout = \"3s\"", "timeout = \"20s\"");
    let load = world.load();
    let running = world.prepared();
    load.so_far().assert_none_failed();
    world.stop();
    running.signal(Signal::CONT);
    sleep(Duration::from_millis(800));
    world.start();
    load.wait_for(50);
    let cost = load.so_far().failed;
    let ended = running.finish().expect(0);
    assert_eq!(world.test.live(), "v2 green");
    load.wait_for(50);
    assert_eq!(load.finish().failed, cost, "what the restart itself has not cost");
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    let mut told = world.told(ended);
    if kind == Kind::NginxByLink {
        // A worker of before may be left, of which it can't tell what it has open.
        told = told.replace("0 connections left", "connections not counted by the router");
    }
    assert_golden(&format!("routers/restarted/{}.txt", kind.name()), &told);
}

behind_each!(restarted);

/// Whatever somebody has made of it, it is not moved on the strength of what it showed before.
fn edited(kind: Kind) {
    let Some(world) = kind.with_v1() else { return };
    let running = world.prepared();
    world.peer.edit(&world.test);
    // Where nobody can tell what it shows, that needs somebody.
    let (status, told) = world.go_on(running, || world.peer.mend(&world.test));
    assert_eq!(status, 10, "{told}");
    assert_eq!(world.test.live(), "v1 blue");
    world.peer.assert_kept();
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    assert_golden(&format!("routers/edited/{}.txt", kind.name()), &told);
}

behind_each!(edited);

/// For longer than anything waits.
fn frozen(kind: Kind) {
    let Some(world) = kind.with_v1() else { return };
    let running = world.prepared();
    world.peer.freeze(&world.test, true);
    running.signal(Signal::CONT);
    let stuck = running.finish().expect(40);
    world.peer.freeze(&world.test, false);
    let resumed = world.test.cutover(&["resume"]).expect(10);
    assert_eq!(world.test.live(), "v1 blue");
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    let told = world.told(stuck) + &world.told(resumed);
    // What it was asked for while it was frozen, it may do once it is not.
    let told = told.replace("router green 100 %, recorded is blue", "router blue 100 %, as recorded");
    assert_golden(&format!("routers/frozen/{}.txt", kind.name()), &told);
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
}

behind_each!(frozen);

/// Between what Apache is asked and what it is told: what it said before the restart, a change can't repeat.
#[test]
fn a_nonce_of_before_a_restart() {
    let Some(mut world) = Kind::Apache.with_v1() else { return };
    world.test.configure("timeout = \"3s\"", "timeout = \"20s\"");
    world.test.repository.push("v2", Behaviour::Sound);
    let running = Running::halting(&world.test, &["deploy"], "route+0:before");
    assert!(running.wait_until_halted());
    world.stop();
    world.start();
    let load = world.load();
    running.signal(Signal::CONT);
    let ended = running.finish().expect(0);
    assert_eq!(world.test.live(), "v2 green");
    load.finish().assert_none_failed();
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    assert_golden("routers/restarted/apache.txt", &world.told(ended));
}

/// Apache's own checks find the new member down once all is prepared: nothing is taken from the old one before that is well.
#[test]
fn a_member_that_apache_finds_down_meanwhile() {
    let Some(mut world) = Kind::Apache.with_v1() else { return };
    // For so long it waits for the member to come.
    world.test.configure("timeout = \"3s\"", "timeout = \"20s\"");
    let running = world.prepared();
    world.peer.find_sick(&world.test, true);
    let load = world.load();
    let (status, told) = world.go_on(running, || {});
    assert_golden("routers/apache-finds-down.txt", &told);
    assert_eq!((status, world.test.live()), (10, "v1 blue".to_owned()));
    load.finish().assert_none_failed();
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
}
