//! A fake of a Kubernetes API server, with one Service, one HTTPRoute and the pods behind them; stricter than the real one where a hook could
//! rely on luck. It follows what the API's reference says of what it answers; it was not held against a real one.
//!
//! Controllers take their time: EndpointSlices and the route's status follow a change a moment later, and requests go by what *they* say.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api_server::{ApiServer, Manner};
use crate::front_door::{Backend, FrontDoor};

mod objects;

use objects::{answered, refused};

/// Bytes of no worth, as long as a real one's beginning.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6Im9mLW5vLXdvcnRoIn0";

/// How long controllers take to follow.
const DELAY: Duration = Duration::from_millis(300);

/// The cluster, with a way in. It ends with the value.
#[derive(Debug)]
pub struct Kubernetes {
    // First: it looks at the cluster.
    door: FrontDoor,
    cluster: Arc<Mutex<Cluster>>,
    style: KubernetesStyle,
    api: ApiServer,
}

/// What its way in goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KubernetesStyle {
    /// The one Service.
    Service,
    /// The HTTPRoute, and a Service for each colour.
    Gateway,
}

#[derive(Debug)]
struct Cluster {
    service: Value,
    route: Value,
    /// The same as controllers have seen them.
    followed: (Value, Value),
    changed: Instant,
    /// Address of each colour's pods.
    pods: [Vec<SocketAddr>; 2],
    /// `patch services`, where it is not allowed.
    forbidden: String,
    /// Whether green's pods are found not to be ready, whatever they say.
    is_green_unready: bool,
    /// Whether controllers follow no change.
    stalled: bool,
    version: u64,
}

impl Kubernetes {
    /// Starts one whose pods have these addresses, `address:port` each, and no colour gets requests.
    ///
    /// # Panics
    /// When no socket is to be had.
    #[must_use]
    pub fn start(style: KubernetesStyle, blue: &[String], green: &[String]) -> Self {
        let pods = [blue, green].map(|pods| pods.iter().map(|pod| pod.parse().unwrap()).collect());
        let (service, route) = objects::first();
        let followed = (service.clone(), route.clone());
        let cluster = Cluster {
            service,
            route,
            followed,
            changed: Instant::now(),
            pods,
            forbidden: String::new(),
            is_green_unready: false,
            stalled: false,
            version: 1,
        };
        let cluster = Arc::new(Mutex::new(cluster));
        let asked = Arc::clone(&cluster);
        let api = ApiServer::start(move |head, body| asked.lock().unwrap().answer(head, body));
        let looking = Arc::clone(&cluster);
        let door = FrontDoor::open(move || looking.lock().unwrap().backends(style));
        Self { door, cluster, style, api }
    }

    /// The port of its way in.
    #[must_use]
    pub const fn door(&self) -> u16 {
        self.door.port()
    }

    /// The port of its API.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.api.port()
    }

    /// Settings of `builtin:kubernetes`, as an inline table.
    #[must_use]
    pub fn settings(&self) -> String {
        let server = format!("server = \"http://127.0.0.1:{}\", namespace = \"shop\"", self.port());
        match self.style {
            KubernetesStyle::Service => format!("{{ {server}, service = \"web\" }}"),
            KubernetesStyle::Gateway => format!(
                "{{ {server}, style = \"gateway\", route = \"web\", blue = \"web-blue\", green = \"web-green\" }}"
            ),
        }
    }

    /// Has its API stand still, or go on: connections are taken meanwhile, and what is asked is done afterwards.
    pub fn freeze(&self, still: bool) {
        self.api.treat(if still { Manner::Silent } else { Manner::Answers });
    }

    /// Has its API hang up on everybody, or answer again.
    pub fn hang_up(&self, on_all: bool) {
        self.api.treat(if on_all { Manner::HangsUp } else { Manner::Answers });
    }

    /// What the environment has for `[secrets]`.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        vec![("KUBERNETES_TOKEN".to_owned(), TOKEN.to_owned())]
    }

    /// Forbids the account a verb on a kind, `patch services`, and allows all else.
    pub fn forbid(&self, what: &str) {
        what.clone_into(&mut self.cluster().forbidden);
    }

    /// Forbids the account to change anything but by a dry run, or allows it again.
    pub fn forbid_changes(&self, forbids: bool) {
        self.forbid(if forbids { "patch" } else { "" });
    }

    /// Has green's pods found not to be ready, or looks at them again.
    pub fn find_green_unready(&self, unready: bool) {
        self.cluster().is_green_unready = unready;
    }

    /// Has controllers follow no change any more, or catch up.
    pub fn stall(&self, stalled: bool) {
        self.cluster().stalled = stalled;
    }

    /// What is asked of the Service and of the route: their specifications.
    #[must_use]
    pub fn specifications(&self) -> [Value; 2] {
        let cluster = self.cluster();
        [cluster.service["spec"].clone(), cluster.route["spec"].clone()]
    }

    /// Changes an object as a person does with `kubectl`: the value at a JSON pointer of `service` or `route`.
    ///
    /// # Panics
    /// When there is nothing there.
    pub fn by_hand(&self, object: &str, pointer: &str, value: Value) {
        let mut cluster = self.cluster();
        let object = if object == "service" { &mut cluster.service } else { &mut cluster.route };
        *object.pointer_mut(pointer).unwrap() = value;
        let is_route = object["kind"] == "HTTPRoute";
        cluster.was_changed(is_route);
    }

    fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap()
    }
}

impl Cluster {
    fn answer(&mut self, head: &str, body: &[u8]) -> (u16, Value) {
        self.follow();
        let mut first = head.split_whitespace();
        let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let header = |name: &str| {
            let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
        };
        if header("authorization") != format!("Bearer {TOKEN}") {
            return refused(401, "Unauthorized", "Unauthorized");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some((kind, name)) = objects::named(path) else {
            return refused(404, "NotFound", "the server could not find the requested resource");
        };
        let verb = match (method, name) {
            ("GET", Some(_)) => "get",
            ("GET", None) => "list",
            ("PATCH", Some(_)) => "patch",
            _ => {
                return refused(
                    405,
                    "MethodNotAllowed",
                    "the server does not allow this method on the requested resource",
                );
            }
        };
        let is_change = verb == "patch" && !query.contains("dryRun");
        if self.forbidden == format!("{verb} {kind}")
            || (self.forbidden == verb && is_change)
            || !objects::is_in_role(verb, kind)
        {
            let text = format!(
                "{kind} \"{}\" is forbidden: User \"system:serviceaccount:shop:cutover\" cannot {verb} resource \"{kind}\" \
                 in the namespace \"shop\"",
                name.unwrap_or_default()
            );
            return refused(403, "Forbidden", &text);
        }
        match (verb, kind) {
            ("list", _) => self.list(kind, query),
            (_, kind) if name != Some("web") => {
                refused(404, "NotFound", &format!("{kind} \"{}\" not found", name.unwrap_or_default()))
            }
            ("get", "services") => (200, self.service.clone()),
            ("get", _) => (200, self.route.clone()),
            _ if header("content-type") != "application/merge-patch+json" => {
                refused(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
            }
            _ => self.patch(kind, query, body),
        }
    }

    fn patch(&mut self, kind: &str, query: &str, body: &[u8]) -> (u16, Value) {
        let is_dry = match query {
            "fieldManager=cutover&fieldValidation=Strict" => false,
            "fieldManager=cutover&fieldValidation=Strict&dryRun=All" => true,
            _ => return refused(400, "BadRequest", "that is no way to ask for a change"),
        };
        let Ok(patch) = serde_json::from_slice::<Value>(body) else {
            return refused(400, "BadRequest", "the body is no JSON");
        };
        let old = if kind == "services" { &self.service } else { &self.route };
        // The real one takes a change without it; nobody is to.
        let Some(version) = patch["metadata"]["resourceVersion"].as_str() else {
            return refused(400, "BadRequest", "a change without a resourceVersion");
        };
        if version != old["metadata"]["resourceVersion"] {
            let text = format!(
                "Operation cannot be fulfilled on {kind} \"web\": the object has been modified; please apply your changes \
                 to the latest version and try again"
            );
            return refused(409, "Conflict", &text);
        }
        let mut new = old.clone();
        objects::merge(&mut new, &patch);
        if let Err(reason) = objects::check(&new) {
            return refused(422, "Invalid", &format!("{kind} \"web\" is invalid: {reason}"));
        }
        if !is_dry && new["spec"] != old["spec"] {
            *(if kind == "services" { &mut self.service } else { &mut self.route }) = new;
            self.was_changed(kind != "services");
        }
        (200, if kind == "services" { self.service.clone() } else { self.route.clone() })
    }

    fn was_changed(&mut self, is_route: bool) {
        self.version += 1;
        let object = if is_route { &mut self.route } else { &mut self.service };
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        if is_route {
            let generation = object["metadata"]["generation"].as_u64().unwrap_or_default();
            object["metadata"]["generation"] = (generation + 1).into();
        }
        self.changed = Instant::now();
    }

    /// What controllers do, once they have had their time.
    fn follow(&mut self) {
        if self.stalled || self.changed.elapsed() < DELAY {
            return;
        }
        let generation = self.route["metadata"]["generation"].clone();
        if generation != self.followed.1["metadata"]["generation"] {
            // Who notes something changes the version of what it is noted in.
            self.version += 1;
            self.route["metadata"]["resourceVersion"] = self.version.to_string().into();
            self.route["status"] = objects::status(&generation);
        }
        self.followed = (self.service.clone(), self.route.clone());
    }

    fn list(&self, kind: &str, query: &str) -> (u16, Value) {
        let Some(labels) = query.strip_prefix("labelSelector=").map(objects::labels) else {
            return refused(400, "BadRequest", "a list without a labelSelector");
        };
        let value =
            |key: &str| labels.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str());
        let pods = |color: Option<&str>| match color {
            Some("blue") => objects::pods("blue", &self.pods[0], false),
            Some("green") => objects::pods("green", &self.pods[1], self.is_green_unready),
            _ => Vec::new(),
        };
        if kind == "pods" {
            let found = if value("app") == Some("web") { pods(value("color")) } else { Vec::new() };
            return answered("PodList", "v1", &found);
        }
        let found = match value("kubernetes.io/service-name") {
            Some("web") => pods(self.followed.0["spec"]["selector"]["color"].as_str()),
            Some(name) => pods(name.strip_prefix("web-")),
            None => Vec::new(),
        };
        let slice = json!({"addressType": "IPv4", "endpoints": found.iter().map(objects::endpoint).collect::<Vec<_>>()});
        answered("EndpointSliceList", "discovery.k8s.io/v1", &[slice])
    }

    /// Where the way in sends requests.
    fn backends(&mut self, style: KubernetesStyle) -> Vec<Backend> {
        self.follow();
        let weight = |color: &str| match style {
            KubernetesStyle::Service => u32::from(self.followed.0["spec"]["selector"]["color"] == color),
            KubernetesStyle::Gateway => objects::weight(&self.followed.1, color),
        };
        let backend = |(color, pods): (&str, &Vec<SocketAddr>)| Backend {
            weight: weight(color),
            targets: pods.iter().map(ToString::to_string).collect(),
        };
        ["blue", "green"].into_iter().zip(&self.pods).map(backend).collect()
    }
}
