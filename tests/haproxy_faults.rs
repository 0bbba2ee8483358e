//! An HAProxy that can't switch, or is not what the configuration says.

use std::fs;
use std::path::Path;

use test_support::{Behaviour, Test, assert_golden};

use crate::haproxy::{behind_haproxy, with_v1};
use crate::{local, told};

#[test]
fn haproxy_that_does_not_run() {
    let Some(mut world) = with_v1(local()) else { return };
    world.haproxy.stop();
    let refused = world.test.deploy("v2", Behaviour::Sound).expect(11);
    assert_golden("haproxy-stopped.txt", &told(&world.test, refused));
    world.haproxy.start(world.test.router());
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
}

#[test]
fn a_socket_that_is_somebody_elses() {
    let Some(mut world) = with_v1(local()) else { return };
    world.test.repository.push("v2", Behaviour::Sound);
    let settings = world.haproxy.settings();
    let mut all = String::new();
    let none = settings.replace("admin.sock", "other.sock");
    // Its own front door answers, in HTTP.
    let (before, after) = settings.split_once("unix:").unwrap();
    let after = after.split_once('"').unwrap().1;
    let page = format!("{before}tcp:127.0.0.1:{}\"{after}", world.haproxy.port());
    for wrong in [&none, &page] {
        world.test.configure(&settings, wrong);
        let refused = world.test.cutover(&["deploy"]).expect(11);
        all.push_str(&told(&world.test, refused));
        world.test.configure(wrong, &settings);
    }
    assert_golden("haproxy-socket.txt", &all);
    assert_eq!(world.test.live(), "v1 blue");
}

#[test]
fn a_socket_that_lets_nobody_in_or_tells_too_little() {
    let Some(mut world) = behind_haproxy(Test::fleet_as(env!("CARGO_BIN_EXE_cutover"), "deploy")) else {
        return;
    };
    world.test.repository.push("v1", Behaviour::Sound);
    let run = |world: &crate::haproxy::World, words: &[&str]| {
        let ran = world.test.router().command(words[0], Path::new("/")).args(&words[1..]).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    run(&world, &["gpasswd", "-d", "deploy", "haproxy"]);
    let refused = world.test.cutover(&["deploy"]).expect(11);
    assert_golden("haproxy-socket-group.txt", &told(&world.test, refused));
    run(&world, &["usermod", "-a", "-G", "haproxy", "deploy"]);

    world.haproxy.stop();
    let config = fs::read_to_string(world.haproxy.config()).unwrap();
    fs::write(world.haproxy.config(), config.replace("level admin", "level user")).unwrap();
    world.haproxy.start(world.test.router());
    let refused = world.test.cutover(&["deploy"]).expect(11);
    assert_golden("haproxy-socket-level.txt", &told(&world.test, refused));
}

#[test]
fn a_map_file_that_can_not_be_written() {
    let Some(world) = behind_haproxy(Test::fleet_as(env!("CARGO_BIN_EXE_cutover"), "deploy")) else { return };
    world.test.repository.push("v1", Behaviour::Sound);
    let directory = world.haproxy.map().parent().unwrap().display().to_string();
    let chown = |owner: &str| {
        let ran =
            world.test.router().command("chown", Path::new("/")).args([owner, &directory]).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    chown("root");
    let failed = world.test.cutover(&["deploy"]).expect(11);
    assert_golden("haproxy-map-not-writable.txt", &told(&world.test, failed));
    assert_eq!(world.in_file(), "-1");
    chown("deploy");
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v1 blue");
}

#[test]
fn a_server_that_haproxy_does_not_see_up() {
    let Some(mut world) = with_v1(local()) else { return };
    world.test.configure("timeout = \"3s\"", "timeout = \"1s\"");
    let answer = world.haproxy.ask("set server shop-green/local state maint").unwrap();
    assert_eq!(answer, "\n");
    let failed = world.test.deploy("v2", Behaviour::Sound).expect(10);
    assert_golden("haproxy-maintenance.txt", &told(&world.test, failed));

    let backends = fs::read_to_string(world.haproxy.backends()).unwrap();
    let (blue, green) = backends.split_once("backend shop-green").unwrap();
    let wrong = format!("{blue}backend shop-green{}", green.replace("GET /up", "GET /no-such-page"));
    fs::write(world.haproxy.backends(), wrong).unwrap();
    world.haproxy.reload(world.test.router());
    let failed = world.test.cutover(&["deploy"]).expect(10);
    assert_golden("haproxy-down.txt", &told(&world.test, failed));
    assert_eq!(world.test.live(), "v1 blue");
    fs::write(world.haproxy.backends(), backends).unwrap();
    world.haproxy.reload(world.test.router());
    world.test.configure("timeout = \"1s\"", "timeout = \"10s\"");
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
}

#[test]
fn an_haproxy_that_knows_other_servers_or_nothing_of_it() {
    let Some(world) = with_v1(local()) else { return };
    world.test.repository.push("v2", Behaviour::Sound);
    let (blue, _) = world.test.ports();
    let mut all = String::new();
    let backends = fs::read_to_string(world.haproxy.backends()).unwrap();
    let config = fs::read_to_string(world.haproxy.config()).unwrap();
    let changed = [
        (world.haproxy.backends(), &backends, backends.replace(&blue.to_string(), "9")),
        (world.haproxy.backends(), &backends, backends.replace("shop-green", "other-green")),
        (world.haproxy.config(), &config, config.replace("shop/green.map", "other.map")),
    ];
    let other = world.haproxy.config().with_file_name("other.map");
    fs::write(other, "shop -1\n").unwrap();
    for (path, good, text) in changed {
        if path == world.haproxy.backends() && text.contains("other-green") {
            fs::write(world.haproxy.config(), config.replace("shop-green", "other-green")).unwrap();
        }
        fs::write(&path, text).unwrap();
        world.haproxy.reload(world.test.router());
        let refused = world.test.cutover(&["deploy"]).expect(11);
        all.push_str(&told(&world.test, refused));
        fs::write(&path, good).unwrap();
        fs::write(world.haproxy.config(), &config).unwrap();
    }
    assert_golden("haproxy-knows-others.txt", &all);
    world.haproxy.reload(world.test.router());
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
}
