//! The hook against a Traefik that is scripted on the fake host.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::http::{HttpError, Request, Response};
use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, hosts};

use crate::{Settings, Traefik};

const BLUE: Routing = Routing::to(Some(Color::Blue));
const GREEN: Routing = Routing::to(Some(Color::Green));
const NONE: Routing = Routing::to(None);
const TENTH: Routing = Routing { blue: 90, green: 10, out: Vec::new() };
const FILE: &str = "/etc/traefik/dynamic/cutover-shop.yml";
const PROBE: &str = "/etc/traefik/dynamic/cutover-shop.probe.yml";
const REMOVE: &str = "hint: was `/etc/traefik/dynamic/cutover-shop.yml` changed by hand? Remove it, and the next deployment writes it anew";
const FOREIGN: &str = "`cutover-shop` of Traefik on `lb1` is not what cutover writes\n\
     hint: only `/etc/traefik/dynamic/cutover-shop.yml` may have services of that name; what was changed there by hand is best removed with it";

fn call() -> (Settings, Call) {
    let instances = [Color::Blue, Color::Green].map(|color| fake::instance("web1", color, "10.0.0.11"));
    (Settings::default(), fake::call("{}", instances.into()))
}

/// Traefik on `lb1`, which takes up at once what is written, or sleeps.
#[derive(Clone)]
struct Fake {
    world: World,
    asleep: Rc<Cell<bool>>,
    /// What it has taken up: the file, and whether there is a probe.
    loaded: Rc<RefCell<(Option<String>, bool)>>,
}

fn traefik() -> Fake {
    let world = World::install(["lb1"]);
    world.directory("lb1", "/etc/traefik/dynamic");
    let fake = Fake { world, asleep: Rc::default(), loaded: Rc::default() };
    let server = fake.clone();
    fake.world.http(move |request| server.answer(request));
    fake
}

impl Fake {
    fn answer(&self, request: &Request) -> Result<Response, HttpError> {
        assert_eq!((request.method.as_str(), request.via.as_deref()), ("GET", Some("lb1")));
        if !self.asleep.get() {
            let probe = self.world.text("lb1", PROBE).is_some();
            *self.loaded.borrow_mut() = (self.world.text("lb1", FILE), probe);
        }
        let name = request.url.strip_prefix("http://127.0.0.1:8080/api/http/services/").expect("the API");
        let (file, probe) = &*self.loaded.borrow();
        let after = |key: &str| {
            let lines = file.iter().flat_map(|text| text.lines()).map(str::trim);
            lines.filter_map(|line| line.strip_prefix(key)).map(str::to_owned).collect::<Vec<_>>()
        };
        let balancer = |urls: &[String]| {
            let servers: Vec<String> = urls.iter().map(|url| format!("{{\"url\":{url}}}")).collect();
            format!("{{\"status\":\"enabled\",\"loadBalancer\":{{\"servers\":[{}]}}}}", servers.join(","))
        };
        let (weights, urls) = (after("weight: "), after("- url: "));
        let found = match name {
            "cutover-shop.probe@file" => probe.then(|| balancer(&["\"http://127.0.0.1:1\"".to_owned()])),
            _ if file.is_none() => None,
            "cutover-shop@file" => Some(format!(
                "{{\"status\":\"enabled\",\"weighted\":{{\"services\":[{{\"name\":\"cutover-shop.blue\",\"weight\":{}}},\
                 {{\"name\":\"cutover-shop.green\",\"weight\":{}}}]}}}}",
                weights[0], weights[1]
            )),
            "cutover-shop.blue@file" => Some(balancer(&urls[..1])),
            "cutover-shop.green@file" => Some(balancer(&urls[1..])),
            other => panic!("{other}"),
        };
        match found {
            Some(text) => fake::response(200, &[], &text),
            None => fake::response(404, &[], &format!("{{\"message\":\"service not found: {name}\"}}\n")),
        }
    }

    fn observe(&self) -> Result<Observation, HookError> {
        let (settings, call) = call();
        self.world.reading(|| Traefik::observe(&settings, &call, "lb1"))
    }
}

fn apply(want: &Routing) -> Result<(), HookError> {
    let (settings, call) = call();
    Traefik::apply(&settings, &call, "lb1", want)
}

fn prepare(want: &Routing) -> Result<String, HookError> {
    let (settings, call) = call();
    Traefik::prepare(&settings, &call, "lb1", want)
}

fn observed(routing: Routing, settled: bool) -> Observation {
    Observation { routing: Some(routing), settled, labels: Vec::new() }
}

fn failed<T>(text: &str) -> Result<T, HookError> {
    Err(HookError::failed(text))
}

#[test]
fn every_way_leads_where_it_should_and_twice_does_no_harm() {
    let fake = traefik();
    assert_eq!(fake.observe(), Ok(Observation { routing: None, settled: true, labels: Vec::new() }));
    for want in [BLUE, GREEN, TENTH, NONE, TENTH, BLUE, NONE, GREEN] {
        fake.world.calls();
        for _ in 0..2 {
            assert_eq!(apply(&want), Ok(()));
            assert_eq!(fake.observe(), Ok(observed(want.clone(), true)));
        }
        let calls = fake.world.calls();
        let writes: Vec<&String> = calls.iter().filter(|call| call.starts_with("write")).collect();
        assert_eq!(writes, [&format!("write lb1 {FILE}")], "what is so already is not written again");
    }
}

#[test]
fn it_is_settled_once_traefik_has_followed_and_told_again_until_then() {
    let fake = traefik();
    apply(&BLUE).expect("blue");
    assert_eq!(fake.observe(), Ok(observed(BLUE, true)));
    fake.asleep.set(true);
    apply(&GREEN).expect("green");
    assert_eq!(fake.observe(), Ok(observed(BLUE, false)));
    fake.world.calls();
    apply(&GREEN).expect("green again");
    assert!(fake.world.calls().contains(&format!("write lb1 {FILE}")));
    fake.asleep.set(false);
    assert_eq!(fake.observe(), Ok(observed(GREEN, true)));
}

#[test]
fn prepare_shows_the_change_and_leaves_nothing_behind() {
    let fake = traefik();
    assert_eq!(prepare(&BLUE).as_deref(), Ok("--- lb1, now\n+++ lb1, then\n+blue: 10.0.0.11:4001\n"));
    apply(&BLUE).expect("blue");
    let tenth = "--- lb1, now\n+++ lb1, then\n-blue: 10.0.0.11:4001\n+blue 90 %: 10.0.0.11:4001\n+green 10 %: 10.0.0.11:4002\n";
    assert_eq!(prepare(&TENTH).as_deref(), Ok(tenth));
    let none = "--- lb1, now\n+++ lb1, then\n-blue: 10.0.0.11:4001\n+no colour: 503\n";
    assert_eq!(prepare(&NONE).as_deref(), Ok(none));
    fake.world.calls();
    assert_eq!(prepare(&BLUE).as_deref(), Ok(""));
    assert!(!fake.world.calls().iter().any(|call| call.starts_with("write")));
    assert_eq!(fake.world.text("lb1", PROBE), None);
    assert_eq!(fake.observe(), Ok(observed(BLUE, true)));
}

#[test]
fn a_traefik_that_does_not_follow_is_found_before_the_switch() {
    let fake = traefik();
    apply(&BLUE).expect("blue");
    assert_eq!(fake.observe(), Ok(observed(BLUE, true)));
    fake.asleep.set(true);
    let deaf = "Traefik on `lb1` does not take up what is written in `/etc/traefik/dynamic`\n\
         hint: its `providers.file.directory` has to be that one, its user able to read it, and each file there valid: its log names one \
         that is not";
    assert_eq!(prepare(&GREEN), failed(deaf));
    assert_eq!(fake.world.text("lb1", PROBE), None);
    assert_eq!(fake.observe(), Ok(observed(BLUE, true)));
    // A check that was cut off has left its file: that Traefik forgets it is a proof as well.
    fake.asleep.set(false);
    fake.world.file("lb1", PROBE, "");
    fake.world.calls();
    prepare(&GREEN).expect("a change");
    assert!(!fake.world.calls().contains(&format!("write lb1 {PROBE}")));
    assert_eq!(fake.world.text("lb1", PROBE), None);
}

#[test]
fn what_is_changed_by_hand_is_seen() {
    let fake = traefik();
    apply(&BLUE).expect("blue");
    let own = fake.world.text("lb1", FILE).expect("the file");
    let edit = |from: &str, to: &str| fake.world.file("lb1", FILE, &own.replace(from, to));
    edit("weight: 0", "weight: 300");
    assert_eq!(fake.observe(), Ok(observed(Routing { blue: 25, green: 75, out: Vec::new() }, true)));
    edit("10.0.0.11:4001", "10.0.0.12:4001");
    let labels = vec![("instances".to_owned(), "others than in cutover.toml".to_owned())];
    assert_eq!(fake.observe(), Ok(Observation { labels, ..observed(BLUE, true) }));
    // Between what `prepare` has shown and the switch: what is written then is the whole file.
    prepare(&GREEN).expect("a change");
    edit("servers:", "strategy: p2c\n        servers:");
    apply(&GREEN).expect("green");
    apply(&BLUE).expect("blue");
    assert_eq!(fake.world.text("lb1", FILE), Some(own.clone()));
    edit("# Written by cutover", "# Written by Ann");
    let text = format!(
        "`{FILE}` on `lb1` was not written by cutover\n\
         hint: give it another name: the next deployment writes one of that name"
    );
    assert_eq!(
        (fake.observe(), prepare(&GREEN), apply(&GREEN)),
        (failed(&text), failed(&text), failed(&text))
    );
    hosts::remove("lb1", FILE).expect("removed");
    assert_eq!(fake.observe(), Ok(Observation { routing: None, settled: true, labels: Vec::new() }));
}

#[test]
fn a_directory_that_can_not_be_written_is_found_before_the_switch() {
    let fake = traefik();
    let settings: Settings = serde_json::from_str(r#"{"directory": "/elsewhere"}"#).expect("settings");
    let text = "failed to write in `/elsewhere` on `lb1`: no directory `/elsewhere`\n\
         hint: the deploy user has to own that directory: `cutover setup` prints how it is made";
    assert_eq!(Traefik::prepare(&settings, &call().1, "lb1", &GREEN), failed(text));
    assert_eq!(Traefik::apply(&settings, &call().1, "lb1", &GREEN), failed(text));
    assert_eq!(fake.observe(), Ok(Observation { routing: None, settled: true, labels: Vec::new() }));
}

#[test]
fn answers_that_are_none_say_what_is_wrong() {
    let fake = traefik();
    let stranger = |said: &str| {
        format!(
            "127.0.0.1:8080 on `lb1` does not answer as the API of Traefik does: {said}\n\
             hint: `api-port` of the settings is the port that `cutover setup` prints"
        )
    };
    let enabled = |rest: &str| format!("{{\"status\":\"enabled\",{rest}}}");
    let children = "\"weighted\":{\"services\":[{\"name\":\"cutover-shop.blue\"},{\"name\":\"cutover-shop.green\",\"weight\":0}]}";
    for (status, body, text) in [
        (404, "404 page not found".to_owned(), stranger("404: 404 page not found")),
        (
            404,
            "{\"message\":\"router not found\"}".to_owned(),
            stranger("404: {\"message\":\"router not found\"}"),
        ),
        (401, "Unauthorized".to_owned(), stranger("401: Unauthorized")),
        (200, "<html>".to_owned(), stranger("200: <html>")),
        (500, enabled(children), stranger(&format!("500: {}", enabled(children)))),
        (
            200,
            "{\"status\":\"disabled\",\"error\":[\"a\",\"b\"]}".to_owned(),
            format!("Traefik on `lb1` can't use `cutover-shop`: a; b\n{REMOVE}"),
        ),
        (200, enabled("\"loadBalancer\":{\"servers\":[]}"), FOREIGN.to_owned()),
        (200, enabled("\"weighted\":{\"services\":[{\"name\":\"x\"},{\"name\":\"y\"}]}"), FOREIGN.to_owned()),
        // The same is said of the colours, which are no weighted services.
        (200, enabled(children), FOREIGN.to_owned()),
        (
            200,
            enabled(&format!(
                "{children},\"loadBalancer\":{{\"servers\":[{{\"url\":\"h2c://10.0.0.11:4001\"}}]}}"
            )),
            FOREIGN.to_owned(),
        ),
    ] {
        fake.world.http(move |_| fake::response(status, &[], &body));
        assert_eq!(fake.observe(), failed(&text));
    }
    let balancer = "\"loadBalancer\":{\"servers\":[{\"url\":\"http://10.0.0.11:4001/\"}]}";
    let (both, top) = (enabled(&format!("{children},{balancer}")), enabled(children));
    fake.world.http(move |_| fake::response(200, &[], &both));
    assert_eq!(fake.observe().expect("an observation").routing, Some(BLUE), "1 where no weight is written");
    fake.world.http(move |request| match request.url.ends_with("/cutover-shop@file") {
        true => fake::response(200, &[], &top),
        false => fake::response(404, &[], "{\"message\":\"service not found: x\"}"),
    });
    let between = HookError::temporary("Traefik on `lb1` is just taking up another configuration");
    assert_eq!(fake.observe(), Err(between));
    fake.world.http(|_| Err(HttpError::TimedOut("no answer within 15 s".to_owned())));
    let text =
        "Traefik on `lb1` did not answer to its end: no answer within 15 s\nhint: its log may tell why";
    assert_eq!(fake.observe(), Err(HookError::temporary(text)));
    fake.world.http(|_| Err(HttpError::Connect("127.0.0.1:8080: connection refused".to_owned())));
    let text = "the API of Traefik on `lb1` does not answer: 127.0.0.1:8080: connection refused\n\
         hint: start Traefik; where it runs, its own configuration needs what `cutover setup` prints";
    assert_eq!(fake.observe(), failed(text));
}

#[test]
fn single_hosts_are_refused() {
    traefik();
    let out = Routing { out: vec!["web1".to_owned()], ..BLUE };
    let text = "builtin:traefik can't take single hosts out";
    assert_eq!((apply(&out), prepare(&out)), (failed(text), failed(text)));
}

#[test]
fn setup_needs_no_host_at_all() {
    let world = World::install([]);
    let (settings, mut call) = call();
    call.facts.push(("setup".to_owned(), "deploy".to_owned()));
    let text = Traefik::prepare(&settings, &call, "lb1", &NONE).expect("a script");
    assert!(text.starts_with(
        "# Traefik on lb1: /etc/traefik/dynamic/cutover-shop.yml says where requests of shop go."
    ));
    assert_eq!(world.calls(), Vec::<String>::new());
}
