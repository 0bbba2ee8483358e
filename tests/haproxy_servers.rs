//! HAProxy with one backend that has the servers of both colours.

use std::fs;

use test_support::{Behaviour, Haproxy, Test, Websocket, assert_golden};

use crate::haproxy::{World, deploy_under, live, routed_by};
use crate::{local, told};

fn with_v1(test: Option<Test>) -> Option<World> {
    live(routed_by(test, Haproxy::servers_settings))
}

#[test]
fn no_request_is_lost_and_a_reload_keeps_the_color() {
    let Some(world) = with_v1(local()) else { return };
    let test = &world.test;
    let mut websocket = Websocket::open(test.door()).unwrap();
    assert_eq!(websocket.say("hello").unwrap(), "blue hello");
    let load = test.load();
    deploy_under(&load, test, "v2", "green");
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.wait_for(50);
    load.finish().assert_none_failed();

    world.haproxy.reload(test.router());
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_fleet_is_set_up_as_it_says_and_deployed_to_without_root() {
    let Some(world) = with_v1(Test::fleet_as(env!("CARGO_BIN_EXE_cutover"), "deploy")) else { return };
    let load = world.test.load();
    deploy_under(&load, &world.test, "v2", "green");
    load.finish().assert_none_failed();
    let _ = world.test.deploy("v3", Behaviour::FailsSmokeTest).expect(10);
    assert_eq!(world.test.live(), "v2 green");
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn servers_that_somebody_has_drained_by_hand() {
    let Some(world) = with_v1(local()) else { return };
    let test = &world.test;
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    for line in ["set server shop/blue-local state ready", "set server shop/green-local state drain"] {
        assert_eq!(world.haproxy.ask(line).unwrap(), "\n");
    }
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["status", "--check"]).expect(70).expect_text("blue 100 % and is not settled");
    let refused = test.deploy("v3", Behaviour::Sound).expect(40);
    assert!((refused.stdout + &refused.stderr).contains("--adopt"));
    let _ = test.cutover(&["deploy", "--adopt"]).expect(0);
    assert_eq!(test.live(), "v3 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_socket_that_may_only_look_and_a_server_that_is_not_there() {
    let Some(mut world) = with_v1(local()) else { return };
    world.test.repository.push("v2", Behaviour::Sound);
    let config = fs::read_to_string(world.haproxy.config()).unwrap();
    let mut all = String::new();
    for (from, to, end) in [
        ("level admin", "level operator", 10),
        ("server green-local", "server lime-local", 11),
        ("backend shop", "backend blog", 11), // That of the frontend, too.
    ] {
        fs::write(world.haproxy.config(), config.replace(from, to)).unwrap();
        world.haproxy.stop();
        world.haproxy.start(world.test.router());
        let refused = world.test.cutover(&["deploy"]).expect(end);
        all.push_str(&told(&world.test, refused));
    }
    assert_golden("haproxy-servers-wrong.txt", &all);
    fs::write(world.haproxy.config(), config).unwrap();
    world.haproxy.stop();
    world.haproxy.start(world.test.router());
    assert_eq!(world.test.live(), "v1 blue");
    let _ = world.test.cutover(&["deploy"]).expect(0);
}
