//! The hook against an API that is scripted on the fake host.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::http::{HttpError, Request, Response};
use cutover_hooks::{Call, Color, HookError, Router, Routing};
use serde_json::{Value, json};

use crate::{CloudFoundry, Settings};

const BLUE: Routing = Routing::to(Some(Color::Blue));
const GREEN: Routing = Routing::to(Some(Color::Green));
const NONE: Routing = Routing::to(None);
const BOTH: Routing = Routing { blue: 50, green: 50, out: Vec::new() };
const API: &str = "https://api.cf.example.com";

fn settings() -> Settings {
    let table = json!({
        "api": format!("{API}/"), "host": "shop", "domain": "apps.example.com", "blue": "shop-blue", "green": "shop-green",
    });
    serde_json::from_value(table).expect("settings")
}

fn call() -> Call {
    let instances = [Color::Blue, Color::Green].map(|color| fake::instance("web1", color, "10.0.0.11"));
    fake::call("{}", instances.into())
}

/// A foundation with one route and two apps.
#[derive(Clone)]
struct Fake {
    world: World,
    /// Guids of the apps that have the route.
    mapped: Rc<RefCell<Vec<String>>>,
    /// States of the instances of each app.
    states: Rc<RefCell<Vec<&'static str>>>,
    /// It says yes to a new destination, and does not keep it.
    forgets: Rc<Cell<bool>>,
    /// Guids of apps that somebody else takes from the route, as the next one is.
    taken: Rc<RefCell<Vec<&'static str>>>,
    /// How many requests are answered before the token is too old.
    lasts: Rc<Cell<u32>>,
}

fn foundation() -> Fake {
    let fake = Fake {
        world: World::install([]),
        mapped: Rc::new(RefCell::new(vec!["app-blue".to_owned()])),
        states: Rc::new(RefCell::new(vec!["RUNNING", "RUNNING"])),
        forgets: Rc::default(),
        taken: Rc::default(),
        lasts: Rc::new(Cell::new(u32::MAX)),
    };
    let server = fake.clone();
    fake.world.http(move |request| server.answer(request));
    fake
}

fn page(resources: &[Value]) -> Value {
    json!({"pagination": {"total_results": resources.len(), "total_pages": 1}, "resources": resources})
}

fn route(destinations: &Value) -> Value {
    json!({
        "guid": "route-1", "host": "shop", "path": "", "protocol": "http", "destinations": destinations,
        "relationships": {"space": {"data": {"guid": "space-1"}}},
    })
}

fn refused(status: u16, detail: &str) -> Result<Response, HttpError> {
    let errors = json!({"errors": [{"code": 1, "title": "CF-X", "detail": detail}]});
    fake::response(status, &[], &errors.to_string())
}

impl Fake {
    fn destinations(&self) -> Value {
        let destination = |app: &String| {
            let process = json!({"type": "web"});
            json!({"guid": format!("to-{app}"), "app": {"guid": app, "process": process}, "weight": null, "port": 8080})
        };
        self.mapped.borrow().iter().map(destination).collect()
    }

    fn answer(&self, request: &Request) -> Result<Response, HttpError> {
        assert_eq!(request.secret_headers, [("authorization".to_owned(), "bearer {cf-token}".to_owned())]);
        let Some(left) = self.lasts.get().checked_sub(1) else { return refused(401, "Invalid Auth Token") };
        self.lasts.set(left);
        let ok = |value: &Value| fake::response(200, &[], &value.to_string());
        match (request.method.as_str(), request.url.strip_prefix(API).expect("the API")) {
            ("GET", "/v3/domains?names=apps.example.com") => ok(&page(&[json!({"guid": "domain-1"})])),
            ("GET", "/v3/routes?hosts=shop&domain_guids=domain-1") => {
                let mut below = route(&json!([]));
                below["path"] = "/docs".into();
                ok(&page(&[below, route(&self.destinations())]))
            }
            ("GET", "/v3/apps?names=shop-blue,shop-green&space_guids=space-1") => {
                let app = |color| json!({"guid": format!("app-{color}"), "name": format!("shop-{color}")});
                ok(&page(&[app("green"), app("blue")]))
            }
            ("GET", "/v3/apps/app-green/processes/web/stats") => {
                let states = self.states.borrow();
                let resources: Vec<Value> =
                    states.iter().map(|state| json!({"type": "web", "state": state})).collect();
                ok(&json!({"resources": resources}))
            }
            ("GET", "/v3/routes/route-1/destinations") => ok(&json!({"destinations": self.destinations()})),
            ("POST", "/v3/routes/route-1/destinations") => {
                let body: Value =
                    serde_json::from_slice(request.body.as_deref().expect("a body")).expect("JSON");
                let app = body["destinations"][0]["app"]["guid"].as_str().expect("an app");
                self.mapped.borrow_mut().push(app.to_owned());
                let answer = ok(&json!({"destinations": self.destinations()}));
                if self.forgets.get() {
                    self.mapped.borrow_mut().pop();
                }
                answer
            }
            ("DELETE", path) => {
                let app = path.strip_prefix("/v3/routes/route-1/destinations/to-").expect("a destination");
                let taken = self.taken.take();
                self.mapped.borrow_mut().retain(|mapped| mapped != app && !taken.contains(&mapped.as_str()));
                fake::response(204, &[], "")
            }
            other => panic!("{other:?}"),
        }
    }

    fn observe(&self) -> Result<(Option<Routing>, bool), HookError> {
        let seen = self.world.reading(|| CloudFoundry::observe(&settings(), &call(), "cf"))?;
        Ok((seen.routing, seen.settled))
    }

    /// What was changed since it was last asked, with the time at which that was.
    fn changes(&self) -> Vec<String> {
        let calls = self.world.calls();
        calls
            .into_iter()
            .filter(|call| !call.starts_with("http GET"))
            .map(|call| call.replace(API, ""))
            .collect()
    }
}

fn apply(want: &Routing) -> Result<(), HookError> {
    CloudFoundry::apply(&settings(), &call(), "cf", want)
}

fn prepare(want: &Routing) -> Result<String, HookError> {
    CloudFoundry::prepare(&settings(), &call(), "cf", want)
}

#[test]
fn every_way_leads_where_it_should_and_twice_does_no_harm() {
    let fake = foundation();
    assert_eq!(fake.observe(), Ok((Some(BLUE), true)));
    for want in [GREEN, BLUE, NONE, GREEN, NONE, BLUE] {
        for _ in 0..2 {
            assert_eq!(apply(&want), Ok(()));
            assert_eq!(fake.observe(), Ok((Some(want.clone()), true)));
        }
    }
}

#[test]
fn what_is_new_is_mapped_and_has_its_time_before_what_is_old_is_unmapped() {
    let fake = foundation();
    let begun = cutover_hooks::engine::elapsed();
    apply(&GREEN).expect("green");
    assert_eq!(
        fake.changes(),
        [
            "http POST /v3/routes/route-1/destinations",
            "http DELETE /v3/routes/route-1/destinations/to-app-blue"
        ]
    );
    assert_eq!((cutover_hooks::engine::elapsed() - begun).as_secs(), 5);
    // Cut off in between, it is gone on with from there.
    fake.mapped.borrow_mut().push("app-blue".to_owned());
    assert_eq!(fake.observe(), Ok((Some(BOTH), false)));
    apply(&BLUE).expect("blue");
    assert_eq!(fake.changes(), ["http DELETE /v3/routes/route-1/destinations/to-app-green"]);
    assert_eq!(fake.observe(), Ok((Some(BLUE), true)));
}

#[test]
fn nothing_is_taken_from_a_route_that_does_not_keep_what_it_was_given() {
    let fake = foundation();
    fake.forgets.set(true);
    let text = "route `shop.apps.example.com` was given to app `shop-green`, and does not have it: nothing was taken from it";
    assert_eq!(apply(&GREEN), Err(HookError::failed(text)));
    assert_eq!(fake.observe(), Ok((Some(BLUE), true)));
}

#[test]
fn who_takes_the_route_from_the_new_app_as_the_old_one_loses_it_does_not_leave_it_with_nobody() {
    let fake = foundation();
    fake.taken.borrow_mut().push("app-green");
    let text = "route `shop.apps.example.com` was taken from app `shop-green` by somebody, as it was taken from `shop-blue`";
    assert_eq!(apply(&GREEN), Err(HookError::failed(format!("{text}\nhint: `shop-blue` has it again"))));
    assert_eq!(fake.observe(), Ok((Some(BLUE), true)));

    // Where that can't be made good, it is said.
    fake.taken.borrow_mut().push("app-green");
    fake.lasts.set(7);
    let error = apply(&GREEN).expect_err("an error");
    assert_eq!(
        error.text(),
        format!(
            "{text}\nhint: it could not be given back to `shop-blue`: `https://api.cf.example.com` answered 401: Invalid Auth Token\n\
             hint: is the token in secret `cf-token` of this foundation, and still valid? `cf oauth-token` prints another one"
        )
    );
}

#[test]
fn a_token_that_grows_too_old_in_between_leaves_the_route_with_somebody() {
    let expired = "`https://api.cf.example.com` answered 401: Invalid Auth Token\n\
         hint: is the token in secret `cf-token` of this foundation, and still valid? `cf oauth-token` prints another one";
    for (lasts, routing) in [(3, BLUE), (4, BOTH), (5, BOTH), (6, GREEN)] {
        let fake = foundation();
        fake.lasts.set(lasts);
        assert_eq!(apply(&GREEN), Err(HookError::failed(expired)));
        fake.lasts.set(u32::MAX);
        assert_eq!(fake.observe().expect("an observation").0, Some(routing), "after {lasts} answers");
        apply(&GREEN).expect("green");
        assert_eq!(fake.observe(), Ok((Some(GREEN), true)));
    }
}

#[test]
fn prepare_shows_the_change_once_the_app_runs() {
    let fake = foundation();
    let head = "--- cf: route shop.apps.example.com, now\n+++ cf: route shop.apps.example.com, then\n";
    assert_eq!(prepare(&GREEN), Ok(format!("{head}-blue: shop-blue\n+green: shop-green\n")));
    assert_eq!(prepare(&NONE), Ok(format!("{head}-blue: shop-blue\n")));
    assert_eq!(prepare(&BLUE), Ok(String::new()));
    let hint = "hint: `cf app shop-green` and `cf logs shop-green --recent` tell why";
    for (states, text) in [
        (vec![], "app `shop-green` has no instance"),
        (vec!["RUNNING", "CRASHED"], "not running of app `shop-green`, 1 of 2 instances: CRASHED"),
        (vec!["STARTING", "DOWN"], "not running of app `shop-green`, 2 of 2 instances: STARTING DOWN"),
    ] {
        *fake.states.borrow_mut() = states;
        assert_eq!(prepare(&GREEN), Err(HookError::temporary(format!("{text}\n{hint}"))));
    }
    let mut call = call();
    call.instances[1].labels.push(("left-out".to_owned(), String::new()));
    *fake.states.borrow_mut() = vec!["RUNNING", "DOWN"];
    assert!(CloudFoundry::prepare(&settings(), &call, "cf", &GREEN).is_ok(), "its host was left out");
    assert_eq!(fake.changes(), Vec::<String>::new());
}

#[test]
fn each_refusal_says_what_to_do() {
    let fake = foundation();
    let mut said = String::new();
    let mut note = || {
        let error = fake.observe().expect_err("an error");
        let kind = if matches!(error, HookError::Temporary(_)) { "temporary" } else { "failed" };
        said.push_str(&format!("{kind}: {}\n", error.text()));
    };
    for (status, detail) in [
        (401, "Invalid Auth Token"),
        (403, "You are not authorized to perform the requested action"),
        (404, "Unknown request"),
        (422, "something went wrong"),
        (429, "Rate Limit Exceeded"),
        (500, "An unknown error\n occurred."),
    ] {
        fake.world.http(move |_| refused(status, detail));
        note();
    }
    for (status, text) in [
        (200, "<html>\nLog in</html>"),
        (200, "[]"),
        (200, "{\"resources\": [], \"pagination\": {\"total_pages\": 2}}"),
        (302, ""),
        (404, "404 Not Found: Requested route ('api.cf.example.com') does not exist."),
        (502, "502 Bad Gateway: Registered endpoint failed to handle the request."),
    ] {
        fake.world.http(move |_| fake::response(status, &[], text));
        note();
    }
    fake.world.http(|_| Err(HttpError::Connect("10.0.0.1:443: connection refused".to_owned())));
    note();
    fake.world.http(|_| Err(HttpError::TimedOut("no whole answer within 15 s".to_owned())));
    note();
    fake.world.http(|_| {
        Err(HttpError::Tls("no TLS connection to https://api.cf.example.com: UnknownIssuer".to_owned()))
    });
    note();
    assert_eq!(said, include_str!("../golden/refusals.txt"));
}

#[test]
fn what_is_not_there_or_is_more_says_so() {
    let mut said = String::new();
    let mut note = |find: &'static str, change: &dyn Fn(&mut Value)| {
        let fake = foundation();
        let answer = |request: &Request| fake.answer(request);
        let whole = [
            "/v3/domains?names=apps.example.com",
            "/v3/routes?hosts=shop&domain_guids=domain-1",
            "/v3/apps?names=shop-blue,shop-green&space_guids=space-1",
        ];
        let path = whole.into_iter().find(|path| path.contains(find)).expect("a path");
        let request =
            Request::new("GET", format!("{API}{path}")).secret_header("authorization", "bearer {cf-token}");
        let mut changed = answer(&request).expect("an answer").json().expect("JSON");
        change(&mut changed);
        let server = fake.clone();
        fake.world.http(move |request| {
            if request.url.contains(find) {
                return fake::response(200, &[], &changed.to_string());
            }
            server.answer(request)
        });
        said.push_str(fake.observe().expect_err("an error").text());
        said.push('\n');
    };
    note("domains?", &|found| found["resources"] = json!([]));
    note("domains?", &|found| found["resources"][0]["guid"] = "../x".into());
    note("routes?", &|found| found["resources"] = json!([]));
    note("routes?", &|found| found["resources"][1]["destinations"] = Value::Null);
    note("routes?", &|found| found["resources"][1]["destinations"][0]["app"]["guid"] = "app-other".into());
    note("routes?", &|found| {
        found["resources"][1]["destinations"][0]["app"]["process"]["type"] = "api".into();
    });
    note("routes?", &|found| {
        let own = found["resources"][1]["destinations"][0].clone();
        found["resources"][1]["destinations"].as_array_mut().expect("a list").push(own);
    });
    note("apps?", &|found| found["resources"][0]["name"] = "x".into());
    assert_eq!(said, include_str!("../golden/not-there.txt"));
}

#[test]
fn shares_and_single_hosts_are_refused() {
    foundation();
    let share = HookError::failed("builtin:cloud-foundry can't share requests between the colours");
    assert_eq!((apply(&BOTH), prepare(&BOTH)), (Err(share.clone()), Err(share)));
    let out = Routing { out: vec!["web1".to_owned()], ..BLUE };
    let single = HookError::failed("builtin:cloud-foundry can't take single hosts out");
    assert_eq!((apply(&out), prepare(&out)), (Err(single.clone()), Err(single)));
}

#[test]
fn setup_asks_nobody() {
    let world = World::install([]);
    let mut call = call();
    call.facts.push(("setup".to_owned(), "deploy".to_owned()));
    let script = CloudFoundry::prepare(&settings(), &call, "cf", &NONE);
    assert_eq!(script.as_deref(), Ok(include_str!("../golden/setup.sh")));
    assert_eq!(world.calls(), Vec::<String>::new());
}
