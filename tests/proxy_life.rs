//! The life of cutover's own proxy: upgrades, ends, crashes, and what it does not begin with.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use test_support::{Behaviour, Port, Test, Websocket, eventually, get};

use crate::local;
use crate::proxy::with_v1;

#[test]
fn an_upgrade_under_load_loses_nothing() {
    let Some(world) = with_v1(local()) else { return };
    let load = world.test.load();
    let mut websocket = Websocket::open(world.test.door()).unwrap();
    for _ in 0..3 {
        world.proxy.upgrade();
        load.wait_for(300);
    }
    // Those before wait for the websocket alone, and a switch is one for them, too.
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(world.test.live(), "v2 green");
    load.wait_for(100);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(tally.order.len(), 2, "{:?}", tally.order);
    drop(websocket);
    world.proxy.wait_for_processes(1);
    assert_eq!(world.proxy.log(), "");
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
}

/// What a process of before still has is counted until it ends.
#[test]
fn an_upgrade_while_a_colour_drains() {
    let Some(mut world) = with_v1(local()) else { return };
    let policy = "{ timeout = \"60s\", connections = \"wait\" }";
    world.test.configure("drain = { timeout = \"3s\" }", &format!("drain = {policy}"));
    let mut websocket = Websocket::open(world.test.door()).unwrap();
    world.test.repository.push("v2", Behaviour::Sound);
    let mut running = world.test.start(&["deploy", "--json"]);
    running.wait_for_step("drain");
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
fn a_program_that_does_not_come_up_changes_nothing() {
    let Some(world) = with_v1(local()) else { return };
    let load = world.test.load();
    let good = fs::read(world.proxy.routes()).unwrap();
    fs::write(world.proxy.routes(), "{").unwrap();
    world.proxy.signal(Signal::HUP);
    eventually("a word of it", Duration::from_secs(10), || {
        world.proxy.log().contains("not upgraded").then_some(())
    });
    let said = world.test.normalise(&world.proxy.log());
    assert_eq!(
        said,
        "error[proxy/begin]: `SCRATCH/desk-proxy/routes.json` is broken: EOF while parsing an object at line 1 column 1\n  \
         hint: nothing is served rather than the wrong thing; where its routes are not needed, move the file away: the \
         next deployment of each application writes its own\n\
         cutover proxy: not upgraded, this process goes on: the new process has ended\n"
    );
    world.proxy.wait_for_processes(1);
    fs::write(world.proxy.routes(), good).unwrap();
    world.proxy.upgrade();
    load.wait_for(100);
    load.finish().assert_none_failed();
}

#[test]
fn it_ends_once_its_requests_have() {
    let Some(mut world) = with_v1(local()) else { return };
    let mut websocket = Websocket::open(world.test.door()).unwrap();
    assert_eq!(websocket.say("hello").unwrap(), "blue hello");
    world.proxy.signal(Signal::TERM);
    eventually("nobody is let in", Duration::from_secs(5), || {
        get("127.0.0.1", world.proxy.port(), "/").is_err().then_some(())
    });
    assert_eq!(websocket.say("still there").unwrap(), "blue still there");
    assert_eq!(world.proxy.ids().len(), 1);
    drop(websocket);
    world.proxy.wait_for_processes(0);

    // And no longer than it is given.
    world.proxy.start_with(world.test.router(), &["--drain-timeout", "1"]);
    let mut websocket = Websocket::open(world.test.door()).unwrap();
    world.proxy.signal(Signal::TERM);
    world.proxy.wait_for_processes(0);
    assert!(websocket.say("anybody").is_err());
    assert_eq!(world.proxy.log(), "cutover proxy: cut after 1 s, requests that were still open: 1\n");
}

/// As `cutover setup` prints it: under a real systemd, as the deploy user.
#[test]
fn systemd_runs_it_and_a_reload_loses_nothing() {
    let Some(mut test) = Test::on_systemd(env!("CARGO_BIN_EXE_cutover"), "deploy") else { return };
    fs::copy(env!("CARGO_BIN_EXE_cutover"), test.machine("web1").outside("/srv/cutover")).unwrap();
    let port = Port::take();
    let settings = format!("{{ program = \"/srv/cutover\", listen = [\"127.0.0.1:{port}\"] }}");
    test.route_by("builtin:proxy", &settings, port.number());
    // Where systemd is.
    test.configure("hosts = [\"lb1\"]", "hosts = [\"web1\"]").configure("via = \"lb1\"", "via = \"web1\"");
    test.set_up();
    let _ = test.cutover(&["check", "--hosts"]).expect(0);
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    let said = |words: &[&str]| {
        let ran = test.machine("web1").command("systemctl", Path::new("/")).args(words).output().unwrap();
        assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    let main = || said(&["show", "-P", "MainPID", "cutover-proxy"]);
    let load = test.load();
    for _ in 0..2 {
        let before = main();
        said(&["reload", "cutover-proxy"]);
        eventually("the new process is the unit's", Duration::from_secs(10), || {
            (main() != before).then_some(())
        });
        load.wait_for(200);
    }
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
    load.finish().assert_none_failed();
    assert_eq!(said(&["show", "-P", "User,ActiveState,NRestarts", "cutover-proxy"]), "0\ndeploy\nactive\n");

    // Killed, it is started again and goes on.
    said(&["kill", "--signal=KILL", "cutover-proxy"]);
    eventually("it answers again", Duration::from_secs(10), || get("127.0.0.1", port.number(), "/").ok());
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);
    said(&["stop", "cutover-proxy"]);
    assert_eq!(said(&["show", "-P", "Result", "cutover-proxy"]), "success\n");
}
