//! The hook against a proxy that is scripted on the fake host.

use std::cell::RefCell;
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::hosts::HostError;
use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing};
use serde_json::{Value, json};

use crate::{Proxy, Settings};

const BLUE: Routing = Routing::to(Some(Color::Blue));
const GREEN: Routing = Routing::to(Some(Color::Green));
const NONE: Routing = Routing::to(None);
const SOCKET: &str = "unix:/var/lib/cutover-proxy/control.sock";

fn call() -> (Settings, Call) {
    let mut instances = Vec::new();
    for color in [Color::Blue, Color::Green] {
        instances.push(fake::instance("web1", color, "10.0.0.11"));
        instances.push(fake::instance("web2", color, "fd00::12"));
    }
    (Settings::default(), fake::call("{}", instances))
}

/// What a proxy has.
#[derive(Default)]
struct State {
    version: u64,
    route: Value,
    /// Before the next change is made.
    interruption: Option<Value>,
}

struct Fake {
    world: World,
    state: Rc<RefCell<State>>,
}

fn proxy() -> Fake {
    let world = World::install(["lb1"]);
    let state = Rc::new(RefCell::new(State::default()));
    let own = Rc::clone(&state);
    world.socket("lb1", SOCKET, move |line| Ok(answer(&mut own.borrow_mut(), line)));
    Fake { world, state }
}

fn answer(state: &mut State, line: &str) -> String {
    let words: Vec<&str> = line.strip_suffix('\n').expect("a line").splitn(4, ' ').collect();
    let answer = match words[..] {
        ["show", "shop"] => {
            let blue = json!({ "requests": 3, "hosts": { "web1": 1, "web2": 2 } });
            let green = json!({ "requests": 1, "hosts": { "web2": 1 } });
            let open = json!({ "blue": blue, "green": green });
            json!({ "version": state.version, "route": state.route, "open": open })
        }
        [verb @ ("set" | "check"), "shop", version, route] => {
            if let Some(route) = state.interruption.take() {
                (state.version, state.route) = (state.version + 1, route);
            }
            if version.parse() != Ok(state.version) {
                let text = format!("the route of `shop` has version {} by now, not {version}", state.version);
                json!({ "error": text })
            } else {
                if verb == "set" {
                    state.version += 1;
                    state.route = serde_json::from_str(route).expect("JSON");
                }
                json!({ "version": state.version + u64::from(verb == "check") })
            }
        }
        _ => panic!("{line}"),
    };
    format!("{answer}\n")
}

impl Fake {
    fn observe(&self) -> Result<Observation, HookError> {
        let (settings, call) = call();
        self.world.reading(|| Proxy::observe(&settings, &call, "lb1"))
    }
}

fn apply(want: &Routing) -> Result<(), HookError> {
    let (settings, call) = call();
    Proxy::apply(&settings, &call, "lb1", want)
}

fn prepare(want: &Routing) -> Result<String, HookError> {
    let (settings, call) = call();
    Proxy::prepare(&settings, &call, "lb1", want)
}

#[test]
fn every_way_leads_where_it_should_and_twice_does_no_harm() {
    let fake = proxy();
    assert_eq!(fake.observe(), Ok(Observation { routing: None, settled: true, labels: Vec::new() }));
    let shares = Routing { blue: 75, green: 25, out: Vec::new() };
    let out = Routing { out: vec!["web2".to_owned()], ..GREEN };
    for want in [BLUE, GREEN, NONE, shares, out, BLUE] {
        let before = fake.state.borrow().version;
        for _ in 0..2 {
            assert_eq!(apply(&want), Ok(()));
            let version = fake.state.borrow().version;
            assert_eq!(version, before + 1, "once");
            let labels = vec![("version".to_owned(), version.to_string())];
            assert_eq!(
                fake.observe(),
                Ok(Observation { routing: Some(want.clone()), settled: true, labels })
            );
            assert_eq!(prepare(&want).as_deref(), Ok(""));
        }
    }
}

#[test]
fn the_route_is_this() {
    let fake = proxy();
    apply(&Routing { blue: 75, green: 25, out: vec!["web2".to_owned()] }).expect("a route");
    let upstreams = |port: u16| {
        json!([
            { "host": "web1", "address": format!("10.0.0.11:{port}") },
            { "host": "web2", "address": format!("[fd00::12]:{port}") },
        ])
    };
    let route = json!({
        "host-names": [],
        "blue": { "percent": 75, "upstreams": upstreams(4001) },
        "green": { "percent": 25, "upstreams": upstreams(4002) },
        "out": ["web2"],
    });
    assert_eq!(fake.state.borrow().route, route);
}

#[test]
fn an_instance_that_was_left_out_gets_nothing() {
    let fake = proxy();
    let (settings, mut call) = call();
    call.instances[3].labels.push(("left-out".to_owned(), String::new()));
    Proxy::apply(&settings, &call, "lb1", &GREEN).expect("a route");
    let state = fake.state.borrow();
    let hosts = |color: &str| state.route[color]["upstreams"].as_array().map_or(0, Vec::len);
    assert_eq!((hosts("blue"), hosts("green")), (2, 1));
}

#[test]
fn prepare_shows_the_change_and_makes_none() {
    let fake = proxy();
    let head = "--- lb1, now\n+++ lb1, then\n";
    let blue = "blue: 10.0.0.11:4001 [fd00::12]:4001\n";
    assert_eq!(prepare(&BLUE), Ok(format!("{head}+{blue}")));
    assert_eq!(fake.state.borrow().version, 0);
    apply(&BLUE).expect("blue");
    let shares = Routing { blue: 90, green: 10, out: vec!["web1".to_owned()] };
    assert_eq!(
        prepare(&shares),
        Ok(format!("{head}-{blue}+blue 90 %: [fd00::12]:4001\n+green 10 %: [fd00::12]:4002\n"))
    );
    assert_eq!(prepare(&NONE), Ok(format!("{head}-{blue}+no colour: 503\n")));
    let (_, call) = call();
    let settings = serde_json::from_str(r#"{"host-names": ["shop.example"]}"#).expect("settings");
    assert_eq!(
        Proxy::prepare(&settings, &call, "lb1", &BLUE),
        Ok(format!("{head}-{blue}+host names: shop.example\n+{blue}"))
    );
    // Whoever looks on is told that what runs is not what is written.
    let seen = fake.world.reading(|| Proxy::observe(&settings, &call, "lb1")).expect("an observation");
    assert_eq!(seen.labels[1], ("instances".to_owned(), "others than in cutover.toml".to_owned()));
    assert_eq!(fake.state.borrow().version, 1);
}

#[test]
fn who_was_slower_changes_nothing() {
    let fake = proxy();
    apply(&BLUE).expect("blue");
    let other = fake.state.borrow().route.clone();
    for change in [apply as fn(&Routing) -> _, |want| prepare(want).map(drop)] {
        fake.state.borrow_mut().interruption = Some(other.clone());
        let version = fake.state.borrow().version;
        let text = format!(
            "the proxy on `lb1` refuses it: the route of `shop` has version {} by now, not {version}",
            version + 1
        );
        assert_eq!(change(&GREEN), Err(HookError::failed(text)));
        assert_eq!(fake.state.borrow().route, other);
    }
}

#[test]
fn what_is_open_is_told_by_color_and_host() {
    let fake = proxy();
    let (settings, mut call) = call();
    let open = |call: &Call| {
        [Color::Blue, Color::Green].map(|color| {
            let ask = || Proxy::connections(&settings, call, "lb1", color);
            fake.world.reading(ask).expect("a count").expect("a number")
        })
    };
    assert_eq!(open(&call), [3, 1]);
    for (hosts, counts) in [("web1", [1, 0]), ("web2", [2, 1]), ("web1 web2", [3, 1]), ("web3", [0, 0])] {
        call.facts = vec![("hosts".to_owned(), hosts.to_owned())];
        assert_eq!(open(&call), counts, "{hosts}");
    }
}

#[test]
fn a_proxy_that_does_not_answer_says_what_to_do() {
    let world = World::install(["lb1"]);
    let fake = Fake { world, state: Rc::default() };
    let failed = |text: &str| Err::<Observation, _>(HookError::failed(text));
    let hint = "hint: `cutover setup` prints how it is installed; `directory` in `router.settings` is its --directory";
    assert_eq!(fake.observe(), failed(&format!("no proxy has run on `lb1`: there is no `{SOCKET}`\n{hint}")));
    for (fault, text) in [
        (
            "x: connection refused",
            "the proxy on `lb1` does not run: x: connection refused\nhint: systemctl start cutover-proxy",
        ),
        (
            "x: permission denied",
            "the proxy on `lb1` lets nobody in: x: permission denied\n\
             hint: it must run as the deploy user, as `cutover setup` prints it",
        ),
        ("x: odd", "x: odd"),
    ] {
        fake.world.socket("lb1", SOCKET, move |_| Err(HostError::Failed(fault.to_owned())));
        assert_eq!(fake.observe(), failed(text));
    }
    let hint = "hint: `directory` in `router.settings` is the --directory of `cutover proxy run`";
    for (said, shown) in [("", "nothing"), ("\n Unknown command\n", "`Unknown command`"), ("{}", "`{}`")] {
        fake.world.socket("lb1", SOCKET, move |_| Ok(said.to_owned()));
        let text = format!("`{SOCKET}` on `lb1` does not answer as the proxy does: {shown}\n{hint}");
        assert_eq!(fake.observe(), failed(&text));
    }
    fake.world.socket("lb1", SOCKET, |_| Ok("{\"error\":\"`blog` has it already\"}\n".to_owned()));
    let refused = "the proxy on `lb1` refuses it: `blog` has it already";
    assert_eq!(prepare(&BLUE), Err(HookError::failed(refused)));
    fake.world.socket("lb1", SOCKET, |_| Err(HostError::TimedOut("no answer within 5 s".to_owned())));
    let late = HookError::temporary("the proxy on `lb1` did not answer to its end: no answer within 5 s");
    assert_eq!(fake.observe(), Err(late.hint("journalctl -u cutover-proxy")));
    let reset = "failed to talk to the socket: connection reset by peer";
    fake.world.socket("lb1", SOCKET, move |_| Err(HostError::Failed(reset.to_owned())));
    let text = format!("the proxy on `lb1` has hung up: {reset}");
    assert_eq!(fake.observe(), Err(HookError::temporary(text)));
}

#[test]
fn a_color_without_instances_gets_nothing() {
    let fake = proxy();
    let (settings, mut call) = call();
    call.instances.truncate(2);
    let apply = |want: &Routing| Proxy::apply(&settings, &call, "lb1", want);
    assert_eq!(apply(&GREEN), Err(HookError::failed("green has no instances")));
    assert_eq!(apply(&BLUE), Ok(()));
    assert_eq!(fake.state.borrow().route["green"], json!({ "percent": 0, "upstreams": [] }));
}

#[test]
fn testers_choose_while_requests_are_shared() {
    let fake = proxy();
    let (_, mut call) = call();
    let settings = serde_json::from_str(r#"{"testers": {"header": "x-canary"}}"#).expect("settings");
    let shares = Routing { blue: 90, green: 10, out: Vec::new() };
    let lines = "--- lb1, now\n+++ lb1, then\n+blue 90 %: 10.0.0.11:4001 [fd00::12]:4001\n\
                 +green 10 %: 10.0.0.11:4002 [fd00::12]:4002\n";
    for (color, words) in
        [(Color::Blue, "always blue, never green"), (Color::Green, "always green, never blue")]
    {
        fake.state.replace(State::default());
        call.color = color;
        assert_eq!(
            Proxy::prepare(&settings, &call, "lb1", &shares),
            Ok(format!("{lines}+header x-canary: {words}\n"))
        );
        Proxy::apply(&settings, &call, "lb1", &shares).expect("shares");
        let testers = json!({ "header": "x-canary", "always": color.as_str() });
        assert_eq!(fake.state.borrow().route["testers"], testers);
        // Who only looks on does not know which one is new.
        call.color = color.other();
        let seen = fake.world.reading(|| Proxy::observe(&settings, &call, "lb1")).expect("an observation");
        assert_eq!(seen.labels, [("version".to_owned(), "1".to_owned())]);
        Proxy::apply(&settings, &call, "lb1", &GREEN).expect("green");
        assert_eq!(fake.state.borrow().route["testers"], Value::Null);
    }
}
