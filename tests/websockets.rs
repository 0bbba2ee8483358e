//! Websockets and streams behind every router: what is open when the traffic moves goes on at the old colour, and `pipeline.drain` decides what
//! becomes of it.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use test_support::{Behaviour, EventStream, Haproxy, KubernetesStyle, Test, Websocket, assert_golden};

use crate::haproxy::World;
use crate::{
    apache, aws_alb, caddy, canary, cloud_foundry, haproxy, kubernetes, local, nginx_sites, proxy, told,
    traefik, with_v1,
};

/// Whether a router can tell how many connections a colour has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    HowMany,
    Nothing,
}

/// What a world begins with, and what each test puts in its place.
const DRAIN: &str = "{ timeout = \"3s\" }";
const WAIT: &str = "{ timeout = \"1s\", connections = \"wait\" }";
const WAIT_LONG: &str = "{ timeout = \"60s\", connections = \"wait\" }";
const CAP: &str = "{ timeout = \"2s\", connections = \"cap\" }";
const CUT: &str = "{ timeout = \"60s\", connections = \"cut\" }";

/// A websocket at this colour, which is the live one.
fn open(test: &Test, color: &str) -> Websocket {
    let mut websocket = Websocket::open(test.door()).unwrap();
    assert_eq!(websocket.say("hello").unwrap(), format!("{color} hello"));
    websocket
}

fn assert_lives(websocket: &mut Websocket, color: &str) {
    assert_eq!(websocket.say("still there").unwrap(), format!("{color} still there"));
}

/// That somebody has closed it, and not that nobody answers.
fn assert_closed(mut websocket: Websocket) {
    assert_is_end(&websocket.say("anybody").unwrap_err());
}

fn assert_is_end(error: &std::io::Error) {
    assert!(!matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
}

/// What users have open for long: a websocket, and a response that goes on and on.
struct Both {
    websocket: Websocket,
    stream: EventStream,
}

impl Both {
    fn open(test: &Test, color: &str) -> Self {
        let mut stream = EventStream::open(test.door()).unwrap();
        assert_eq!(stream.says().unwrap(), color);
        Self { websocket: open(test, color), stream }
    }

    fn assert_live(&mut self, color: &str) {
        assert_lives(&mut self.websocket, color);
        assert_eq!(self.stream.says().unwrap(), color);
    }

    fn assert_closed(mut self) {
        assert_closed(self.websocket);
        assert_is_end(&self.stream.says().unwrap_err());
    }
}

/// Where `v1` is live on blue, behind a router that ends before its machine: what each policy says of what is open.
fn assert_policies_hold(tells: Tells, mut test: Test, _router: impl Sized) {
    test.configure("watch = \"2s\"", "watch = \"0s\"").configure(DRAIN, WAIT);
    assert_wait_lets_them_go_on(tells, &test);
    test.configure(WAIT, CUT);
    assert_cut_ends_them_at_once(&test);
    test.configure(CUT, CAP);
    assert_cap_ends_them_after_that_time(tells, &test);
    if tells == Tells::HowMany {
        test.configure(CAP, WAIT_LONG);
        assert_nobody_waits_for_what_has_ended(&test);
    }
}

fn assert_wait_lets_them_go_on(tells: Tells, test: &Test) {
    let mut both = Both::open(test, "blue");
    let deployed = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
    both.assert_live("blue");
    if tells == Tells::Nothing {
        let _ = deployed.expect_text("connections not counted by the router");
        return;
    }
    let _ = deployed.expect_text("2 connections left; they go on");
    // What was let go on is not cut by the next deployment without a word.
    let refused = test.deploy("v2.1", Behaviour::Sound).expect(11);
    let _ = refused.expect_text("blue still has 2 connections from when it was live");
    both.assert_live("blue");
}

fn assert_cut_ends_them_at_once(test: &Test) {
    let both = Both::open(test, "green");
    let begun = Instant::now();
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    assert!(begun.elapsed() < Duration::from_secs(40));
    both.assert_closed();
    assert_eq!(test.live(), "v3 blue");
}

fn assert_cap_ends_them_after_that_time(tells: Tells, test: &Test) {
    let mut both = Both::open(test, "blue");
    test.repository.push("v4", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("drain");
    let begun = Instant::now();
    std::thread::sleep(Duration::from_secs(1));
    both.assert_live("blue");
    let deployed = running.finish().expect(0);
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    let told = match tells {
        Tells::HowMany => "2 connections left; they are cut",
        Tells::Nothing => "connections not counted by the router",
    };
    assert!(deployed.stdout.contains(told), "{}", deployed.stdout);
    both.assert_closed();
    assert_eq!(test.live(), "v4 green");
}

fn assert_nobody_waits_for_what_has_ended(test: &Test) {
    let mut both = Both::open(test, "green");
    test.repository.push("v5", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("drain");
    both.assert_live("green");
    drop(both);
    let begun = Instant::now();
    let deployed = running.finish().expect(0);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(deployed.stdout.contains("0 connections left"), "{}", deployed.stdout);
    assert_eq!(test.live(), "v5 blue");
}

#[test]
fn behind_nginx_by_a_file() {
    let Some(test) = with_v1(local()) else { return };
    assert_policies_hold(Tells::Nothing, test, ());
}

#[test]
fn behind_nginx_by_a_link() {
    let Some(test) = nginx_sites::with_sites() else { return };
    assert_policies_hold(Tells::HowMany, test, ());
}

#[test]
fn behind_nginx_by_an_upstream() {
    let Some(test) = with_v1(canary::behind_upstream()) else { return };
    assert_policies_hold(Tells::HowMany, test, ());
}

#[test]
fn behind_apache() {
    let Some((test, apache)) = apache::with_v1(local()) else { return };
    assert_policies_hold(Tells::HowMany, test, apache);
}

#[test]
fn behind_haproxy_by_a_map() {
    let Some(World { test, haproxy }) = haproxy::with_v1(local()) else { return };
    assert_policies_hold(Tells::HowMany, test, haproxy);
}

#[test]
fn behind_haproxy_by_servers() {
    let routed = haproxy::routed_by(local(), Haproxy::servers_settings);
    let Some(World { test, haproxy }) = haproxy::live(routed) else { return };
    assert_policies_hold(Tells::HowMany, test, haproxy);
}

#[test]
fn behind_caddy() {
    let Some((test, caddy)) = caddy::with_v1(local()) else { return };
    assert_policies_hold(Tells::Nothing, test, caddy);
}

#[test]
fn behind_traefik() {
    let Some((test, traefik)) = traefik::with_v1(local()) else { return };
    assert_policies_hold(Tells::Nothing, test, traefik);
}

#[test]
fn behind_our_own_proxy() {
    let Some(proxy::World { test, proxy }) = proxy::with_v1(local()) else { return };
    assert_policies_hold(Tells::HowMany, test, proxy);
}

#[test]
fn behind_a_load_balancer_of_aws() {
    let Some((test, alb)) = aws_alb::with_v1(local()) else { return };
    assert_policies_hold(Tells::Nothing, test, alb);
}

#[test]
fn behind_cloud_foundry() {
    let Some((test, foundation)) = cloud_foundry::with_v1() else { return };
    assert_policies_hold(Tells::Nothing, test, foundation);
}

#[test]
fn behind_a_service_of_kubernetes() {
    let Some((test, cluster)) = kubernetes::with_v1(KubernetesStyle::Service) else { return };
    assert_policies_hold(Tells::Nothing, test, cluster);
}

#[test]
fn behind_a_route_of_kubernetes() {
    let Some((test, cluster)) = kubernetes::with_v1(KubernetesStyle::Gateway) else { return };
    assert_policies_hold(Tells::Nothing, test, cluster);
}

/// What a person reads, where `v1` is live on blue with a websocket.
fn with_websocket(drain: &str) -> Option<(World, Websocket)> {
    let mut world = haproxy::with_v1(local())?;
    world.test.configure(DRAIN, drain);
    let websocket = open(&world.test, "blue");
    Some((world, websocket))
}

#[test]
fn who_waits_is_told_until_somebody_cuts_it() {
    let Some((mut world, mut websocket)) = with_websocket(WAIT) else { return };
    let deployed = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_golden("haproxy-drain-wait.txt", &told(&world.test, deployed));
    let refused = world.test.deploy("v3", Behaviour::Sound).expect(11);
    assert_golden("haproxy-drain-refused.txt", &told(&world.test, refused));
    let hint = "deploy again once nobody has it any more";
    let _ = world.test.cutover(&["plan"]).expect(11).expect_text(hint);
    assert_lives(&mut websocket, "blue");
    assert_eq!(world.test.live(), "v2 green");

    // A rollback needs what is there, and cuts nothing.
    let _ = world.test.cutover(&["rollback"]).expect(0);
    assert_lives(&mut websocket, "blue");
    let _ = world.test.cutover(&["rollback", "--to", "2"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
    assert_lives(&mut websocket, "blue");

    // Whoever says so cuts it, and is told beforehand.
    world.test.configure("connections = \"wait\"", "connections = \"cap\"");
    let plan = world.test.cutover(&["plan"]).expect(0);
    let _ = plan.expect_text("blue still has 1 connection from when it was live: this cuts it");
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_closed(websocket);
    assert_eq!(world.test.live(), "v3 blue");
}

#[test]
fn wait_keeps_a_color_running_that_was_to_be_stopped() {
    let Some((world, mut websocket)) = with_websocket(&format!("{WAIT}\nretire = \"stop\"")) else { return };
    let deployed = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_golden("haproxy-drain-wait-stop.txt", &told(&world.test, deployed));
    assert_lives(&mut websocket, "blue");
}

#[test]
fn who_cuts_is_told() {
    let Some((world, websocket)) = with_websocket(CUT) else { return };
    let deployed = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_golden("haproxy-drain-cut.txt", &told(&world.test, deployed));
    assert_closed(websocket);
}
