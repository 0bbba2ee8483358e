//! What becomes of websockets that are open on the old colour: the proxy counts them.

use std::time::{Duration, Instant};

use test_support::{Behaviour, Websocket};

use crate::local;
use crate::proxy::{World, with_v1};

/// v1 live on blue, with a websocket, and this policy.
fn with_websocket(drain: &str) -> Option<(World, Websocket)> {
    let mut world = with_v1(local())?;
    world.test.configure("drain = { timeout = \"3s\" }", &format!("drain = {drain}"));
    let mut websocket = Websocket::open(world.test.door()).unwrap();
    assert_eq!(websocket.say("hello").unwrap(), "blue hello");
    Some((world, websocket))
}

#[test]
fn wait_ends_when_it_ends() {
    let policy = "{ timeout = \"60s\", connections = \"wait\" }";
    let Some((world, mut websocket)) = with_websocket(policy) else { return };
    world.test.repository.push("v2", Behaviour::Sound);
    let mut running = world.test.start(&["deploy", "--json"]);
    running.wait_for_step("drain");
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    // Also where another process has it by now.
    world.proxy.upgrade();
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    std::thread::sleep(Duration::from_secs(1));
    drop(websocket);
    let begun = Instant::now();
    let deployed = running.finish().expect(0);
    assert!(begun.elapsed() < Duration::from_secs(20), "nobody waits for what has ended");
    assert!(deployed.stdout.contains("0 connections left"), "{}", deployed.stdout);
}

#[test]
fn wait_keeps_the_next_deployment_from_being_begun_until_it_ends() {
    let Some((world, mut websocket)) = with_websocket("{ timeout = \"1s\", connections = \"wait\" }") else {
        return;
    };
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    let refused = world.test.deploy("v3", Behaviour::Sound).expect(11);
    let _ = refused.expect_text("blue still has 1 connection from when it was live");
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    drop(websocket);
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v3 blue");
}

#[test]
fn cap_ends_it_after_that_time() {
    let policy = "{ timeout = \"2s\", connections = \"cap\" }";
    let Some((world, mut websocket)) = with_websocket(policy) else { return };
    world.test.repository.push("v2", Behaviour::Sound);
    let mut running = world.test.start(&["deploy", "--json"]);
    running.wait_for_step("drain");
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    let deployed = running.finish().expect(0);
    assert!(deployed.stdout.contains("1 connection left; it is cut"), "{}", deployed.stdout);
    assert!(websocket.say("anybody").is_err(), "the old colour is stopped");
    assert_eq!(world.test.live(), "v2 green");
}
