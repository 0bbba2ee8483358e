//! The style `map`.

use std::cell::RefCell;
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::hosts::HostError;
use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing};

use crate::{Haproxy, Settings};

const BLUE: Routing = Routing::to(Some(Color::Blue));
pub(super) const GREEN: Routing = Routing::to(Some(Color::Green));
const NONE: Routing = Routing::to(None);

pub(super) const MAP: &str = "/var/lib/cutover-haproxy/shop/green.map";
const SOCKET: &str = "unix:/run/haproxy/admin.sock";
pub(super) const HEAD: &str =
    "# pxname,svname,scur,status,bck,check_status,check_code,last_chk,check_desc,addr,\n";

/// The beginning of a line, and what is answered to it.
type Answer = (String, Result<String, HostError>);

/// HAProxy with what `cutover setup` prints. What a test puts into `says` for a line is answered instead.
pub(super) struct Fake {
    pub(super) world: World,
    running: Rc<RefCell<String>>,
    pub(super) says: Rc<RefCell<Vec<Answer>>>,
}

pub(super) fn haproxy() -> Fake {
    let world = World::install(["lb1"]);
    world.file("lb1", MAP, "# of the requests of shop\nshop -1\n");
    let fake = Fake { world, running: Rc::new(RefCell::new("-1".to_owned())), says: Rc::default() };
    let (running, says) = (Rc::clone(&fake.running), Rc::clone(&fake.says));
    fake.world.socket("lb1", SOCKET, move |content| {
        let line = content.strip_suffix('\n').expect("a line");
        if let Some((_, answer)) = says.borrow().iter().find(|(begin, _)| line.starts_with(begin.as_str())) {
            return answer.clone();
        }
        let stat = |color: &str, port: u16| {
            format!(
                "{HEAD}shop-{color},web1,0,UP,0,L4OK,,,Layer4 check passed,10.0.0.11:{port},\nshop-{color},BACKEND,3,UP,0,,,,,,\n\n"
            )
        };
        let answer = match line {
            "show map /var/lib/cutover-haproxy/shop/green.map" => {
                format!("0x5581 other 7\n0x5582 shop {}\n\n", running.borrow())
            }
            "show stat shop-blue 6 -1" => stat("blue", 4001),
            "show stat shop-green 6 -1" => stat("green", 4002),
            line => {
                let value = line.strip_prefix("set map /var/lib/cutover-haproxy/shop/green.map shop ");
                *running.borrow_mut() = value.unwrap_or_else(|| panic!("asked for `{line}`")).to_owned();
                "\n".to_owned()
            }
        };
        Ok(answer)
    });
    fake
}

impl Fake {
    /// From now on, to lines that begin so.
    pub(super) fn answer(&self, begin: &str, answer: Result<&str, HostError>) {
        self.says.borrow_mut().insert(0, (begin.to_owned(), answer.map(str::to_owned)));
    }

    fn file(&self) -> String {
        self.world.text("lb1", MAP).expect("the map file")
    }

    fn moves(&self) -> Vec<String> {
        let moves = |call: &String| call.contains("set map") || call.starts_with("write");
        self.world.calls().into_iter().filter(moves).collect()
    }
}

pub(super) fn call() -> Call {
    fake::call(
        "{}",
        [Color::Blue, Color::Green].map(|color| fake::instance("web1", color, "10.0.0.11")).into(),
    )
}

pub(super) fn observe(fake: &Fake) -> Result<Observation, HookError> {
    fake.world.reading(|| Haproxy::observe(&Settings::default(), &call(), "lb1"))
}

pub(super) fn apply(want: &Routing) -> Result<(), HookError> {
    Haproxy::apply(&Settings::default(), &call(), "lb1", want)
}

pub(super) fn prepare(want: &Routing) -> Result<String, HookError> {
    Haproxy::prepare(&Settings::default(), &call(), "lb1", want)
}

fn observed(routing: Routing, settled: bool, labels: &[(&str, &str)]) -> Observation {
    let servers = [("blue-servers", "web1 UP"), ("green-servers", "web1 UP")];
    let labels = labels.iter().chain(&servers);
    let labels = labels.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Observation { routing: Some(routing), settled, labels }
}

#[test]
fn every_way_leads_where_it_should_and_twice_does_no_harm() {
    let fake = haproxy();
    assert_eq!(observe(&fake), Ok(observed(NONE, true, &[("map", "none")])));
    let share = |green| Routing { blue: 100 - green, green, out: Vec::new() };
    for want in [BLUE, GREEN, NONE, GREEN, share(25), BLUE, share(1), share(99), GREEN, BLUE, NONE, BLUE] {
        assert!(prepare(&want).is_ok());
        for _ in 0..2 {
            assert_eq!(apply(&want), Ok(()));
            let seen = observe(&fake).expect("an observation");
            assert_eq!((seen.routing, seen.settled), (Some(want.clone()), true));
        }
    }
    assert_eq!(fake.file(), "# of the requests of shop\nshop 0\n");
}

#[test]
fn a_switch_is_the_file_and_one_command() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    fake.world.calls();
    apply(&GREEN).expect("green");
    assert_eq!(
        fake.moves(),
        [format!("write lb1 {MAP}"), format!("exchange lb1 {SOCKET} set map {MAP} shop 100\n")]
    );
    apply(&GREEN).expect("green again");
    assert_eq!(fake.moves(), Vec::<String>::new(), "it was so already");
    observe(&fake).expect("an observation");
    assert_eq!(fake.moves(), Vec::<String>::new(), "looking changes nothing");
}

#[test]
fn prepare_shows_the_change_and_leaves_all_as_it_was() {
    let fake = haproxy();
    assert_eq!(
        prepare(&BLUE).as_deref(),
        Ok("--- lb1, now\n+++ lb1, then\n-no colour: 503\n+blue: 10.0.0.11:4001\n")
    );
    apply(&BLUE).expect("blue");
    assert_eq!(
        prepare(&Routing { blue: 75, green: 25, out: Vec::new() }).as_deref(),
        Ok("--- lb1, now\n+++ lb1, then\n-blue: 10.0.0.11:4001\n\
            +blue 75 %: 10.0.0.11:4001\n+green 25 %: 10.0.0.11:4002\n")
    );
    assert_eq!(prepare(&BLUE).as_deref(), Ok(""));
    assert_eq!(fake.file(), "# of the requests of shop\nshop 0\n");
    assert_eq!(observe(&fake), Ok(observed(BLUE, true, &[("map", "blue")])));
}

#[test]
fn sessions_of_a_backend_are_counted() {
    let _fake = haproxy();
    assert_eq!(Haproxy::connections(&Settings::default(), &call(), "lb1", Color::Blue), Ok(Some(3)));
}

#[test]
fn a_server_that_haproxy_sees_down_is_not_switched_to() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    let servers = |first: &str| {
        format!("{HEAD}shop-green,web1,0,{first},10.0.0.11:4002,\nshop-green,BACKEND,0,UP,0,,,,,,\n\n")
    };
    fake.answer("show stat shop-green", Ok(&servers("DOWN,0,L7STS,404,Not Found,Layer7 wrong status")));
    assert_eq!(
        prepare(&GREEN),
        Err(HookError::temporary(
            "HAProxy on `lb1` does not see `shop-green/web1` up: DOWN (Layer7 wrong status 404: Not Found)\n\
             hint: HAProxy checks it by itself, at the address and in the way that haproxy.cfg says"
        ))
    );
    assert_eq!(prepare(&BLUE).as_deref(), Ok(""), "blue is up");
    fake.answer("show stat shop-green", Ok(&servers("MAINT,0,,,,")));
    assert_eq!(
        prepare(&GREEN),
        Err(HookError::failed(
            "HAProxy on `lb1` does not see `shop-green/web1` up: MAINT\n\
             hint: somebody has taken it out: `set server shop-green/web1 state ready` on the admin socket lets it in again"
        ))
    );
    fake.answer("show stat shop-green", Ok(&servers("no check,0,,,,")));
    assert!(prepare(&GREEN).is_ok(), "nobody knows better");
    assert_eq!(fake.file(), "# of the requests of shop\nshop 0\n");
}

#[test]
fn a_host_that_was_left_out_may_be_down_and_a_backup_server_is_nobodys() {
    let fake = haproxy();
    let mut call = call();
    call.instances.push(fake::instance("web2", Color::Green, "10.0.0.12"));
    fake.answer(
        "show stat shop-green",
        Ok(&format!(
            "{HEAD}shop-green,web1,0,UP,0,,,,,10.0.0.11:4002,\nshop-green,web2,0,DOWN,0,L4TOUT,,timeout,,10.0.0.12:4002,\n\
             shop-green,sorry,0,DOWN,1,,,,,127.0.0.1:80,\nshop-green,BACKEND,0,UP,1,,,,,,\n\n"
        )),
    );
    let prepare = |call: &Call| Haproxy::prepare(&Settings::default(), call, "lb1", &GREEN);
    assert!(prepare(&call).is_err());
    call.instances[2].labels.push(("left-out".to_owned(), String::new()));
    assert!(prepare(&call).is_ok());
}

#[test]
fn a_reload_in_the_middle_and_a_change_by_hand_are_seen_and_mended() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    // Somebody has moved it on the socket; a reload would take it back.
    *fake.running.borrow_mut() = "100".to_owned();
    let labels = [("map", "green"), ("map-file", "blue")];
    assert_eq!(observe(&fake), Ok(observed(GREEN, false, &labels)));
    apply(&BLUE).expect("blue");
    assert_eq!(observe(&fake), Ok(observed(BLUE, true, &[("map", "blue")])));

    // The file was written, and then the lights went out.
    fake.world.file("lb1", MAP, "shop 100\n");
    let labels = [("map", "blue"), ("map-file", "green")];
    assert_eq!(observe(&fake), Ok(observed(BLUE, false, &labels)));
    apply(&GREEN).expect("green");
    assert_eq!(observe(&fake), Ok(observed(GREEN, true, &[("map", "green")])));
    assert_eq!(fake.file(), "shop 100\n");
}

#[test]
fn the_file_follows_haproxy_where_that_refuses() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    fake.answer("set map", Ok("Permission denied\n\n"));
    let denied = "`unix:/run/haproxy/admin.sock` on `lb1` does not allow \
                  `set map /var/lib/cutover-haproxy/shop/green.map shop";
    let level = "hint: its `stats socket` line in haproxy.cfg needs `level admin`";
    assert_eq!(apply(&GREEN), Err(HookError::failed(format!("{denied} 100`\n{level}"))));
    assert_eq!(fake.file(), "# of the requests of shop\nshop 0\n");
    // And it is found before.
    assert_eq!(prepare(&GREEN), Err(HookError::failed(format!("{denied} 0`\n{level}"))));

    fake.answer("set map", Ok("entry not found.\n\n"));
    assert_eq!(
        apply(&GREEN),
        Err(HookError::failed(
            "HAProxy on `lb1` refused `set map /var/lib/cutover-haproxy/shop/green.map shop 100`: `entry not found.`"
        ))
    );
    assert_eq!(fake.file(), "# of the requests of shop\nshop 0\n");

    // It may have done it: the file stays, and `observe` tells.
    fake.answer("set map", Err(HostError::Broken("connection lost".to_owned())));
    assert_eq!(apply(&GREEN), Err(HookError::temporary("connection lost")));
    assert_eq!(fake.file(), "# of the requests of shop\nshop 100\n");
}

#[test]
fn single_hosts_are_refused() {
    haproxy();
    let out = Routing { out: vec!["web1".to_owned()], ..BLUE };
    let refused = HookError::failed("a map of HAProxy can't take single hosts out");
    assert_eq!(apply(&out), Err(refused.clone()));
    assert_eq!(prepare(&out), Err(refused));
}

#[test]
fn setup_needs_no_host_at_all() {
    let world = World::install([]);
    let mut call = call();
    call.facts.push(("setup".to_owned(), "deploy".to_owned()));
    assert!(Haproxy::prepare(&Settings::default(), &call, "lb1", &NONE).is_ok());
    assert_eq!(world.calls(), Vec::<String>::new());
}
