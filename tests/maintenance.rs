//! Maintenance: no request gets to the application until a person ends it, whatever is deployed or breaks off meanwhile.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use test_support::{Behaviour, Haproxy, Load, Running, Test, assert_golden, eventually, get};

use crate::{apache, caddy, canary, haproxy, local, proxy, with_v1};

fn answers(load: &Load) -> u64 {
    load.so_far().answers.values().sum()
}

/// No request gets to the application from when `on` has returned, and all do from when `off` has, whatever is deployed between, and whether the router is
/// reloaded.
fn assert_closes_and_opens(test: &Test, load: Load, meanwhile: impl FnOnce()) {
    let before = test.live();
    load.wait_for(50);
    assert_eq!(load.so_far().failed, 0, "{:?}", load.so_far().reasons);
    let on = test.cutover(&["maintenance", "on", "-m", "moving the database"]).expect(0);
    let closed = answers(&load);
    load.wait_for(200);
    assert_eq!(answers(&load), closed, "requests get to the application after: {}", on.stdout);
    assert!(get("127.0.0.1", test.ports().0, "/up").is_ok(), "what was live does not run any more");
    let _ = test.cutover(&["status", "--check"]).expect(0).expect_text("moving the database");

    meanwhile();
    let _ = test.cutover(&["check", "--hosts"]).expect(0).expect_text("not asked: in maintenance");
    let _ = test.deploy("next", Behaviour::Sound).expect(0);
    load.wait_for(100);
    assert_eq!(answers(&load), closed, "requests get to what was deployed in maintenance");
    settled(test);

    let off = test.cutover(&["maintenance", "off"]).expect(0);
    // What was asked before may be answered after.
    load.wait_for(50);
    let failed = load.so_far().failed;
    load.wait_for(200);
    let tally = load.finish();
    assert_eq!(tally.failed, failed, "of what was asked after: {}\n{:?}", off.stdout, tally.reasons);
    assert_eq!(test.live(), "next green");
    assert_ne!(before, "next green");
    settled(test);
}

/// A router that was reloaded may take a moment.
fn settled(test: &Test) {
    eventually("status is content", Duration::from_secs(20), || {
        (test.cutover(&["status", "--check"]).status == 0).then_some(())
    });
}

#[test]
fn behind_nginx() {
    let Some(test) = with_v1(local()) else { return };
    let load = test.load();
    assert_closes_and_opens(&test, load, || ());
}

#[test]
fn behind_nginx_with_an_upstream() {
    let Some(test) = with_v1(canary::behind_upstream()) else { return };
    let load = Load::start_without_keep_alive(test.door());
    assert_closes_and_opens(&test, load, || ());
    assert_a_broken_configuration_stops_moves_alone(&test);
}

/// Where somebody has broken nginx's own configuration, releases get to their place all the same.
fn assert_a_broken_configuration_stops_moves_alone(test: &Test) {
    let _ = test.cutover(&["maintenance", "on"]).expect(0);
    let config = test.nginx.config();
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("no such directive;\n{good}")).unwrap();
    let _ = test.deploy("after", Behaviour::Sound).expect(0);
    let _ = test.cutover(&["maintenance", "off"]).expect(11).expect_text("unknown directive");
    fs::write(&config, good).unwrap();
    let _ = test.cutover(&["maintenance", "off"]).expect(0);
    assert_eq!(test.live(), "after blue");
}

#[test]
fn behind_haproxy() {
    let Some(world) = haproxy::with_v1(local()) else { return };
    let load = world.test.load();
    assert_closes_and_opens(&world.test, load, || world.haproxy.reload(world.test.router()));
    assert_eq!(world.in_file(), "100");
}

#[test]
fn behind_haproxy_by_its_servers() {
    let Some(world) = haproxy::live(haproxy::routed_by(local(), Haproxy::servers_settings)) else { return };
    let load = world.test.load();
    assert_closes_and_opens(&world.test, load, || world.haproxy.reload(world.test.router()));
}

#[test]
fn behind_apache() {
    let Some((test, apache)) = apache::with_v1(local()) else { return };
    let load = test.load();
    assert_closes_and_opens(&test, load, || apache.reload(test.router()));
}

#[test]
fn behind_caddy() {
    let Some((test, _caddy)) = caddy::with_v1(local()) else { return };
    let load = test.load();
    assert_closes_and_opens(&test, load, || ());
}

#[test]
fn behind_cutovers_own_proxy() {
    let Some(world) = proxy::with_v1(local()) else { return };
    let load = world.test.load();
    assert_closes_and_opens(&world.test, load, || ());
}

/// Over SSH, and by a link on each.
#[test]
fn behind_two_routers() {
    let Some(test) = Test::two_routers(env!("CARGO_BIN_EXE_cutover")) else { return };
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    let second = test.second_nginx.as_ref().unwrap();
    let shown = || {
        [&test.nginx, second].map(|nginx| {
            get(nginx.address(), nginx.port(), "/")
                .map_or_else(|_| String::new(), |page| page.header("x-color").to_owned())
        })
    };
    let _ = test.cutover(&["maintenance", "on"]).expect(0);
    assert_eq!(shown(), ["", ""]);
    settled(&test);
    let _ = test.cutover(&["maintenance", "off"]).expect(0);
    assert_eq!(shown(), ["blue", "blue"]);
    settled(&test);
}

#[test]
fn what_is_told_of_it() {
    let Some(test) = with_v1(local()) else { return };
    let mut all = String::new();
    let mut run = |args: &[&str], status: i32| {
        let ended = test.cutover(args).expect(status);
        let text = test.normalise(&(ended.stdout + &ended.stderr));
        all.push_str(&format!("$ cutover {}\n{text}", args.join(" ")));
    };
    run(&["maintenance", "off"], 0);
    run(&["maintenance", "on", "--dry-run"], 0);
    run(&["maintenance", "on", "-m", "moving the database"], 0);
    run(&["maintenance", "on"], 0);
    run(&["status", "--check"], 0);
    run(&["doctor"], 0);
    run(&["deploy"], 0);
    test.repository.push("v2", Behaviour::FailsSmokeTest);
    run(&["deploy"], 10);
    test.repository.push("v3", Behaviour::Sound);
    run(&["plan"], 0);
    run(&["deploy"], 0);
    run(&["rollback"], 0);
    run(&["status"], 0);
    run(&["maintenance", "off", "--dry-run"], 0);
    run(&["maintenance", "off"], 0);
    run(&["history"], 0);
    assert_eq!(test.live(), "v1 blue");
    assert_golden("maintenance.txt", &all);
}

#[test]
fn what_is_told_where_it_is_refused_or_fails() {
    let Some(mut test) = local() else { return };
    test.set_up();
    test.repository.push("v1", Behaviour::Sound);
    let mut all = String::new();
    let mut run = |test: &Test, args: &[&str], status: i32| {
        let ended = test.cutover(args).expect(status);
        let text = test.normalise(&(ended.stdout + &ended.stderr));
        all.push_str(&format!("$ cutover {}\n{text}", args.join(" ")));
    };
    run(&test, &["maintenance", "on"], 11);
    run(&test, &["maintenance", "up"], 2);
    let _ = test.cutover(&["deploy"]).expect(0);

    // A front door that leads past the router.
    let past = |test: &Test| (format!("127.0.0.1:{}", test.door()), format!("127.0.0.1:{}", test.ports().0));
    let (door, own) = past(&test);
    test.configure(&door, &own);
    run(&test, &["maintenance", "on"], 10);
    test.configure(&own, &door);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["status", "--check"]).expect(0);

    // Someone takes the application out by hand.
    let flag = test.nginx.flags().join("blue");
    fs::remove_file(&flag).unwrap();
    run(&test, &["status", "--check"], 70);
    run(&test, &["maintenance", "on"], 40);
    run(&test, &["maintenance", "off"], 40);
    fs::write(&flag, "").unwrap();
    let _ = test.cutover(&["maintenance", "on"]).expect(0);

    // And lets it in by hand.
    fs::write(&flag, "").unwrap();
    run(&test, &["status", "--check"], 70);
    run(&test, &["maintenance", "off"], 40);
    fs::remove_file(&flag).unwrap();
    assert_golden("maintenance-refused.txt", &all);
}

/// A release that fell ill gets no requests again, and another one can be put in its place meanwhile.
#[test]
fn what_is_sick_is_not_opened_and_can_be_replaced() {
    let Some(mut test) = local() else { return };
    test.set_up();
    let _ = test.deploy("v1", Behaviour::SickAfterVisits(60)).expect(0);
    let _ = test.cutover(&["maintenance", "on"]).expect(0);
    for _ in 0..60 {
        let _ = get("127.0.0.1", test.ports().0, "/").unwrap();
    }
    let refused = test.cutover(&["maintenance", "off"]).expect(11);
    let mut all = test.normalise(&(refused.stdout + &refused.stderr));
    assert!(!test.front_door("/").body.contains("v1"));
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let off = test.cutover(&["maintenance", "off"]).expect(0);
    all.push_str(&test.normalise(&(off.stdout + &off.stderr)));
    assert_eq!(test.live(), "v2 green");
    assert_golden("maintenance-sick.txt", &all);
}

#[test]
fn cut_off_at_any_change_one_command_finishes_it() {
    let Some(test) = with_v1(local()) else { return };
    let load = test.load();
    for (wanted, other) in [("on", "off"), ("off", "on")] {
        for (round, change) in (0..).enumerate() {
            let moment = ["before", "sent:3", "answered"][round % 3];
            let place = format!("{change}:{moment}");
            let running = Running::halting(&test, &["maintenance", wanted, "--json"], &place);
            if !running.wait_until_halted() {
                let _ = running.finish().expect(0);
                assert!(round > 3, "only {change} changes");
                break;
            }
            let _ = running.kill();
            let _ = test.cutover(&["resume"]).expect(0);
            // Before it had begun there was nothing to take up.
            let _ = test.cutover(&["maintenance", wanted]).expect(0);
            let _ = test.cutover(&["status", "--check"]).expect(0);
            let before = answers(&load);
            load.wait_for(30);
            assert_eq!(answers(&load) == before, wanted == "on", "{wanted}, killed at {change}:{moment}");
            let _ = test.cutover(&["maintenance", other]).expect(0);
        }
    }
    let _ = load.finish();
}

/// Whoever waits for the lock finds it done, once it is free.
#[test]
fn what_someone_else_has_done_meanwhile_is_nothing_to_do() {
    let Some(test) = with_v1(local()) else { return };
    for wanted in ["on", "off"] {
        let running = Running::halting(&test, &["maintenance", wanted, "--json"], "0:before");
        assert!(running.wait_until_halted());
        let _ = test.cutover(&["maintenance", wanted]).expect(0);
        running.signal(Signal::CONT);
        let last = running.finish().expect(0).last_event();
        assert_eq!(last["outcome"], "nothing-changed", "{last:#}");
        assert_eq!(last["facts"][0]["label"], "nothing to do", "{last:#}");
    }
    assert_eq!(test.live(), "v1 blue");
}

/// What was to be let in is ill by the time that somebody takes it up again.
#[test]
fn cut_off_and_ill_it_stays_closed() {
    let Some(mut test) = local() else { return };
    test.set_up();
    let _ = test.deploy("v1", Behaviour::SickAfterVisits(60)).expect(0);
    let _ = test.cutover(&["maintenance", "on"]).expect(0);
    let mut running = test.start(&["maintenance", "off", "--json"]);
    running.wait_for_step("switch");
    let _ = running.kill();
    for _ in 0..60 {
        let _ = get("127.0.0.1", test.ports().0, "/").unwrap();
    }
    let resumed = test.cutover(&["resume"]).expect(10);
    assert_golden("maintenance-resume-back.txt", &test.normalise(&(resumed.stdout + &resumed.stderr)));
    let _ = test.cutover(&["status"]).expect(0).expect_text("in maintenance");
}

#[test]
fn cut_off_and_aborted_it_is_as_before() {
    let Some(test) = with_v1(local()) else { return };
    let load = test.load();
    let mut running = test.start(&["maintenance", "on", "--json"]);
    running.wait_for_step("switch");
    let _ = running.kill();
    let refused = test.cutover(&["deploy", "--again"]).expect(40);
    assert!(
        refused.stderr.contains("`cutover resume` goes on with it, `cutover abort` puts everything back"),
        "{refused:?}"
    );
    let _ = test.cutover(&["abort"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["status", "--check"]).expect(0);
    let failed = load.so_far().failed;
    load.wait_for(100);
    assert_eq!(load.finish().failed, failed);
}
