//! What becomes of websockets that are open on the old colour: HAProxy counts them, and `pipeline.drain` decides.

use std::time::{Duration, Instant};

use test_support::{Behaviour, Websocket, assert_golden};

use crate::haproxy::{World, with_v1};
use crate::{local, told};

/// v1 live on blue, with a websocket, and this policy.
fn with_websocket(drain: &str) -> Option<(World, Websocket)> {
    let mut world = with_v1(local())?;
    world.test.configure("drain = { timeout = \"3s\" }", &format!("drain = {drain}"));
    let mut websocket = Websocket::open(world.test.door()).unwrap();
    assert_eq!(websocket.say("hello").unwrap(), "blue hello");
    Some((world, websocket))
}

#[test]
fn wait_lets_it_go_on() {
    let policy = "{ timeout = \"1s\", connections = \"wait\" }";
    let Some((world, mut websocket)) = with_websocket(policy) else { return };
    let deployed = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_golden("haproxy-drain-wait.txt", &told(&world.test, deployed));
    assert_eq!(world.test.live(), "v2 green");
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
}

/// What was let go on is not cut by the next deployment without a word.
#[test]
fn wait_keeps_the_next_deployment_from_being_begun() {
    let policy = "{ timeout = \"1s\", connections = \"wait\" }";
    let Some((mut world, mut websocket)) = with_websocket(policy) else { return };
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    let refused = world.test.deploy("v3", Behaviour::Sound).expect(11);
    assert_golden("haproxy-drain-refused.txt", &told(&world.test, refused));
    let hint = "deploy again once nobody has it any more";
    let _ = world.test.cutover(&["plan"]).expect(11).expect_text(hint);
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    assert_eq!(world.test.live(), "v2 green");

    // A rollback needs what is there, and cuts nothing.
    let _ = world.test.cutover(&["rollback"]).expect(0);
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    let _ = world.test.cutover(&["rollback", "--to", "2"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");

    // Whoever says so cuts it, and is told beforehand.
    world.test.configure("connections = \"wait\"", "connections = \"cap\"");
    let plan = world.test.cutover(&["plan"]).expect(0);
    let _ = plan.expect_text("blue still has 1 connection from when it was live: this cuts it");
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert!(websocket.say("anybody").is_err(), "the old colour was filled anew");
    assert_eq!(world.test.live(), "v3 blue");
}

#[test]
fn wait_keeps_a_color_running_that_was_to_be_stopped() {
    let policy = "{ timeout = \"1s\", connections = \"wait\" }\nretire = \"stop\"";
    let Some((world, mut websocket)) = with_websocket(policy) else { return };
    let deployed = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_golden("haproxy-drain-wait-stop.txt", &told(&world.test, deployed));
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
}

#[test]
fn wait_ends_when_it_ends() {
    let policy = "{ timeout = \"60s\", connections = \"wait\" }";
    let Some((world, mut websocket)) = with_websocket(policy) else { return };
    world.test.repository.push("v2", Behaviour::Sound);
    let mut running = world.test.start(&["deploy", "--json"]);
    running.wait_for_step("drain");
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    drop(websocket);
    let begun = Instant::now();
    let deployed = running.finish().expect(0);
    assert!(begun.elapsed() < Duration::from_secs(20), "nobody waits for what has ended");
    assert!(deployed.stdout.contains("0 connections left"), "{}", deployed.stdout);
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

#[test]
fn cut_ends_it_at_once() {
    let policy = "{ timeout = \"60s\", connections = \"cut\" }";
    let Some((world, mut websocket)) = with_websocket(policy) else { return };
    let begun = Instant::now();
    let deployed = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert!(begun.elapsed() < Duration::from_secs(40));
    assert_golden("haproxy-drain-cut.txt", &told(&world.test, deployed));
    assert!(websocket.say("anybody").is_err(), "the old colour is stopped");
    assert_eq!(world.test.live(), "v2 green");
}
