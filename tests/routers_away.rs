//! Routers that are not there when a deployment begins, or something else in their place; and those that come back after it.

use test_support::{Behaviour, LoginPage, Port, assert_golden, get};

use crate::routed::{Kind, behind_each};

/// Refused before anything is begun: while it is down, and while all is well but that nobody is where it is asked, or a log-in page.
fn away(kind: Kind) {
    let Some(mut world) = kind.with_v1() else { return };
    world.test.repository.push("v2", Behaviour::Sound);
    world.stop();
    let mut said = world.told(world.test.cutover(&["status", "--check"]).expect(70));
    said.push_str(&world.told(world.test.cutover(&["deploy"]).expect(11)));
    world.start();
    let load = world.load();
    // Our own proxy is asked at no port; see `proxy.rs`.
    if kind != Kind::OwnProxy {
        let (good, nobody, page) = (world.test.config.clone(), Port::take(), LoginPage::open());
        for (port, name) in [(nobody.number(), "NOBODY"), (page.port(), "PAGE")] {
            world.ask_at(port);
            let refused = world.told(world.test.cutover(&["deploy"]).expect(11));
            said.push_str(&refused.replace(&port.to_string(), name));
            world.test.config.clone_from(&good);
        }
    }
    assert_golden(&format!("routers/away/{}.txt", kind.name()), &said);
    assert!(get("127.0.0.1", world.test.ports().1, "/up").is_err(), "something was begun");
    assert_eq!(world.test.live(), "v1 blue");
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    load.finish().assert_none_failed();
}

behind_each!(away);

/// What it was switched to, it does after a crash too.
fn crashed_since(kind: Kind) {
    let Some(mut world) = kind.with_v1() else { return };
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    for (live, back) in [("v2 green", true), ("v1 blue", false)] {
        world.stop();
        world.start();
        assert_eq!(world.test.live(), live);
        let _ = world.test.cutover(&["status", "--check"]).expect(0);
        if back {
            let _ = world.test.cutover(&["rollback"]).expect(0);
        }
    }
}

#[test]
fn nginx_by_a_file_that_crashed_since() {
    crashed_since(Kind::NginxByFile);
}

#[test]
fn nginx_by_a_link_that_crashed_since() {
    crashed_since(Kind::NginxByLink);
}

#[test]
fn nginx_by_an_upstream_that_crashed_since() {
    crashed_since(Kind::NginxByUpstream);
}

#[test]
fn haproxy_by_a_map_that_crashed_since() {
    crashed_since(Kind::HaproxyByMap);
}

#[test]
fn haproxy_by_servers_that_crashed_since() {
    crashed_since(Kind::HaproxyByServers);
}
