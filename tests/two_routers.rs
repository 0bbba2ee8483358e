//! One name for two routers: each of them is proven, and both switch or none does.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use test_support::{Behaviour, Ended, Running, Test, assert_golden, eventually, get};

use crate::told;

fn with_v1() -> Option<Test> {
    let test = Test::two_routers(env!("CARGO_BIN_EXE_cutover"))?;
    let deployed = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_golden("two-routers.txt", &told(&test, deployed));
    assert_eq!(live(&test), ["v1 blue", "v1 blue"]);
    Some(test)
}

/// Where the link of a router points that sends requests nowhere.
const NOBODY: &str = "/dev/null";

/// What each router says of itself.
fn live(test: &Test) -> [String; 2] {
    [&test.nginx, test.second_nginx.as_ref().unwrap()].map(|nginx| {
        let page = get(nginx.address(), nginx.port(), "/").unwrap();
        format!("{} {}", page.body.split(' ').next().unwrap(), page.header("x-color"))
    })
}

#[test]
fn a_router_that_goes_on_with_the_old_color_is_found_and_named() {
    let Some(test) = with_v1() else { return };
    // Its file for green was copied from blue's: it says green where it is asked for its colour, and sends users to blue.
    let site = test.second_nginx.as_ref().unwrap().site("green");
    let good = fs::read_to_string(&site).unwrap();
    let (blue, green) = test.ports();
    fs::write(&site, good.replace(&green.to_string(), &blue.to_string())).unwrap();
    let failed = test.deploy("v2", Behaviour::Sound).expect(10);
    assert_golden("two-routers-one-stale.txt", &told(&test, failed));
    assert_eq!(live(&test), ["v1 blue", "v1 blue"]);
    let _ = test.cutover(&["status", "--check"]).expect(0);

    fs::write(&site, good).unwrap();
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(live(&test), ["v2 green", "v2 green"]);
}

#[test]
fn a_second_router_that_can_not_switch_takes_the_first_one_back() {
    let Some(test) = with_v1() else { return };
    let site = test.second_nginx.as_ref().unwrap().site("green");
    let good = fs::read_to_string(&site).unwrap();
    fs::write(&site, good.replace("listen", "lissen")).unwrap();
    let failed = test.deploy("v2", Behaviour::Sound).expect(10);
    assert_golden("two-routers-one-broken.txt", &told(&test, failed));
    assert_eq!(live(&test), ["v1 blue", "v1 blue"]);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

/// Points the second router elsewhere, as a person does.
fn by_hand(test: &Test, site: &str) {
    let nginx = test.second_nginx.as_ref().unwrap();
    fs::remove_file(nginx.link()).unwrap();
    symlink(site, nginx.link()).unwrap();
    nginx.reload(test.machine("lb2"));
    // Those who are asked while nginx reads it may be told either.
    let color = site.rsplit('-').next().unwrap();
    eventually("the workers of before are gone", Duration::from_secs(10), || {
        let page = get(nginx.address(), nginx.port(), "/").ok()?;
        (page.header("x-color") == color || (site == NOBODY && page.status == 503)).then_some(())
    });
}

/// A deployment in whose middle somebody points the second router elsewhere, once both are prepared.
fn meanwhile(test: &Test, site: &str) -> Ended {
    let running = Running::halting(test, &["deploy"], "route:before");
    assert!(running.wait_until_halted());
    by_hand(test, site);
    running.signal(Signal::CONT);
    running.finish()
}

/// Nothing is moved then. What was made of the second router is not undone either: it was not begun with, and a person had a reason.
#[test]
fn a_second_router_that_somebody_moves_meanwhile_is_left_to_them_and_told() {
    let Some(test) = with_v1() else { return };
    let blue = fs::read_link(test.nginx.link()).unwrap().display().to_string();
    test.repository.push("v2", Behaviour::Sound);
    let ended = meanwhile(&test, NOBODY).expect(10);
    assert_golden("two-routers-closed.txt", &told(&test, ended));
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["status", "--check"]).expect(70);
    by_hand(&test, &blue);
    let _ = test.cutover(&["status", "--check"]).expect(0);
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(live(&test), ["v2 green", "v2 green"]);
}

/// What was told of the switch, as an event.
fn switched(events: &[serde_json::Value]) -> serde_json::Value {
    let mut told = events.iter().filter(|event| event["event"] == "switched").cloned();
    let switched = told.next().unwrap();
    assert_eq!(told.next(), None, "one switch is told once");
    switched
}

#[test]
fn how_far_apart_the_routers_were_is_told_and_kept() {
    let Some(mut test) = with_v1() else { return };
    // The second one takes its time to reload.
    for (router, delay) in [("lb1", 0), ("lb2", 2)] {
        let script = test.machine(router).outside("/var/lib/router/reload");
        let nginx = "/usr/sbin/nginx -p /var/lib/router -c /var/lib/router/nginx.conf -s reload";
        fs::write(&script, format!("#!/bin/sh\nsleep {delay}\nexec {nginx}\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let reload = "reload = [\"/usr/sbin/nginx\", \"-p\", \"/var/lib/router\", \"-c\", \
                  \"/var/lib/router/nginx.conf\", \"-s\", \"reload\"]";
    test.configure(reload, "reload = [\"/var/lib/router/reload\"]");
    test.repository.push("v2", Behaviour::Sound);
    let events = test.cutover(&["deploy", "--json"]).expect(0).events();
    let told = switched(&events);
    let skew = told["skew_ms"].as_u64().unwrap();
    assert!((2000..6000).contains(&skew), "{told}");
    assert!(told["requests"].as_u64().unwrap() >= 60, "{told}");
    let known = ["weight", "routers", "late", "last_late_ms"].map(|key| told[key].clone());
    assert_eq!(known, [json!(100), json!(2), json!(0), json!(null)]);
    // In the journal, and from there in the history.
    let kept = &test.cutover(&["history", "--json"]).expect(0).events()[0]["entries"][0]["switches"];
    let mut expected = told.clone();
    for key in ["at", "elapsed_ms", "event"] {
        expected.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(*kept, json!([expected]));
    let told = told_to_people(&test, &["rollback"]);
    assert_eq!(told, "  switch  2 routers within N s; the old release answered none of N since");
}

/// The last words on the switch.
fn told_to_people(test: &Test, args: &[&str]) -> String {
    let text = told(test, test.cutover(args).expect(0));
    text.lines().find(|line| line.starts_with("  switch  ")).unwrap_or(&text).to_owned()
}

#[test]
fn what_the_old_color_answers_after_the_switch_is_counted() {
    let Some(test) = with_v1() else { return };
    // As a router that says that it has switched, and has not.
    let nginx = test.second_nginx.as_ref().unwrap();
    let site = nginx.site("green");
    let good = fs::read_to_string(&site).unwrap();
    let (blue, green) = test.ports();
    fs::write(&site, good.replace(&green.to_string(), &blue.to_string())).unwrap();
    test.repository.push("v2", Behaviour::Sound);
    let running = test.start(&["deploy", "--json"]);
    eventually("the first router has switched", Duration::from_secs(60), || {
        (live(&test)[0] == "v2 green").then_some(())
    });
    std::thread::sleep(Duration::from_secs(2));
    fs::write(&site, good).unwrap();
    nginx.reload(test.machine("lb2"));
    let told = switched(&running.finish().expect(0).events());
    let (late, last) = (told["late"].as_u64().unwrap(), told["last_late_ms"].as_u64().unwrap());
    assert!(late > 3 && (1500..9000).contains(&last), "{told}");
    assert!(told["requests"].as_u64().unwrap() > late, "{told}");
    let history = test.cutover(&["history"]).expect(0).stdout.clone();
    let seconds = format!("{}.{} s", last.div_ceil(100) / 10, last.div_ceil(100) % 10);
    let words = format!("the old release answered {late} of {} since, the last {seconds}", told["requests"]);
    assert!(history.contains(&words), "{words}:\n{history}");
    assert_eq!(live(&test), ["v2 green", "v2 green"]);
}
