//! The hook against a Caddy that is scripted on the fake host.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::http::HttpError;
use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing};

use crate::{Caddy, Settings};

const BLUE: Routing = Routing::to(Some(Color::Blue));
const GREEN: Routing = Routing::to(Some(Color::Green));
const NONE: Routing = Routing::to(None);
const DIRECTORY: &str = "/var/lib/cutover-caddy/shop";
const HINT: &str = "install what `cutover setup` prints for this host, and reload Caddy";

fn call() -> (Settings, Call) {
    let instances = [Color::Blue, Color::Green].map(|color| fake::instance("web1", color, "10.0.0.11"));
    (Settings::default(), fake::call("{}", instances.into()))
}

/// Caddy with the generated configuration, which sees the flags or doesn't.
struct Fake {
    world: World,
    sees: Rc<Cell<bool>>,
    green_at: Rc<RefCell<String>>,
}

fn caddy() -> Fake {
    let world = World::install(["lb1"]);
    world.directory("lb1", DIRECTORY);
    let sees = Rc::new(Cell::new(true));
    let green_at = Rc::new(RefCell::new("10.0.0.11:4002".to_owned()));
    let (files, eyes, green) = (world.clone(), Rc::clone(&sees), Rc::clone(&green_at));
    world.http(move |request| {
        assert_eq!(request.url, "http://cutover-shop:8097/");
        assert_eq!(request.connect_to.as_deref(), Some("127.0.0.1:8097"));
        assert_eq!(request.via.as_deref(), Some("lb1"));
        let there = |name: &str| eyes.get() && files.text("lb1", &format!("{DIRECTORY}/{name}")).is_some();
        let color = match (there("green"), there("blue")) {
            (true, _) => "green",
            (false, true) => "blue",
            (false, false) => "none",
        };
        let probe = if there("probe") { "yes" } else { "no" };
        let green = green.borrow();
        let text =
            format!("cutover 1 shop\ncolor {color}\nprobe {probe}\nblue 10.0.0.11:4001\ngreen {green}\n");
        fake::response(200, &[], &text)
    });
    Fake { world, sees, green_at }
}

impl Fake {
    fn observe(&self) -> Result<Observation, HookError> {
        let (settings, call) = call();
        self.world.reading(|| Caddy::observe(&settings, &call, "lb1"))
    }
}

fn apply(want: &Routing) -> Result<(), HookError> {
    let (settings, call) = call();
    Caddy::apply(&settings, &call, "lb1", want)
}

fn prepare(want: &Routing) -> Result<String, HookError> {
    let (settings, call) = call();
    Caddy::prepare(&settings, &call, "lb1", want)
}

fn observed(routing: Routing, settled: bool, labels: &[(&str, &str)]) -> Observation {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Observation { routing: Some(routing), settled, labels }
}

#[test]
fn every_way_leads_where_it_should_and_twice_does_no_harm() {
    let fake = caddy();
    assert_eq!(fake.observe(), Ok(observed(NONE, true, &[("flag", "none")])));
    for want in [BLUE, GREEN, NONE, GREEN, BLUE, GREEN, BLUE, NONE, BLUE] {
        for _ in 0..2 {
            assert_eq!(apply(&want), Ok(()));
            assert_eq!(fake.observe().expect("an observation").routing, Some(want.clone()));
        }
    }
}

#[test]
fn a_switch_is_one_change_that_caddy_sees() {
    let fake = caddy();
    apply(&BLUE).expect("blue");
    fake.world.calls();
    apply(&GREEN).expect("green");
    assert_eq!(fake.world.calls(), [format!("write lb1 {DIRECTORY}/green")]);
    apply(&BLUE).expect("blue again");
    // Blue is there already, so that only the second change has an effect.
    assert_eq!(
        fake.world.calls(),
        [format!("write lb1 {DIRECTORY}/blue"), format!("remove lb1 {DIRECTORY}/green")]
    );
}

#[test]
fn prepare_shows_the_change_and_leaves_nothing_behind() {
    let fake = caddy();
    assert_eq!(
        prepare(&BLUE).as_deref(),
        Ok("--- lb1, now\n+++ lb1, then\n-no colour: 503\n+blue: 10.0.0.11:4001\n")
    );
    apply(&BLUE).expect("blue");
    assert_eq!(
        prepare(&GREEN).as_deref(),
        Ok("--- lb1, now\n+++ lb1, then\n-blue: 10.0.0.11:4001\n+green: 10.0.0.11:4002\n")
    );
    assert_eq!(prepare(&BLUE).as_deref(), Ok(""));
    assert_eq!(fake.world.text("lb1", &format!("{DIRECTORY}/probe")), None);
    assert_eq!(fake.observe(), Ok(observed(BLUE, true, &[("flag", "blue")])));
}

#[test]
fn flags_that_caddy_can_not_see_are_found_before_the_switch() {
    let fake = caddy();
    apply(&BLUE).expect("blue");
    fake.sees.set(false);
    let unseen = HookError::failed(
        "Caddy on `lb1` can't see the files in `/var/lib/cutover-caddy/shop`\n\
         hint: each directory on the way to it must be `chmod o+x`, and Caddy's configuration name that one",
    );
    assert_eq!(prepare(&GREEN), Err(unseen.clone()));
    assert_eq!(fake.world.text("lb1", &format!("{DIRECTORY}/probe")), None);
    assert_eq!(fake.observe(), Err(unseen));
}

#[test]
fn a_switch_that_comes_in_between_is_no_fault() {
    let fake = caddy();
    fake.world.http({
        let (asked, files) = (Cell::new(0), fake.world.clone());
        move |_| {
            asked.set(asked.get() + 1);
            if asked.get() == 1 {
                files.file("lb1", &format!("{DIRECTORY}/blue"), "");
            }
            let color = if asked.get() == 1 { "none" } else { "blue" };
            let text = format!("cutover 1 shop\ncolor {color}\nblue 10.0.0.11:4001\ngreen 10.0.0.11:4002\n");
            fake::response(200, &[], &text)
        }
    });
    assert_eq!(fake.observe(), Ok(observed(NONE, false, &[("flag", "blue"), ("caddy-sees", "none")])));
    assert_eq!(fake.observe(), Ok(observed(BLUE, true, &[("flag", "blue")])));
}

#[test]
fn a_missing_directory_is_found_before_the_switch() {
    let fake = caddy();
    let settings: Settings = serde_json::from_str(r#"{"directory": "/elsewhere"}"#).expect("settings");
    assert_eq!(
        Caddy::prepare(&settings, &call().1, "lb1", &GREEN),
        Err(HookError::failed(
            "failed to write in `/elsewhere` on `lb1`: no directory `/elsewhere`\n\
             hint: the directory is made once, for the deploy user: `cutover setup` prints how"
        ))
    );
    assert_eq!(fake.observe(), Ok(observed(NONE, true, &[("flag", "none")])));
}

#[test]
fn a_configuration_for_other_instances_is_found_by_observe() {
    let fake = caddy();
    *fake.green_at.borrow_mut() = "10.0.0.99:4002".to_owned();
    let text = "Caddy on `lb1` sends green to `10.0.0.99:4002`, cutover.toml says `10.0.0.11:4002`";
    assert_eq!(fake.observe(), Err(HookError::failed(text).hint(HINT)));
}

#[test]
fn answers_that_are_none_say_what_is_wrong() {
    let fake = caddy();
    let unknown = |said: &str| format!("Caddy on `lb1` does not know `shop`: 127.0.0.1:8097 answered {said}");
    let torn = "cutover 1 shop\nblue 10.0.0.11:4001\ngreen 10.0.0.11:4002\n";
    for (status, body, text) in [
        (200, "", unknown("200")),
        (404, "", unknown("404")),
        (401, "log in", unknown("401: log in")),
        (500, "cutover 1 shop\ncolor blue\n", unknown("500: cutover 1 shop")),
        (200, "<html>", unknown("200: <html>")),
        (200, "cutover 1 blog\ncolor blue\n", unknown("200: cutover 1 blog")),
        (200, "cutover 2 shop\ncolor blue\n", unknown("200: cutover 2 shop")),
        (
            200,
            "cutover 1 shop\ncolor blue\n",
            "Caddy on `lb1` sends blue to ``, cutover.toml says `10.0.0.11:4001`".to_owned(),
        ),
        (200, torn, "Caddy on `lb1` names the colour ``: want blue, green or none".to_owned()),
    ] {
        fake.world.http(move |_| fake::response(status, &[], body));
        assert_eq!(fake.observe(), Err(HookError::failed(text).hint(HINT)), "{status} {body}");
    }
    fake.world.http(|_| Err(HttpError::TimedOut("no answer within 15 s".to_owned())));
    assert_eq!(
        fake.observe(),
        Err(HookError::temporary(
            "Caddy on `lb1` did not answer to its end: no answer within 15 s\nhint: its log may tell why"
        ))
    );
    fake.world.http(|_| Err(HttpError::Connect("127.0.0.1:8097: connection refused".to_owned())));
    assert_eq!(
        fake.observe(),
        Err(HookError::failed("Caddy on `lb1` does not answer: 127.0.0.1:8097: connection refused")
            .hint(format!("start Caddy; where it runs, {HINT}")))
    );
}

#[test]
fn shares_and_single_hosts_are_refused() {
    caddy();
    let half = Routing { blue: 50, green: 50, out: Vec::new() };
    let out = Routing { out: vec!["web1".to_owned()], ..BLUE };
    let share = "builtin:caddy can't share requests between the colours";
    assert_eq!(
        (apply(&half), prepare(&half)),
        (Err(HookError::failed(share)), Err(HookError::failed(share)))
    );
    let single = "builtin:caddy can't take single hosts out";
    assert_eq!(
        (apply(&out), prepare(&out)),
        (Err(HookError::failed(single)), Err(HookError::failed(single)))
    );
}

#[test]
fn setup_needs_no_host_at_all() {
    let world = World::install([]);
    let (settings, mut call) = call();
    call.facts.push(("setup".to_owned(), "deploy".to_owned()));
    let text = Caddy::prepare(&settings, &call, "lb1", &NONE).expect("a script");
    assert!(
        text.starts_with("# Caddy on lb1: the colour of shop is a file in /var/lib/cutover-caddy/shop\n")
    );
    assert_eq!(world.calls(), Vec::<String>::new());
}
