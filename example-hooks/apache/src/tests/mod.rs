//! The hook against an Apache that is scripted on the fake host.

mod fake_apache;

use std::collections::BTreeSet;

use cutover_hooks::fake::{self, World};
use cutover_hooks::http::HttpError;
use cutover_hooks::{Call, Color, HookError, Instance, Observation, Router, Routing};

use crate::{Apache, Settings};
use fake_apache::apache;

const BLUE: Routing = Routing::to(Some(Color::Blue));
const GREEN: Routing = Routing::to(Some(Color::Green));
const NONE: Routing = Routing::to(None);
const DIRECTORY: &str = "/var/lib/cutover-apache/shop";
const MANAGER: &str = "http://127.0.0.1:8098/balancer-manager";
/// The members, in the order of [`instances`].
const URLS: [&str; 4] =
    ["http://10.0.0.11:4001", "http://10.0.0.11:4002", "http://10.0.0.12:4001", "http://10.0.0.12:4002"];

fn instances() -> Vec<Instance> {
    let of = |(host, address): (&str, &str)| {
        [Color::Blue, Color::Green].map(|color| fake::instance(host, color, address))
    };
    [("web1", "10.0.0.11"), ("web2", "10.0.0.12")].into_iter().flat_map(of).collect()
}

fn call() -> (Settings, Call) {
    (Settings::default(), fake::call("{}", instances()))
}

fn apply(want: &Routing) -> Result<(), HookError> {
    let (settings, call) = call();
    Apache::apply(&settings, &call, "lb1", want)
}

fn prepare(want: &Routing) -> Result<String, HookError> {
    let (settings, call) = call();
    Apache::prepare(&settings, &call, "lb1", want)
}

#[test]
fn every_way_leads_where_it_should_and_survives_a_restart() {
    let fake = apache();
    assert_eq!(fake.shows(), NONE);
    for want in [BLUE, GREEN, NONE, GREEN, BLUE, GREEN, BLUE, NONE, BLUE] {
        for _ in 0..2 {
            assert_eq!(apply(&want), Ok(()));
            assert_eq!(fake.shows(), want);
        }
        fake.restart();
        assert_eq!(fake.shows(), want);
        fake.running.borrow_mut().changes.clear();
        assert_eq!((apply(&want), fake.running.borrow().changes.len()), (Ok(()), 0));
    }
}

#[test]
fn what_is_new_comes_on_before_what_is_old_goes_off() {
    let fake = apache();
    apply(&BLUE).expect("blue");
    fake.running.borrow_mut().changes.clear();
    fake.world.calls();
    apply(&GREEN).expect("green");
    let changes =
        [(1, 0), (3, 0), (0, 1), (2, 1)].map(|(index, off)| format!("{}&w_status_D={off}", URLS[index]));
    assert_eq!(fake.running.borrow().changes, changes);
    let (get, post) = (format!("http GET {MANAGER}?xml=1"), format!("http POST {MANAGER}"));
    let (get, post) = (get.as_str(), post.as_str());
    let (read, write) = (format!("read lb1 {DIRECTORY}/green"), format!("write lb1 {DIRECTORY}/green"));
    let (blue, read) = (format!("read lb1 {DIRECTORY}/blue"), read.as_str());
    assert_eq!(fake.world.calls(), [get, post, post, get, read, &blue, &write, get, post, post, get]);
}

#[test]
fn shares_and_single_hosts() {
    let fake = apache();
    apply(&BLUE).expect("blue");
    let canary = Routing { blue: 95, green: 5, out: Vec::new() };
    apply(&canary).expect("shares");
    assert_eq!(fake.shows(), canary);
    let factors: Vec<String> =
        fake.running.borrow().members.iter().map(|member| member.factor.clone()).collect();
    assert_eq!(factors, ["19.00", "1.00", "19.00", "1.00"]);
    let half = Routing { blue: 50, green: 50, out: Vec::new() };
    apply(&half).expect("shares");
    assert_eq!(fake.shows(), half);
    let out = Routing { out: vec!["web1".to_owned()], ..GREEN };
    apply(&out).expect("one host out");
    assert_eq!(fake.shows(), out);
    assert_eq!(
        prepare(&GREEN).as_deref(),
        Ok("--- lb1: balancer cutover-shop, now\n\
            +++ lb1: balancer cutover-shop, then\n\
            -green 100 %: http://10.0.0.12:4002\n\
            -out: web1\n\
            -after a restart: green\n\
            +green 100 %: http://10.0.0.11:4002 http://10.0.0.12:4002\n\
            +after a restart: green\n")
    );
    let nobody = Routing { out: vec!["web1".to_owned(), "web2".to_owned()], ..GREEN };
    assert_eq!(prepare(&nobody), Err(HookError::failed("green has no instance that could get requests")));
    assert_eq!(fake.shows(), out);
}

#[test]
fn prepare_shows_the_change_and_leaves_nothing_behind() {
    let fake = apache();
    apply(&BLUE).expect("blue");
    fake.running.borrow_mut().changes.clear();
    let change = "--- lb1: balancer cutover-shop, now\n\
                  +++ lb1: balancer cutover-shop, then\n\
                  -blue 100 %: http://10.0.0.11:4001 http://10.0.0.12:4001\n\
                  -after a restart: blue\n\
                  +green 100 %: http://10.0.0.11:4002 http://10.0.0.12:4002\n\
                  +after a restart: green\n";
    assert_eq!(prepare(&GREEN).as_deref(), Ok(change));
    assert_eq!(prepare(&BLUE).as_deref(), Ok(""));
    assert_eq!(fake.world.text("lb1", &format!("{DIRECTORY}/probe")), None);
    assert_eq!((fake.shows(), fake.running.borrow().changes.len()), (BLUE, 0));
}

#[test]
fn requests_under_way_are_counted() {
    let fake = apache();
    for (index, busy) in [3, 0, 4, 1].into_iter().enumerate() {
        fake.hand(index, |member| member.busy = busy);
    }
    let (settings, call) = call();
    let connections = |color| Apache::connections(&settings, &call, "lb1", color);
    assert_eq!((connections(Color::Blue), connections(Color::Green)), (Ok(Some(7)), Ok(Some(1))));
}

#[test]
fn what_was_changed_by_hand_shows_and_is_put_right() {
    let fake = apache();
    apply(&BLUE).expect("blue");
    // One member, by the page.
    fake.hand(2, |member| member.off.extend(['N']));
    assert_eq!(fake.shows(), Routing { out: vec!["web2".to_owned()], ..BLUE });
    apply(&BLUE).expect("blue");
    assert_eq!(
        fake.running.borrow().changes.last().map(String::as_str),
        Some("http://10.0.0.12:4001&w_status_N=0")
    );
    // All of them, so that a restart would undo it.
    for index in 0..4 {
        fake.hand(index, |member| {
            member.off = if index % 2 == 0 { BTreeSet::from(['S']) } else { BTreeSet::new() };
        });
    }
    let label = |value: &str| ("after-a-restart".to_owned(), value.to_owned());
    let seen = Observation { routing: Some(GREEN), settled: true, labels: vec![label("blue")] };
    assert_eq!(fake.observe(), Ok(seen.clone()));
    let warning = "log Level::Warn after a restart, Apache on `lb1` would send requests to blue";
    let is_told = || fake.world.calls().iter().any(|call| call == warning);
    assert!(!is_told(), "a deployment puts it right");
    let (settings, mut call) = call();
    call.deployment.clear();
    assert_eq!(Apache::observe(&settings, &call, "lb1"), Ok(seen));
    assert!(is_told());
    assert!(prepare(&GREEN).expect("a change").ends_with("+after a restart: green\n"));
    apply(&GREEN).expect("green");
    assert_eq!(fake.shows(), GREEN);
    // Another colour beside it.
    fake.hand(0, |member| member.off.clear());
    let seen = fake.observe().expect("an observation");
    assert_eq!((seen.routing.map(|routing| routing.blue), seen.settled), (Some(33), false));
    apply(&GREEN).expect("green");
    assert_eq!(fake.shows(), GREEN);
}

#[test]
fn a_restart_in_the_middle_is_lived_through() {
    for after in 1..=4 {
        let fake = apache();
        apply(&BLUE).expect("blue");
        fake.running.borrow_mut().changes.clear();
        fake.running.borrow_mut().restarts_after = Some(after);
        assert_eq!(apply(&GREEN), Ok(()), "after {after} changes");
        assert_eq!(fake.shows(), GREEN, "after {after} changes");
    }
}

#[test]
fn changes_that_are_not_taken_are_sent_again_and_then_given_up() {
    let fake = apache();
    apply(&BLUE).expect("blue");
    fake.running.borrow_mut().deaf = 3;
    apply(&GREEN).expect("green");
    assert_eq!(fake.shows(), GREEN);
    fake.running.borrow_mut().deaf = u32::MAX;
    assert_eq!(
        apply(&BLUE),
        Err(HookError::temporary(
            "Apache on `lb1` does not take changes of its member `http://10.0.0.11:4001`\n\
             hint: its error log may tell why"
        ))
    );
    assert_eq!(fake.shows(), GREEN);
}

#[test]
fn a_member_in_error_is_found_before_the_switch() {
    let fake = apache();
    apply(&BLUE).expect("blue");
    fake.hand(3, |member| member.in_error = true);
    assert_eq!(
        prepare(&GREEN),
        Err(HookError::temporary(
            "Apache on `lb1` holds `http://10.0.0.12:4002` (green on web2) to be in error\n\
             hint: can lb1 reach that address? Apache looks anew when something is asked at the front door"
        ))
    );
    assert_eq!(fake.shows(), BLUE);
    assert!(prepare(&BLUE).is_ok(), "the others are of no concern");
}

#[test]
fn a_member_in_error_is_waited_for_and_a_colour_without_a_well_one_is_no_aim() {
    let fake = apache();
    apply(&BLUE).expect("blue");
    fake.hand(1, |member| member.in_error = true);
    fake.running.borrow_mut().recovers_after = 6;
    apply(&GREEN).expect("green, when it is well");
    assert_eq!(fake.running.borrow().recovers_after, 0);
    // One of two: requests don't go there.
    fake.hand(0, |member| member.in_error = true);
    fake.world.calls();
    apply(&BLUE).expect("blue");
    let warning = "log Level::Warn Apache on `lb1` holds `http://10.0.0.11:4001` to be in error";
    assert!(fake.world.calls().iter().any(|call| call == warning));
    let labels = fake.observe().expect("an observation").labels;
    assert_eq!(labels[1], ("in-error".to_owned(), "http://10.0.0.11:4001".to_owned()));
    // Both: what is old stays on.
    for index in [1, 3] {
        fake.hand(index, |member| member.in_error = true);
    }
    assert_eq!(
        apply(&GREEN),
        Err(HookError::temporary(
            "Apache on `lb1` holds `http://10.0.0.11:4002` and `http://10.0.0.12:4002` to be in error\n\
             hint: can lb1 reach that address?"
        ))
    );
    assert!(fake.running.borrow().members[2].off.is_empty());
    // Asked again, it knows that they are on, and not that anybody waited for them.
    assert!(fake.running.borrow().members[1].off.is_empty());
    assert!(apply(&GREEN).is_err());
    assert!(fake.running.borrow().members[2].off.is_empty());
    // The way back is open whatever they are.
    fake.hand(0, |member| member.in_error = true);
    fake.hand(2, |member| member.in_error = true);
    apply(&BLUE).expect("blue");
    assert_eq!(fake.shows(), BLUE);
}

#[test]
fn a_balancer_of_other_instances_is_found_by_observe() {
    let fake = apache();
    fake.running.borrow_mut().urls[3] = "http://10.0.0.99:4002".to_owned();
    let text = |found: &str| {
        HookError::failed(format!(
            "Apache on `lb1` balances `cutover-shop` over {found}, cutover.toml says {}\n\
             hint: install what `cutover setup` prints for this host, and reload Apache",
            URLS.join(" ")
        ))
    };
    let other = "http://10.0.0.11:4001 http://10.0.0.11:4002 http://10.0.0.12:4001 http://10.0.0.99:4002";
    assert_eq!(fake.observe(), Err(text(other)));
    assert_eq!(apply(&GREEN), Err(text(other)));
    fake.running.borrow_mut().urls.truncate(3);
    assert_eq!(fake.observe(), Err(text(&URLS[..3].join(" "))));
}

#[test]
fn a_missing_directory_is_found_before_the_switch() {
    let fake = apache();
    let settings: Settings = serde_json::from_str(r#"{"directory": "/elsewhere"}"#).expect("settings");
    assert_eq!(
        Apache::prepare(&settings, &call().1, "lb1", &GREEN),
        Err(HookError::failed(
            "failed to write in `/elsewhere` on `lb1`: no directory `/elsewhere`\n\
             hint: the directory is made once, for the deploy user: `cutover setup` prints how"
        ))
    );
    assert_eq!(fake.shows(), NONE);
}

#[test]
fn answers_that_are_none_say_what_is_wrong() {
    const INSTALL: &str = "install what `cutover setup` prints for this host, and reload Apache";
    let fake = apache();
    let failed = |text: String, hint: &str| Err(HookError::failed(text).hint(hint));
    let none = "<?xml version='1.0'?><httpd:manager xmlns:httpd='http://httpd.apache.org'></httpd:manager>";
    let other = "<httpd:manager xmlns:httpd='http://httpd.apache.org'><httpd:balancer><httpd:name>balancer://blog</httpd:name>\
                 <httpd:nonce>n</httpd:nonce></httpd:balancer></httpd:manager>";
    let loopback = format!("it has to let in who comes from the host itself: {INSTALL}");
    for (status, body, text, hint) in [
        (
            404,
            "<!DOCTYPE>\n<title>404 Not Found</title>",
            format!("`{MANAGER}` on `lb1` is no balancer-manager: 404: 404 Not Found"),
            INSTALL,
        ),
        (302, "", format!("`{MANAGER}` on `lb1` is no balancer-manager: 302"), INSTALL),
        (403, "Forbidden", format!("`{MANAGER}` on `lb1` refuses: 403: Forbidden"), &loopback),
        (401, "", format!("`{MANAGER}` on `lb1` refuses: 401"), &loopback),
        (
            200,
            "<html><form action=\"/login\">",
            format!("`{MANAGER}` on `lb1` is no balancer-manager: 200: <html><form action=\"/login\">"),
            INSTALL,
        ),
        (
            200,
            "<html><head><title>Balancer Manager</title>",
            format!("the balancer-manager `{MANAGER}` on `lb1` overlooks what it is asked"),
            "does something take the header Referer away? Apache's error log names what it did not like",
        ),
        (200, none, "Apache on `lb1` has no balancer, not `cutover-shop`".to_owned(), INSTALL),
        (200, other, "Apache on `lb1` has `blog`, not `cutover-shop`".to_owned(), INSTALL),
    ] {
        fake.world.http(move |_| fake::response(status, &[], body));
        assert_eq!(fake.observe().map(drop), failed(text, hint), "{status} {body}");
    }
    fake.world.http(|_| fake::response(503, &[], "busy"));
    assert_eq!(
        fake.observe(),
        Err(HookError::temporary(format!(
            "`{MANAGER}` on `lb1` answered 503: busy\nhint: Apache's error log may tell why"
        )))
    );
    fake.world.http(|_| Err(HttpError::TimedOut("no answer within 15 s".to_owned())));
    assert_eq!(
        fake.observe(),
        Err(HookError::temporary(
            "Apache on `lb1` did not answer to its end: no answer within 15 s\nhint: its error log may tell why"
        ))
    );
    fake.world.http(|_| Err(HttpError::Connect("127.0.0.1:8098: connection refused".to_owned())));
    assert_eq!(
        fake.observe().map(drop),
        failed(
            "Apache on `lb1` does not answer: 127.0.0.1:8098: connection refused".to_owned(),
            &format!("start Apache; where it runs, {INSTALL}")
        )
    );
}

#[test]
fn setup_needs_no_host_at_all() {
    let world = World::install([]);
    let setup = |settings: &str| {
        let settings: Settings = serde_json::from_str(settings).expect("settings");
        let mut call = call().1;
        call.facts.push(("setup".to_owned(), "deploy".to_owned()));
        Apache::prepare(&settings, &call, "lb1", &NONE).expect("a script")
    };
    assert_eq!(setup("{}"), include_str!("../../golden/setup.sh"));
    let own = setup(r#"{"server-include": "/srv/apache/shop.conf", "manager-port": 8108}"#);
    for part in [
        "mkdir -p /srv/apache\ncat > /srv/apache/shop.conf <<'CUTOVER'\n",
        "cat > /srv/apache/cutover-balancer-manager-8108.conf <<'CUTOVER'\n",
        "\nListen 127.0.0.1:8108\n<VirtualHost 127.0.0.1:8108>\n",
        "# Then, in apache2.conf:\n#     Include /srv/apache/shop.conf\n#     Include /srv/apache/cutover-balancer-manager-8108.conf\n",
    ] {
        assert!(own.contains(part), "{part} is not in\n{own}");
    }
    assert_eq!(world.calls(), Vec::<String>::new());
}
