//! The style `servers`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing};

use crate::{Haproxy, Settings};

const BLUE: Routing = Routing::to(Some(Color::Blue));
const GREEN: Routing = Routing::to(Some(Color::Green));
const NONE: Routing = Routing::to(None);

const SOCKET: &str = "unix:/run/haproxy/admin.sock";
const FILE: &str = "/var/lib/cutover-haproxy/state";
const WITH_FILE: &str = r#"{"style": "servers", "state-file": "/var/lib/cutover-haproxy/state"}"#;

/// Bits of the administrative state.
const READY: u32 = 0;
const MAINT: u32 = 5;
const DRAIN: u32 = 8;

/// HAProxy with the servers of two hosts, all `disabled` in its configuration.
struct Fake {
    world: World,
    servers: Rc<RefCell<BTreeMap<String, u32>>>,
    /// Checks of green fail, so many more looks.
    green_down: Rc<Cell<u32>>,
    /// Checks of the second host fail.
    lost: Rc<Cell<bool>>,
    /// Asked for a change, it says so, and changes nothing.
    refuses: Rc<RefCell<Option<String>>>,
    /// What somebody else makes of servers as the next one is drained.
    meanwhile: Rc<RefCell<Vec<(&'static str, u32)>>>,
    more: Rc<RefCell<String>>,
}

fn haproxy() -> Fake {
    let world = World::install(["lb1"]);
    world.directory("lb1", "/var/lib/cutover-haproxy");
    let servers = call().instances.iter().map(|i| (format!("{}-{}", i.color, i.host), MAINT)).collect();
    let fake = Fake {
        world,
        servers: Rc::new(RefCell::new(servers)),
        green_down: Rc::default(),
        lost: Rc::default(),
        refuses: Rc::default(),
        meanwhile: Rc::default(),
        more: Rc::default(),
    };
    let (servers, down) = (Rc::clone(&fake.servers), Rc::clone(&fake.green_down));
    let lost = Rc::clone(&fake.lost);
    let (refuses, more) = (Rc::clone(&fake.refuses), Rc::clone(&fake.more));
    let meanwhile = Rc::clone(&fake.meanwhile);
    fake.world.socket("lb1", SOCKET, move |content| {
        let line = content.strip_suffix('\n').expect("a line");
        if line == "show servers state" {
            let head = "1\n# be_id be_name srv_name srv_admin_state srv_uweight\n7 blog blue-web1 8 1\n";
            let rows = servers
                .borrow()
                .iter()
                .map(|(name, bits)| format!("3 shop {name} {bits} 1\n"))
                .collect::<String>();
            return Ok(format!("{head}{rows}\n"));
        }
        if line == "show stat shop 6 -1" {
            let mut text =
                "# pxname,svname,scur,status,bck,check_status,check_code,last_chk,check_desc,addr,\n"
                    .to_owned();
            for (name, bits) in servers.borrow().iter() {
                let (port, host) =
                    (if name.starts_with("blue") { 4001 } else { 4002 }, &name[name.len() - 1..]);
                let status = match *bits {
                    _ if bits & 1 != 0 => "MAINT,0,,,,",
                    _ if (port == 4002 && down.get() > 0) || (host == "2" && lost.get()) => {
                        "DOWN,0,L4CON,,Connection refused,Layer4 connection problem"
                    }
                    8 | 12 => "DRAIN,0,L4OK,,,Layer4 check passed",
                    _ => "UP,0,L4OK,,,Layer4 check passed",
                };
                text += &format!("shop,{name},2,{status},10.0.0.1{host}:{port},\n");
            }
            down.set(down.get().saturating_sub(1));
            return Ok(format!("{text}{}shop,BACKEND,9,UP,0,,,,,,\n\n", more.borrow()));
        }
        let words: Vec<&str> = line.split(' ').collect();
        let ["set", "server", server, "state", state] = words[..] else { panic!("asked for `{line}`") };
        if let Some(refusal) = &*refuses.borrow() {
            return Ok(refusal.clone());
        }
        if state == "drain" {
            let others = meanwhile.take();
            servers.borrow_mut().extend(others.into_iter().map(|(name, bits)| (name.to_owned(), bits)));
        }
        let bits = if state == "ready" { READY } else { DRAIN };
        let name = server.strip_prefix("shop/").expect("the backend").to_owned();
        assert!(servers.borrow_mut().insert(name, bits).is_some(), "no server `{server}`");
        Ok("\n".to_owned())
    });
    fake
}

impl Fake {
    fn set(&self, servers: &[(&str, u32)]) {
        self.servers.borrow_mut().extend(servers.iter().map(|(name, bits)| ((*name).to_owned(), *bits)));
    }

    fn observe(&self, settings: &str) -> Observation {
        let parsed: Settings = serde_json::from_str(settings).expect("settings");
        self.world.reading(|| Haproxy::observe(&parsed, &call(), "lb1")).expect("an observation")
    }

    fn changes(&self) -> Vec<String> {
        let calls = self.world.calls();
        let change = |call: &String| {
            let set = call.strip_prefix(&format!("exchange lb1 {SOCKET} set server shop/"));
            set.map(str::to_owned).or_else(|| call.starts_with("write").then(|| call.clone()))
        };
        calls.iter().filter_map(change).map(|change| change.trim_end().to_owned()).collect()
    }
}

fn call() -> Call {
    let mut instances = Vec::new();
    for color in [Color::Blue, Color::Green] {
        instances.push(fake::instance("web1", color, "10.0.0.11"));
        instances.push(fake::instance("web2", color, "10.0.0.12"));
    }
    fake::call("{}", instances)
}

fn settings() -> Settings {
    serde_json::from_str(WITH_FILE).expect("settings")
}

fn apply(want: &Routing) -> Result<(), HookError> {
    Haproxy::apply(&settings(), &call(), "lb1", want)
}

fn prepare(want: &Routing) -> Result<String, HookError> {
    Haproxy::prepare(&settings(), &call(), "lb1", want)
}

#[test]
fn every_way_leads_where_it_should_and_twice_does_no_harm() {
    let fake = haproxy();
    assert_eq!(fake.observe(WITH_FILE).routing, Some(NONE));
    let half = Routing { blue: 50, green: 50, out: Vec::new() };
    let out = Routing { out: vec!["web2".to_owned()], ..GREEN };
    for want in [BLUE, GREEN, NONE, GREEN, out, GREEN, half, BLUE, NONE, BLUE] {
        prepare(&want).expect("a change");
        for _ in 0..2 {
            assert_eq!(apply(&want), Ok(()));
            let seen = fake.observe(WITH_FILE);
            assert_eq!((seen.routing, seen.settled), (Some(want.clone()), true));
        }
    }
}

#[test]
fn the_new_ones_are_up_before_the_old_ones_are_drained() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    fake.set(&[("green-web1", DRAIN), ("green-web2", DRAIN)]);
    fake.green_down.set(3);
    fake.changes();
    apply(&GREEN).expect("green");
    assert_eq!(
        fake.changes(),
        [
            "green-web1 state ready",
            "green-web2 state ready",
            "blue-web1 state drain",
            "blue-web2 state drain",
            &format!("write lb1 {FILE}"),
        ]
    );
    assert_eq!(fake.green_down.get(), 0, "it was waited for");

    // One that never comes up: the old ones go on.
    apply(&BLUE).expect("blue");
    fake.green_down.set(u32::MAX);
    fake.changes();
    assert_eq!(
        apply(&GREEN),
        Err(HookError::temporary(
            "HAProxy on `lb1` does not see `shop/green-web1` up: DOWN (Layer4 connection problem: Connection refused)\n\
             hint: HAProxy checks it by itself, at the address and in the way that haproxy.cfg says"
        ))
    );
    assert_eq!(fake.changes(), ["green-web1 state ready", "green-web2 state ready"]);
}

#[test]
fn one_that_is_down_holds_nothing_up_and_one_that_was_not_let_in_does() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    fake.set(&[("green-web1", DRAIN), ("green-web2", DRAIN)]);
    fake.changes();
    // HAProxy says that it is done, and it is not.
    *fake.refuses.borrow_mut() = Some("\n".to_owned());
    assert_eq!(
        apply(&GREEN),
        Err(HookError::failed(
            "HAProxy on `lb1` does not see `shop/green-web1` up: DRAIN\n\
             hint: somebody has taken it out: `set server shop/green-web1 state ready` on the admin socket lets it in again"
        ))
    );
    assert_eq!(fake.changes(), ["green-web1 state ready", "green-web2 state ready"]);
    *fake.refuses.borrow_mut() = None;
    fake.lost.set(true);
    assert_eq!(apply(&GREEN), Ok(()));
    assert_eq!(fake.observe(WITH_FILE).routing, Some(GREEN), "by the one that is up");
}

#[test]
fn who_takes_out_the_new_ones_as_the_old_ones_are_drained_does_not_leave_nobody() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    fake.set(&[("green-web1", DRAIN), ("green-web2", DRAIN)]);
    // One of two is left.
    *fake.meanwhile.borrow_mut() = vec![("green-web1", MAINT)];
    assert_eq!(apply(&GREEN), Ok(()));
    apply(&BLUE).expect("blue again");
    *fake.meanwhile.borrow_mut() = vec![("green-web1", MAINT), ("green-web2", DRAIN)];
    assert_eq!(
        apply(&GREEN),
        Err(HookError::failed(
            "HAProxy on `lb1` sees none of those up any more that are to get requests: green-web1 MAINT, green-web2 DRAIN\n\
             hint: blue-web1 blue-web2 get requests again, as before"
        ))
    );
    assert_eq!(fake.observe(WITH_FILE).routing, Some(BLUE));
    // To nobody, where that is wanted.
    assert_eq!(apply(&NONE), Ok(()));
    assert_eq!(fake.observe(WITH_FILE).routing, Some(NONE));
}

#[test]
fn prepare_has_them_checked_and_gives_them_nothing() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    fake.changes();
    assert_eq!(
        prepare(&GREEN).as_deref(),
        Ok(
            "--- lb1, now\n+++ lb1, then\n-shop/blue-web1\n-shop/blue-web2\n+shop/green-web1\n+shop/green-web2\n"
        )
    );
    // In maintenance they would not be checked.
    assert_eq!(
        fake.changes(),
        ["green-web1 state drain", "green-web2 state drain", &format!("write lb1 {FILE}")]
    );
    assert_eq!(fake.observe(WITH_FILE).routing, Some(BLUE));
    assert_eq!(prepare(&BLUE).as_deref(), Ok(""));
    let text = prepare(&NONE).expect("a change");
    assert!(text.ends_with("-shop/blue-web2\n+no server: 503\n"), "{text}");

    fake.green_down.set(1_000);
    assert!(matches!(prepare(&GREEN), Err(HookError::Temporary(_))));
    *fake.refuses.borrow_mut() = Some("Permission denied\n\n".to_owned());
    assert_eq!(
        prepare(&GREEN),
        Err(HookError::failed(
            "`unix:/run/haproxy/admin.sock` on `lb1` does not allow `set server shop/green-web1 state drain`\n\
             hint: its `stats socket` line in haproxy.cfg needs `level admin`"
        ))
    );
}

#[test]
fn what_a_reload_would_lose_is_said() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    let without = r#"{"style": "servers"}"#;
    let label = |observation: Observation| {
        observation.labels.into_iter().find(|(key, _)| key == "after-a-reload").map(|(_, text)| text)
    };
    assert_eq!(label(fake.observe(without)).as_deref(), Some("not kept: `state-file` is not set"));
    assert!(fake.observe(without).settled);
    assert_eq!(label(fake.observe(WITH_FILE)), None);
    // Somebody has let one in, by hand.
    fake.set(&[("green-web1", READY), ("green-web2", READY), ("blue-web1", DRAIN), ("blue-web2", MAINT)]);
    let seen = fake.observe(WITH_FILE);
    assert_eq!((seen.routing.clone(), seen.settled), (Some(GREEN), false));
    assert_eq!(label(seen).as_deref(), Some("blue"));
    apply(&GREEN).expect("green");
    assert!(fake.observe(WITH_FILE).settled);
    // A file that HAProxy would not understand says nothing of any server.
    fake.world.file("lb1", FILE, "nonsense");
    assert_eq!(label(fake.observe(WITH_FILE)).as_deref(), Some("none"));
}

#[test]
fn shares_are_what_the_weights_make_of_them() {
    let fake = haproxy();
    fake.set(&[("blue-web1", READY), ("blue-web2", READY), ("green-web1", READY)]);
    let seen = fake.observe(WITH_FILE).routing;
    assert_eq!(seen, Some(Routing { blue: 67, green: 33, out: Vec::new() }));
    fake.set(&[("blue-web2", DRAIN)]);
    let seen = fake.observe(WITH_FILE).routing;
    assert_eq!(seen, Some(Routing { blue: 50, green: 50, out: vec!["web2".to_owned()] }));
}

#[test]
fn a_host_that_was_left_out_gets_nothing_and_is_not_missed() {
    let fake = haproxy();
    let mut call = call();
    call.instances[3].labels.push(("left-out".to_owned(), String::new()));
    Haproxy::apply(&settings(), &call, "lb1", &GREEN).expect("green");
    assert_eq!(fake.servers.borrow()["green-web2"], MAINT);
    let seen = Haproxy::observe(&settings(), &call, "lb1").expect("an observation");
    assert_eq!(seen.routing, Some(GREEN));
}

#[test]
fn sessions_of_the_servers_of_a_color_are_counted() {
    let _fake = haproxy();
    assert_eq!(Haproxy::connections(&settings(), &call(), "lb1", Color::Blue), Ok(Some(4)));
}

#[test]
fn a_backend_that_is_another() {
    let fake = haproxy();
    let text = |settings: &str, call: &Call| {
        let settings: Settings = serde_json::from_str(settings).expect("settings");
        Haproxy::observe(&settings, call, "lb1").expect_err("another backend").text().to_owned()
    };
    let install = "hint: install what `cutover setup` prints for this host, and reload HAProxy";
    assert_eq!(
        text(r#"{"style": "servers", "server": "shop-{color}-{host}"}"#, &call()),
        format!("HAProxy on `lb1` has no server `shop-blue-web1` in backend `shop`\n{install}")
    );
    let mut moved = call();
    moved.instances[2].port = 4003;
    assert_eq!(
        text(WITH_FILE, &moved),
        format!(
            "HAProxy on `lb1` has `shop/green-web1` at 10.0.0.11:4002, cutover.toml has it at 10.0.0.11:4003\n{install}"
        )
    );
    *fake.more.borrow_mut() =
        "shop,old,0,no check,0,,,,,10.0.0.9:80,\nshop,sorry,0,no check,1,,,,,10.0.0.9:81,\n".to_owned();
    assert_eq!(
        text(WITH_FILE, &call()),
        "HAProxy on `lb1` has a server `old` in backend `shop`, cutover.toml has none\n\
         hint: it would get requests of either colour: make it `backup`, or remove it; servers of ours are called \
         `{color}-{host}`"
    );
    fake.world.socket("lb1", SOCKET, |_| Ok("HTTP/1.1 400 Bad request\r\n\r\n".to_owned()));
    assert_eq!(
        text(WITH_FILE, &call()),
        "`unix:/run/haproxy/admin.sock` on `lb1` does not answer `show stat shop 6 -1` as HAProxy does: \
         `HTTP/1.1 400 Bad request`\nhint: `socket` in `router.settings` is what `stats socket` in haproxy.cfg names"
    );
}

#[test]
fn a_state_file_that_can_not_be_written_is_found_before_the_switch() {
    let fake = haproxy();
    apply(&BLUE).expect("blue");
    let settings: Settings =
        serde_json::from_str(r#"{"style": "servers", "state-file": "/elsewhere/state"}"#).expect("settings");
    let error = Haproxy::prepare(&settings, &call(), "lb1", &GREEN).expect_err("no directory");
    assert_eq!(
        error.text(),
        "failed to write the state file: no directory `/elsewhere`\n\
         hint: its directory belongs to the deploy user: `cutover setup` prints how"
    );
    assert_eq!(fake.observe(WITH_FILE).routing, Some(BLUE));
}
