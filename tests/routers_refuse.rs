//! Routers that can be looked at and not changed, or that think otherwise of the new colour.

use std::fs;
use std::path::Path;

use test_support::{Behaviour, assert_golden};

use crate::routed::{Kind, Routed};

/// A deployment ends so, with the traffic where it was; once that is mended, the next one is well.
fn is_refused(kind: Kind, what: &str, refuse: impl Fn(&Routed, bool)) {
    let Some(world) = kind.with_v1() else { return };
    let load = world.load();
    refuse(&world, true);
    let failed = world.test.deploy("v2", Behaviour::Sound).expect(10);
    assert_golden(&format!("routers/{what}/{}.txt", kind.name()), &world.told(failed));
    assert_eq!(world.test.live(), "v1 blue");
    refuse(&world, false);
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
    let tally = load.finish();
    assert_eq!(tally.order.len(), 2, "{:?}", tally.order);
}

/// The file system of what it is told by can only be read: before a deployment begins, and from when it is prepared.
fn is_sealed(kind: Kind) {
    let Some(world) = kind.with_v1() else { return };
    let load = world.load();
    world.test.repository.push("v2", Behaviour::Sound);
    seal(&world, true);
    // Only our own proxy writes by itself, so nobody else can know that it can't.
    let failed = world.test.cutover(&["deploy"]).expect(if kind == Kind::OwnProxy { 10 } else { 11 });
    let mut said = world.told(failed);
    seal(&world, false);
    let running = world.prepared();
    seal(&world, true);
    let (status, told) = world.go_on(running, || seal(&world, false));
    said.push_str(&told);
    if !told.contains(" · resume · ") {
        seal(&world, false);
    }
    assert_eq!((status, world.test.live()), (10, "v1 blue".to_owned()), "{told}");
    assert_golden(&format!("routers/sealed/{}.txt", kind.name()), &said);
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    // Some write what a restart begins with once requests are moved.
    load.finish().assert_none_failed();
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
}

fn seal(world: &Routed, sealed: bool) {
    let directory = world.peer.directory(&world.test);
    let directory = directory.to_str().unwrap();
    let mounts: &[&[&str]] = if sealed {
        &[&["mount", "--bind", directory, directory], &["mount", "-o", "remount,ro,bind", directory]]
    } else {
        &[&["umount", "--lazy", directory]]
    };
    for words in mounts {
        let mut command = world.test.router().command(words[0], Path::new("/"));
        let ran = command.args(&words[1..]).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }
}

#[test]
fn nginx_by_a_file_that_can_not_be_written() {
    is_sealed(Kind::NginxByFile);
}

#[test]
fn nginx_by_a_link_that_can_not_be_written() {
    is_sealed(Kind::NginxByLink);
}

#[test]
fn nginx_by_an_upstream_that_can_not_be_written() {
    is_sealed(Kind::NginxByUpstream);
}

#[test]
fn haproxy_by_a_map_that_can_not_be_written() {
    is_sealed(Kind::HaproxyByMap);
}

#[test]
fn haproxy_by_servers_whose_states_can_not_be_written() {
    is_sealed(Kind::HaproxyByServers);
}

#[test]
fn apache_whose_beginning_can_not_be_written() {
    is_sealed(Kind::Apache);
}

#[test]
fn caddy_by_a_file_that_can_not_be_written() {
    is_sealed(Kind::Caddy);
}

#[test]
fn traefik_by_a_file_that_can_not_be_written() {
    is_sealed(Kind::Traefik);
}

#[test]
fn our_own_proxy_whose_routes_can_not_be_written() {
    is_sealed(Kind::OwnProxy);
}

fn is_found_sick(kind: Kind) {
    is_refused(kind, "sick", |world, sick| world.peer.find_sick(&world.test, sick));
}

#[test]
fn haproxy_that_finds_the_new_servers_down() {
    is_found_sick(Kind::HaproxyByServers);
}

#[test]
fn apache_that_finds_the_new_member_down() {
    is_found_sick(Kind::Apache);
}

#[test]
fn a_load_balancer_of_aws_that_finds_its_targets_unhealthy() {
    is_found_sick(Kind::AwsAlb);
}

#[test]
fn a_foundation_whose_instances_are_down() {
    is_found_sick(Kind::CloudFoundry);
}

#[test]
fn a_service_whose_pods_are_not_ready() {
    is_found_sick(Kind::KubernetesByService);
}

#[test]
fn a_route_whose_endpoints_are_not_ready() {
    is_found_sick(Kind::KubernetesByRoute);
}

/// Found only when it is changed.
fn is_denied(kind: Kind) {
    is_refused(kind, "denied", |world, denied| world.peer.deny(denied));
}

#[test]
fn a_load_balancer_of_aws_that_takes_no_change() {
    is_denied(Kind::AwsAlb);
}

#[test]
fn a_foundation_that_takes_no_change() {
    is_denied(Kind::CloudFoundry);
}

#[test]
fn a_service_that_takes_no_change() {
    is_denied(Kind::KubernetesByService);
}

#[test]
fn a_route_that_takes_no_change() {
    is_denied(Kind::KubernetesByRoute);
}

/// Who reads its configuration anew is told no, or yes without that it is done.
fn does_not_reload(kind: Kind) {
    let Some(mut world) = kind.with_v1() else { return };
    let good = world.test.config.clone();
    let (before, rest) = good.split_once("reload = [").unwrap();
    let (_, after) = rest.split_once(']').unwrap();
    let mut said = String::new();
    for program in ["/bin/false", "/bin/true"] {
        world.test.config = format!("{before}reload = [\"{program}\"]{after}");
        let failed = world.test.deploy("v2", Behaviour::Sound).expect(10);
        said.push_str(&world.told(failed));
        assert_eq!(world.test.live(), "v1 blue");
    }
    assert_golden(&format!("routers/reload/{}.txt", kind.name()), &said);
    world.test.config = good;
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
}

#[test]
fn nginx_by_a_link_that_is_not_reloaded() {
    does_not_reload(Kind::NginxByLink);
}

#[test]
fn nginx_by_an_upstream_that_is_not_reloaded() {
    does_not_reload(Kind::NginxByUpstream);
}

/// Somebody has broken nginx's own configuration, which nobody has read anew since: before a deployment begins, and once it is prepared.
fn was_broken(kind: Kind) {
    let Some(world) = kind.with_v1() else { return };
    let load = world.load();
    let config = world.test.nginx.config();
    let good = fs::read_to_string(&config).unwrap();
    let broken = format!("no such directive;\n{good}");
    fs::write(&config, &broken).unwrap();
    let ended = world.test.deploy("v2", Behaviour::Sound);
    if kind == Kind::NginxByFile {
        // Nothing is read anew.
        let _ = ended.expect(0);
        assert_eq!(world.test.live(), "v2 green");
        return load.finish().assert_none_failed();
    }
    let mut said = world.told(ended.expect(11));
    // Who only looks is not kept from it, and who asks for what is missing is told.
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    let found = world.test.cutover(&["check", "--hosts"]).stdout;
    assert!(found.contains("unknown directive"), "{found}");
    fs::write(&config, &good).unwrap();
    let running = world.prepared();
    fs::write(&config, &broken).unwrap();
    let (status, told) = world.go_on(running, || {});
    assert_eq!(status, 10, "{told}");
    said.push_str(&told);
    assert_golden(&format!("routers/broken/{}.txt", kind.name()), &said);
    assert_eq!(world.test.live(), "v1 blue");
    load.finish().assert_none_failed();
    fs::write(&config, good).unwrap();
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
}

#[test]
fn nginx_by_a_file_whose_configuration_was_broken_before_does_not_mind() {
    was_broken(Kind::NginxByFile);
}

#[test]
fn nginx_by_a_link_whose_configuration_was_broken_before() {
    was_broken(Kind::NginxByLink);
}

#[test]
fn nginx_by_an_upstream_whose_configuration_was_broken_before() {
    was_broken(Kind::NginxByUpstream);
}
