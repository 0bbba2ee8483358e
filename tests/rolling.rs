//! Hosts with room for one release each: they get the new one in turns, in the place of the old one.

use std::fs;
use std::path::Path;

use serde_json::Value;
use test_support::{Apache, Behaviour, Ended, Haproxy, Load, Running, Test, Websocket, assert_golden, get};

use crate::haproxy::{self, World};
use crate::proxy;

/// Three machines with one port each; the router's hook is still to be said.
fn hosts() -> Option<Test> {
    let mut test = Test::fleet_of(env!("CARGO_BIN_EXE_cutover"), "root", 3)?;
    let (blue, green) = test.ports();
    let colors = format!("blue = {{ port = {blue} }}\ngreen = {{ port = {green} }}");
    test.configure(&colors, &format!("port = {blue}"));
    test.configure("drain = {", "strategy = { rolling = { batch = 1 } }\ndrain = {");
    test.configure("deadline = \"15s\"", "deadline = \"3s\"");
    Some(test)
}

/// The same behind Apache, with `v1` live.
fn behind_apache() -> Option<(Test, Apache)> {
    let mut test = hosts()?;
    let mut apache = Apache::new(test.scratch(), test.router())?;
    test.route_by("builtin:apache", &apache.settings(), apache.port());
    test.set_up();
    apache.start(test.router());
    with_v1(&test);
    Some((test, apache))
}

/// The same behind HAProxy.
fn behind_haproxy() -> Option<World> {
    let world = haproxy::routed_by(hosts(), Haproxy::servers_settings)?;
    with_v1(&world.test);
    Some(world)
}

fn with_v1(test: &Test) {
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(running(test), ["v1"; 3]);
}

/// What each host says that it runs.
fn running(test: &Test) -> [String; 3] {
    ["web1", "web2", "web3"].map(|name| {
        let page = get(test.machine(name).address(), test.ports().0, "/");
        page.map_or_else(|_| "nothing".into(), |page| page.body.split(' ').next().unwrap_or_default().into())
    })
}

fn told(test: &Test, ended: &Ended) -> String {
    test.normalise(&format!("{}{}", ended.stdout, ended.stderr))
}

/// Begins a deployment of `v2`, and waits until the second host is out, runs it, and is looked at.
fn up_to_second_host(test: &mut Test) -> Running {
    test.repository.push("v2", Behaviour::Sound);
    // So that nothing comes of it before the test goes on.
    test.configure("interval = \"100ms\"", "interval = \"2s\"");
    test.configure("deadline = \"3s\"", "deadline = \"20s\"");
    let mut running = test.start(&["deploy", "--json"]);
    for host in ["web1", "web2"] {
        running.wait_for("the turn of a host", |event| {
            event["event"] == "step-started" && event["step"] == "health" && event["places"][0] == host
        });
    }
    running
}

/// Without what front doors say: either release may answer.
fn without_doors(text: &str) -> String {
    text.lines().filter(|line| !line.contains("front door")).map(|line| format!("{line}\n")).collect()
}

/// All hosts run this, all get requests again, and none was lost.
fn assert_all_run(test: &Test, version: &str, load: Load) {
    assert_eq!(running(test), [version; 3]);
    load.wait_for(200);
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn each_host_has_its_turn_and_no_request_is_lost() {
    let Some((test, apache)) = behind_apache() else { return };
    test.repository.push("v2", Behaviour::Sound);
    let plan = told(&test, &test.cutover(&["plan"]).expect(0));
    assert_golden("rolling-plan.txt", &plan.replace(&apache.manager_port().to_string(), "MANAGER"));
    let load = test.load();
    assert_golden("rolling.txt", &told(&test, &test.cutover(&["deploy"]).expect(0)));
    assert_all_run(&test, "v2", load);
    assert_golden("rolling-status.txt", &told(&test, &test.cutover(&["status", "--check"]).expect(0)));
    assert_golden("rolling-history.txt", &told(&test, &test.cutover(&["history"]).expect(0)));
    let load = test.load();
    assert_golden("rolling-rollback.txt", &told(&test, &test.cutover(&["rollback"]).expect(0)));
    assert_all_run(&test, "v1", load);
}

/// What fails on the second host puts the first one back, too.
fn assert_puts_all_back(test: &Test) -> Ended {
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for("the first turn", |event| event["event"] == "step-started" && event["step"] == "out");
    let releases = test.machine("web2").outside("/srv/shop/releases");
    let paths = fs::read_dir(releases).unwrap().map(|entry| entry.unwrap().path());
    let behaviour = paths.map(|path| path.join("behaviour")).filter(|path| path.is_file()).max().unwrap();
    fs::write(&behaviour, Behaviour::NeverHealthy.file("v2")).unwrap();
    let ended = running.finish().expect(10);
    assert_eq!(ended.last_event()["outcome"], "rolled-back");
    assert_all_run(test, "v1", load);
    ended
}

#[test]
fn what_fails_on_the_second_host_puts_the_first_one_back() {
    let Some((test, _apache)) = behind_apache() else { return };
    let ended = assert_puts_all_back(&test);
    assert_eq!(ended.last_event()["code"], "health/deadline");
}

#[test]
fn killed_in_a_turn_one_command_puts_all_back() {
    let Some((mut test, _apache)) = behind_apache() else { return };
    let load = test.load();
    let _ = up_to_second_host(&mut test).kill();
    let status = told(&test, &test.cutover(&["status", "--check"]).expect(70));
    assert_golden("rolling-killed-status.txt", &without_doors(&status));
    assert_golden("rolling-resume.txt", &told(&test, &test.cutover(&["resume"]).expect(10)));
    assert_all_run(&test, "v1", load);
}

#[test]
fn killed_in_a_turn_it_goes_on_with_that_when_asked_to() {
    let Some((mut test, _apache)) = behind_apache() else { return };
    let load = test.load();
    let _ = up_to_second_host(&mut test).kill();
    let ended = test.cutover(&["resume", "--forward", "--json"]).expect(0);
    let out: Vec<_> = ended
        .events()
        .iter()
        .filter(|event| event["event"] == "step-started" && event["step"] == "out")
        .map(|event| event["places"][0].clone())
        .collect();
    assert_eq!(out, ["web2", "web3"], "the first host has had its turn");
    assert_all_run(&test, "v2", load);
}

/// A machine is gone, with all that ran there.
fn burn(test: &mut Test, index: usize) {
    test.hosts[index].1.stop();
    let name = ["web1", "web2", "web3"][index];
    let killed = test.machine(name).command("pkill", Path::new("/")).args(["-KILL", "shop"]).status();
    assert!(killed.unwrap().success());
}

/// Back without a host, with which the next deployment begins once it is there again.
fn assert_goes_on_without(test: &mut Test, index: usize, golden: &str) {
    let name = ["web1", "web2", "web3"][index];
    let way_out = format!("`cutover abort --without {name}`");
    let _ = test.cutover(&["resume"]).expect(11).expect_text(&way_out);
    let aborted = told(test, &test.cutover(&["abort", "--without", name]).expect(0));
    assert_golden(golden, &aborted);
    let mut expected = ["v1"; 3].map(str::to_owned);
    expected[index] = "nothing".to_owned();
    assert_eq!(running(test), expected);
    let status = test.cutover(&["status", "--check"]).expect(70);
    let _ = status.expect_text(&format!("all hosts get requests but {name}"));

    let (machine, sshd) = &mut test.hosts[index];
    sshd.restart(machine);
    let refused = test.deploy("v3", Behaviour::Sound).expect(11);
    let _ = refused.expect_text("`cutover deploy --adopt` begins with them");
    let load = test.load();
    let ended = test.cutover(&["deploy", "--adopt", "--json"]).expect(0);
    let started = |event: &Value| event["event"] == "step-started" && event["step"] == "start";
    let first = ended.events().into_iter().find(started).unwrap();
    assert_eq!(first["places"][0], name);
    assert_all_run(test, "v3", load);
}

#[test]
fn a_host_that_burns_down_in_its_turn_stays_out_until_it_has_what_is_new() {
    let Some((mut test, _apache)) = behind_apache() else { return };
    let load = test.load();
    let _ = up_to_second_host(&mut test).kill();
    // It is out, so that nobody asks it.
    burn(&mut test, 1);
    assert_goes_on_without(&mut test, 1, "rolling-abort-without.txt");
    load.finish().assert_none_failed();
}

#[test]
fn a_host_that_burns_down_after_its_turn_is_taken_out() {
    let Some(mut world) = behind_haproxy() else { return };
    let test = &mut world.test;
    let _ = up_to_second_host(test).kill();
    burn(test, 0);
    assert_goes_on_without(test, 0, "rolling-abort-without-first.txt");
}

#[test]
fn who_took_a_host_out_is_not_overruled() {
    let Some((mut test, apache)) = behind_apache() else { return };
    let member = format!("http://{}:{}", test.machine("web3").address(), test.ports().0);
    apache.by_hand(&member, "w_status_D=1");
    assert_golden("rolling-by-hand.txt", &told(&test, &test.deploy("v2", Behaviour::Sound).expect(11)));
    apache.by_hand(&member, "w_status_D=0");
    let _ = up_to_second_host(&mut test).kill();
    apache.by_hand(&member, "w_status_D=1");
    assert_golden("rolling-by-hand-resume.txt", &told(&test, &test.cutover(&["resume"]).expect(40)));
    apache.by_hand(&member, "w_status_D=0");
    let _ = test.cutover(&["resume"]).expect(10);
    assert_eq!(running(&test), ["v1"; 3]);
}

#[test]
fn nobody_gets_in_and_no_host_has_its_turn_in_maintenance() {
    let Some((test, apache)) = behind_apache() else { return };
    let all = |args: &[&str], code: i32| {
        let told = told(&test, &test.cutover(args).expect(code));
        format!(
            "$ cutover {}\n{}",
            args.join(" "),
            told.replace(&apache.manager_port().to_string(), "MANAGER")
        )
    };
    let load = test.load();
    let answers = || load.so_far().answers.values().sum::<u64>();
    let mut text = all(&["maintenance", "on", "--dry-run"], 0);
    text += &all(&["maintenance", "on", "-m", "moving the database"], 0);
    let closed = answers();
    load.wait_for(100);
    test.repository.push("v2", Behaviour::Sound);
    text += &all(&["status", "--check"], 0);
    text += &all(&["deploy"], 11);
    text += &all(&["rollback"], 11);
    text += &all(&["maintenance", "on"], 0);
    assert_eq!(answers(), closed, "requests get to the application:\n{text}");
    assert_eq!(running(&test), ["v1"; 3], "it goes on running");
    text += &all(&["maintenance", "off", "--dry-run"], 0);
    text += &all(&["maintenance", "off"], 0);
    assert_golden("rolling-maintenance.txt", &text);
    drop(load);
    let load = test.load();
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_all_run(&test, "v2", load);
}

#[test]
fn haproxy_gives_turns_too() {
    let Some(world) = behind_haproxy() else { return };
    let test = &world.test;
    let _ = assert_puts_all_back(test);
    let load = test.load();
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_all_run(test, "v2", load);
    let load = test.load();
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_all_run(test, "v1", load);
}

#[test]
fn our_own_proxy_gives_turns_too() {
    let Some(world) = proxy::behind_proxy(hosts()) else { return };
    let test = &world.test;
    with_v1(test);
    let _ = assert_puts_all_back(test);
    let load = test.load();
    let deployed = test.cutover(&["deploy"]).expect(0);
    // It counts by hosts: nobody waits for requests that others answer.
    let out: Vec<&str> = deployed.stdout.lines().filter(|line| line.starts_with("out  ")).collect();
    assert_eq!(out.len(), 3, "{}", deployed.stdout);
    assert!(out.iter().all(|line| line.contains("0 connections left")), "{}", deployed.stdout);
    assert_all_run(test, "v2", load);
    let load = test.load();
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_all_run(test, "v1", load);
    // A websocket is one host's, and only that host's turn waits for it.
    let mut websocket = Websocket::open(test.door()).unwrap();
    assert_eq!(websocket.say("hello").unwrap(), "blue hello");
    let deployed = test.cutover(&["deploy", "--again"]).expect(0);
    let told = ["0 connections left", "1 connection left; it is cut"];
    assert_eq!(told.map(|text| deployed.stdout.matches(text).count()), [2, 1], "{}", deployed.stdout);
}

#[test]
fn a_router_that_can_take_no_host_out_is_refused_before_anything_is_begun() {
    let Some(mut test) = hosts() else { return };
    let flags = test.nginx.settings();
    let upstream = test.nginx.upstream_settings();
    test.configure(&flags, &upstream);
    test.set_up();
    test.repository.push("v1", Behaviour::Sound);
    assert_golden("rolling-refused.txt", &told(&test, &test.cutover(&["deploy"]).expect(50)));
}
