//! HAProxy as the router: a map decides on each request, and a switch is one command on its admin socket.

use std::fs;

use serde_json::json;
use test_support::{Behaviour, Haproxy, Load, Test, skip};

use crate::local;

/// A world behind HAProxy, set up by what `cutover setup` prints.
pub(crate) struct World {
    pub(crate) haproxy: Haproxy,
    pub(crate) test: Test,
}

/// HAProxy runs, and nothing is deployed.
pub(crate) fn behind_haproxy(test: Option<Test>) -> Option<World> {
    routed_by(test, Haproxy::settings)
}

/// The same with these settings.
pub(crate) fn routed_by(test: Option<Test>, settings: impl Fn(&Haproxy) -> String) -> Option<World> {
    let mut test = test?;
    if !Haproxy::is_installed() {
        skip("`haproxy` is not installed: `cargo xtask test` does that");
        return None;
    }
    let haproxy = Haproxy::new(test.scratch(), test.router());
    test.route_by("builtin:haproxy", &settings(&haproxy), haproxy.port());
    test.configure("[router]\n", "[router]\ntimeout = \"3s\"\n");
    test.set_up();
    let mut world = World { haproxy, test };
    world.haproxy.write_config(&world.test.setup_script(if world.test.hosts.is_empty() {
        "local"
    } else {
        "lb1"
    }));
    world.haproxy.start(world.test.router());
    Some(world)
}

/// A world with version `v1` live.
pub(crate) fn with_v1(test: Option<Test>) -> Option<World> {
    live(behind_haproxy(test))
}

/// The same world with version `v1` live.
pub(crate) fn live(world: Option<World>) -> Option<World> {
    let world = world?;
    let _ = world.test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(world.test.live(), "v1 blue");
    Some(world)
}

impl World {
    /// Moves it by hand, on the socket alone.
    pub(crate) fn set_map(&self, share: &str) {
        let map = self.haproxy.map();
        let answer = self.haproxy.ask(&format!("set map {} shop {share}", map.display())).unwrap();
        assert_eq!(answer, "\n");
    }

    /// The application's line of the map file.
    pub(crate) fn in_file(&self) -> String {
        let text = fs::read_to_string(self.haproxy.map()).unwrap();
        text.lines().find_map(|line| line.strip_prefix("shop ")).unwrap().to_owned()
    }
}

/// A deployment after which no answer comes from any other colour than `color`.
pub(crate) fn deploy_under(load: &Load, test: &Test, version: &str, color: &str) {
    let _ = test.deploy(version, Behaviour::Sound).expect(0);
    assert_eq!(test.live(), format!("{version} {color}"));
    let of_others = || {
        let tally = load.so_far();
        tally.answers.iter().filter(|((_, of), _)| of != color).map(|(_, count)| count).sum::<u64>()
    };
    let before = of_others();
    load.wait_for(100);
    assert_eq!(of_others(), before, "answers of the old colour after the switch");
}

#[test]
fn no_request_is_lost_and_a_reload_keeps_the_color() {
    let Some(world) = with_v1(local()) else { return };
    let test = &world.test;
    let load = test.load();
    deploy_under(&load, test, "v2", "green");
    assert_eq!(world.in_file(), "100");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.deploy("v3", Behaviour::FailsSmokeTest).expect(10);
    assert_eq!(test.live(), "v1 blue");
    deploy_under(&load, test, "v4", "green");
    let tally = load.finish();
    tally.assert_none_failed();
    assert!(tally.order.len() == 3, "{:?}", tally.order);

    world.haproxy.reload(test.router());
    assert_eq!(test.live(), "v4 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_fleet_is_set_up_as_it_says_and_deployed_to_without_root() {
    let Some(world) = with_v1(Test::fleet_as(env!("CARGO_BIN_EXE_cutover"), "deploy")) else { return };
    let test = &world.test;
    let _ = test.cutover(&["check", "--hosts"]).expect(0);
    let load = test.load();
    deploy_under(&load, test, "v2", "green");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.wait_for(50);
    load.finish().assert_none_failed();
    // A second time it changes nothing.
    let before = fs::read_to_string(world.haproxy.map()).unwrap();
    let World { mut test, haproxy } = world;
    test.set_up();
    assert_eq!(fs::read_to_string(haproxy.map()).unwrap(), before);
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_sick_release_is_switched_back() {
    let Some(mut world) = with_v1(local()) else { return };
    world.test.configure("watch = \"2s\"", "watch = \"60s\"");
    let test = &world.test;
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::SickAfterVisits(400)).expect(10);
    assert_eq!((test.live(), world.in_file()), ("v1 blue".to_owned(), "0".to_owned()));
    load.wait_for(50);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(tally.order.len(), 2, "the new release got no request: {:?}", tally.order);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_map_that_somebody_has_moved_by_hand() {
    let Some(world) = with_v1(local()) else { return };
    let test = &world.test;
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    world.set_map("0");
    assert_eq!(test.live(), "v1 blue");
    let status = test.cutover(&["status", "--check", "--json"]).expect(70);
    let seen = &status.last_event()["routers"][0]["observation"];
    assert_eq!(seen["settled"], false);
    let labels = seen["labels"].as_array().unwrap();
    assert_eq!(labels[..2], [json!(["map", "blue"]), json!(["map-file", "green"])]);
    let refused = test.deploy("v3", Behaviour::Sound).expect(40);
    assert!((refused.stdout + &refused.stderr).contains("--adopt"));
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["deploy", "--adopt"]).expect(0);
    assert_eq!((test.live(), world.in_file()), ("v3 green".to_owned(), "100".to_owned()));
    let _ = test.cutover(&["status", "--check"]).expect(0);

    // A share of both is what it is, and is put back as that.
    world.set_map("30");
    let _ = test.cutover(&["status", "--check"]).expect(70).expect_text("30");
}
