//! The hook against an API server that is scripted on the fake host.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::http::{HttpError, Request};
use cutover_hooks::{Call, Color, HookError, Router, Routing};
use serde_json::{Value, json};

use crate::{Kubernetes, Settings};

const BLUE: Routing = Routing::to(Some(Color::Blue));
const GREEN: Routing = Routing::to(Some(Color::Green));
const NONE: Routing = Routing::to(None);
const TENTH: Routing = Routing { blue: 90, green: 10, out: Vec::new() };
const SERVER: &str = "https://k8s.example.com:6443";

fn by_service() -> Settings {
    settings(json!({"server": SERVER, "namespace": "shop", "service": "web"}))
}

fn by_gateway() -> Settings {
    settings(json!({
        "server": SERVER, "namespace": "shop", "style": "gateway", "route": "web", "blue": "web-blue", "green": "web-green",
    }))
}

fn settings(table: Value) -> Settings {
    serde_json::from_value(table).expect("settings")
}

fn call() -> Call {
    let instances = [Color::Blue, Color::Green].map(|color| fake::instance("web1", color, "10.0.0.11"));
    fake::call("{}", instances.into())
}

type Meddle = fn(&Fake);

/// An API server with one Service and one HTTPRoute, and controllers that are at once where they should be, unless they sleep.
#[derive(Clone)]
struct Fake {
    world: World,
    service: Rc<RefCell<Value>>,
    route: Rc<RefCell<Value>>,
    asleep: Rc<Cell<bool>>,
    ready: Rc<Cell<bool>>,
    /// What happens to the objects when the next change comes.
    meddler: Rc<RefCell<Vec<Meddle>>>,
    patches: Rc<RefCell<Vec<String>>>,
}

fn cluster() -> Fake {
    let world = World::install([]);
    let selector = json!({"app": "web", "color": "blue"});
    let backend =
        |name: &str, weight: u32| json!({"kind": "Service", "name": name, "port": 80, "weight": weight});
    let other = json!({"backendRefs": [{"name": "docs"}], "matches": [{"path": {"value": "/docs"}}]});
    let own =
        json!({"backendRefs": [backend("web-blue", 1), backend("web-green", 0)], "filters": [{"type": "X"}]});
    let fake = Fake {
        world,
        service: Rc::new(RefCell::new(json!({
            "kind": "Service", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "spec": {"selector": selector, "type": "ClusterIP"},
        }))),
        route: Rc::new(RefCell::new(json!({
            "kind": "HTTPRoute", "apiVersion": "gateway.networking.k8s.io/v1", "metadata": {"resourceVersion": "1", "generation": 1},
            "spec": {"rules": [other, own]},
            "status": {"parents": [{"parentRef": {"name": "edge"}, "conditions": [
                {"type": "Accepted", "status": "True", "observedGeneration": 1},
                {"type": "ResolvedRefs", "status": "True", "observedGeneration": 1},
            ]}]},
        }))),
        asleep: Rc::default(),
        ready: Rc::new(Cell::new(true)),
        meddler: Rc::default(),
        patches: Rc::default(),
    };
    let server = fake.clone();
    fake.world.http(move |request| server.answer(request));
    fake
}

fn bump(object: &mut Value) {
    let version: u32 =
        object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a number");
    object["metadata"]["resourceVersion"] = (version + 1).to_string().into();
}

impl Fake {
    fn answer(&self, request: &Request) -> Result<cutover_hooks::http::Response, HttpError> {
        assert_eq!(
            request.secret_headers,
            [("authorization".to_owned(), "Bearer {kubernetes-token}".to_owned())]
        );
        let target = request.url.strip_prefix(SERVER).expect("the server");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let service = "/api/v1/namespaces/shop/services/web";
        let route = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/web";
        let ok = |value: &Value| fake::response(200, &[], &value.to_string());
        match (request.method.as_str(), path) {
            ("GET", _) if path == service => ok(&self.service.borrow()),
            ("GET", _) if path == route => ok(&self.route.borrow()),
            ("GET", "/api/v1/namespaces/shop/pods") => {
                let color =
                    ["blue", "green"].into_iter().find(|color| query.contains(&format!("color%3D{color}")));
                assert!(query.starts_with("labelSelector=app%3Dweb%2Ccolor%3D"), "{query}");
                let ready = if self.ready.get() { "True" } else { "False" };
                let pod = |color| json!({"metadata": {"name": format!("web-{color}-1")}, "status": {"conditions": [{"type": "Ready", "status": ready}]}});
                ok(
                    &json!({"kind": "PodList", "apiVersion": "v1", "items": color.map(pod).into_iter().collect::<Vec<_>>()}),
                )
            }
            ("GET", "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices") => {
                let name =
                    query.strip_prefix("labelSelector=kubernetes.io%2Fservice-name%3D").expect("a Service's");
                let color = match name {
                    "web" => self.service.borrow()["spec"]["selector"]["color"].as_str().map(str::to_owned),
                    name => name.strip_prefix("web-").map(str::to_owned),
                };
                let color = if self.asleep.get() {
                    Some("blue".to_owned())
                } else {
                    color.filter(|color| color != "none")
                };
                let endpoint = |color| json!({"addresses": ["10.1.0.1"], "conditions": {"ready": self.ready.get()}, "targetRef": {"kind": "Pod", "name": format!("web-{color}-1")}});
                let endpoints: Vec<Value> = color.map(endpoint).into_iter().collect();
                ok(
                    &json!({"kind": "EndpointSliceList", "apiVersion": "discovery.k8s.io/v1", "items": [{"endpoints": endpoints}]}),
                )
            }
            ("PATCH", _) => {
                assert!(
                    request
                        .headers
                        .contains(&("content-type".to_owned(), "application/merge-patch+json".to_owned()))
                );
                self.patches.borrow_mut().push(query.to_owned());
                if let Some(meddle) = self.meddler.borrow_mut().pop() {
                    meddle(self);
                }
                let mut object =
                    if path == service { self.service.borrow_mut() } else { self.route.borrow_mut() };
                let patch: Value =
                    serde_json::from_slice(request.body.as_deref().expect("a body")).expect("JSON");
                if patch["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
                    let text = "Operation cannot be fulfilled: the object has been modified";
                    let status =
                        json!({"kind": "Status", "reason": "Conflict", "code": 409, "message": text});
                    return fake::response(409, &[], &status.to_string());
                }
                if query.contains("dryRun=All") {
                    return ok(&object);
                }
                bump(&mut object);
                if path == service {
                    object["spec"]["selector"]["color"] = patch["spec"]["selector"]["color"].clone();
                } else {
                    object["spec"]["rules"] = patch["spec"]["rules"].clone();
                    object["metadata"]["generation"] =
                        (object["metadata"]["generation"].as_i64().expect("a number") + 1).into();
                    if !self.asleep.get() {
                        let generation = object["metadata"]["generation"].clone();
                        for index in 0..2 {
                            object["status"]["parents"][0]["conditions"][index]["observedGeneration"] =
                                generation.clone();
                        }
                    }
                }
                ok(&object)
            }
            other => panic!("{other:?}"),
        }
    }

    fn observe(&self, settings: &Settings) -> Result<(Option<Routing>, bool), HookError> {
        let seen = self.world.reading(|| Kubernetes::observe(settings, &call(), "cluster"))?;
        Ok((seen.routing, seen.settled))
    }
}

fn apply(settings: &Settings, want: &Routing) -> Result<(), HookError> {
    Kubernetes::apply(settings, &call(), "cluster", want)
}

fn prepare(settings: &Settings, want: &Routing) -> Result<String, HookError> {
    Kubernetes::prepare(settings, &call(), "cluster", want)
}

#[test]
fn every_way_leads_where_it_should_and_twice_does_no_harm() {
    for (settings, ways) in [
        (by_service(), &[BLUE, GREEN, NONE, GREEN, BLUE, NONE][..]),
        (by_gateway(), &[BLUE, GREEN, TENTH, NONE, TENTH, BLUE, NONE, GREEN]),
    ] {
        let fake = cluster();
        assert_eq!(fake.observe(&settings), Ok((Some(BLUE), true)));
        for want in ways {
            for _ in 0..2 {
                assert_eq!(apply(&settings, want), Ok(()));
                assert_eq!(fake.observe(&settings), Ok((Some(want.clone()), true)));
            }
        }
        let patches = fake.patches.borrow();
        assert_eq!(patches.len(), ways.len() - 1, "what is so already is not changed");
        assert!(
            patches.iter().all(|query| query == "fieldManager=cutover&fieldValidation=Strict"),
            "{patches:?}"
        );
    }
}

#[test]
fn all_but_the_weights_stays() {
    let fake = cluster();
    let mut wanted = fake.route.borrow()["spec"].clone();
    apply(&by_gateway(), &TENTH).expect("a share");
    wanted["rules"][1]["backendRefs"][0]["weight"] = 90.into();
    wanted["rules"][1]["backendRefs"][1]["weight"] = 10.into();
    assert_eq!(fake.route.borrow()["spec"], wanted);
}

#[test]
fn it_is_settled_once_the_cluster_has_followed() {
    for settings in [by_service(), by_gateway()] {
        let fake = cluster();
        fake.asleep.set(true);
        apply(&settings, &GREEN).expect("green");
        assert_eq!(fake.observe(&settings), Ok((Some(GREEN), false)));
    }
}

#[test]
fn prepare_tries_the_change_out_and_shows_it() {
    let fake = cluster();
    assert_eq!(
        prepare(&by_service(), &GREEN).as_deref(),
        Ok("--- cluster: Service web, now\n+++ cluster: Service web, then\n-color: blue\n+color: green\n")
    );
    assert_eq!(
        prepare(&by_gateway(), &TENTH).as_deref(),
        Ok(
            "--- cluster: HTTPRoute web, now\n+++ cluster: HTTPRoute web, then\n-blue 100 %: web-blue\n-green 0 %: web-green\n\
            +blue 90 %: web-blue\n+green 10 %: web-green\n"
        )
    );
    let dry = "fieldManager=cutover&fieldValidation=Strict&dryRun=All";
    assert_eq!(*fake.patches.borrow(), [dry, dry]);
    for settings in [by_service(), by_gateway()] {
        assert_eq!(prepare(&settings, &BLUE).as_deref(), Ok(""));
        assert_eq!(fake.observe(&settings), Ok((Some(BLUE), true)), "nothing was changed");
    }
    fake.ready.set(false);
    let hint = "\nhint: the cluster goes by its own readiness probes: `kubectl describe pods` tells why";
    let pods = "not ready of green, 1 of 1 pods: `web-green-1`";
    assert_eq!(prepare(&by_service(), &GREEN), Err(HookError::temporary(format!("{pods}{hint}"))));
    let endpoints = "not ready of green, 1 of 1 endpoints of Service `web-green`: `web-green-1`";
    assert_eq!(prepare(&by_gateway(), &GREEN), Err(HookError::temporary(format!("{endpoints}{hint}"))));
}

/// What a controller does, on and on.
fn noted(fake: &Fake) {
    bump(&mut fake.service.borrow_mut());
    bump(&mut fake.route.borrow_mut());
}

fn changed(fake: &Fake) {
    noted(fake);
    fake.service.borrow_mut()["spec"]["type"] = "NodePort".into();
    fake.route.borrow_mut()["spec"]["hostnames"] = json!(["shop.example.com"]);
}

#[test]
fn what_somebody_changes_meanwhile_is_theirs_and_what_a_controller_notes_is_no_hindrance() {
    let service = "/api/v1/namespaces/shop/services/web";
    let route = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/web";
    for (settings, path) in [(by_service(), service), (by_gateway(), route)] {
        let fake = cluster();
        fake.meddler.borrow_mut().extend([noted as Meddle, noted]);
        assert_eq!(apply(&settings, &GREEN), Ok(()));
        fake.meddler.borrow_mut().push(changed);
        let text = format!(
            "somebody has changed `{path}` meanwhile: it was left as they made it\n\
             hint: look at it (`kubectl get -o yaml`), and run the command again"
        );
        assert_eq!(apply(&settings, &BLUE), Err(HookError::failed(text)));
        assert_eq!(fake.observe(&settings).expect("an observation").0, Some(GREEN));
        fake.meddler.borrow_mut().extend([noted as Meddle; 4]);
        let text = format!(
            "`{path}` changes too often to be changed\n\
             hint: `kubectl get -o yaml --show-managed-fields` tells who else changes it; run the command again"
        );
        assert_eq!(apply(&settings, &BLUE), Err(HookError::temporary(text)));
    }
}

#[test]
fn each_refusal_says_what_to_do() {
    let fake = cluster();
    let mut said = String::new();
    let mut note = || {
        let error = fake.observe(&by_service()).expect_err("an error");
        let kind = if matches!(error, HookError::Temporary(_)) { "temporary" } else { "failed" };
        said.push_str(&format!("{kind}: {}\n", error.text()));
    };
    for (status, message) in [
        (401, "Unauthorized"),
        (
            403,
            "services \"web\" is forbidden: User \"x\" cannot get resource \"services\" in API group \"\" in the namespace \"shop\"",
        ),
        (404, "services \"web\" not found"),
        (422, "Service \"web\" is invalid: spec.selector: Invalid value"),
        (429, "too many requests, please try again later"),
        (503, "apiserver is shutting down"),
    ] {
        fake.world.http(move |_| {
            let status_object = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status});
            fake::response(status, &[], &status_object.to_string())
        });
        note();
    }
    for (status, text) in
        [(200, "<html>\nLog in</html>"), (200, "{}"), (403, "Forbidden"), (502, "Bad Gateway"), (302, "")]
    {
        fake.world.http(move |_| fake::response(status, &[], text));
        note();
    }
    fake.world.http(|_| Err(HttpError::Connect("10.0.0.1:6443: connection refused".to_owned())));
    note();
    fake.world.http(|_| Err(HttpError::TimedOut("no whole answer within 15 s".to_owned())));
    note();
    fake.world.http(|_| {
        Err(HttpError::Tls("no TLS connection to https://k8s.example.com:6443: UnknownIssuer".to_owned()))
    });
    note();
    assert_eq!(said, include_str!("../golden/refusals.txt"));
}

#[test]
fn objects_that_are_others_say_what_they_are() {
    let mut said = String::new();
    let mut note = |settings: &Settings, change: &dyn Fn(&mut Value, &mut Value)| {
        let fake = cluster();
        change(&mut fake.service.borrow_mut(), &mut fake.route.borrow_mut());
        said.push_str(fake.observe(settings).expect_err("an error").text());
        said.push('\n');
    };
    note(&by_service(), &|service, _| service["spec"]["selector"]["color"] = "red".into());
    note(&by_service(), &|service, _| service["spec"]["selector"] = json!({"app": "web"}));
    note(&by_service(), &|service, _| service["spec"] = json!({"type": "ExternalName"}));
    note(&by_gateway(), &|_, route| route["spec"]["rules"] = json!([]));
    note(&by_gateway(), &|_, route| route["spec"]["rules"][1]["backendRefs"] = json!([{"name": "web-blue"}]));
    note(&by_gateway(), &|_, route| {
        route["spec"]["rules"][1]["backendRefs"].as_array_mut().expect("a list").push(json!({"name": "old"}));
    });
    note(&by_gateway(), &|_, route| {
        let mut rule = route["spec"]["rules"][1].clone();
        rule["backendRefs"][1]["weight"] = 5.into();
        route["spec"]["rules"][0] = rule;
    });
    note(&by_gateway(), &|_, route| route["status"] = json!({"parents": []}));
    note(&by_gateway(), &|_, route| {
        route["status"]["parents"][0]["conditions"][1] = json!({
            "type": "ResolvedRefs", "status": "False", "observedGeneration": 1, "reason": "BackendNotFound", "message": "no Service web-green",
        });
    });
    assert_eq!(said, include_str!("../golden/other-objects.txt"));
}

#[test]
fn shares_of_a_service_and_single_hosts_are_refused() {
    cluster();
    let share = HookError::failed("builtin:kubernetes can't share requests between the colours of a Service");
    assert_eq!(apply(&by_service(), &TENTH), Err(share.clone()));
    assert_eq!(prepare(&by_service(), &TENTH), Err(share));
    let out = Routing { out: vec!["web1".to_owned()], ..BLUE };
    let text = HookError::failed("builtin:kubernetes can't take single hosts out");
    assert_eq!(apply(&by_gateway(), &out), Err(text.clone()));
    assert_eq!(prepare(&by_gateway(), &out), Err(text));
}

#[test]
fn setup_asks_nobody() {
    let world = World::install([]);
    let mut call = call();
    call.facts.push(("setup".to_owned(), "deploy".to_owned()));
    let script =
        |settings: &Settings| Kubernetes::prepare(settings, &call, "cluster", &NONE).expect("a script");
    assert_eq!(script(&by_service()), include_str!("../golden/setup-service.sh"));
    assert_eq!(script(&by_gateway()), include_str!("../golden/setup-gateway.sh"));
    assert_eq!(world.calls(), Vec::<String>::new());
}
