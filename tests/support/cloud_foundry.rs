//! A fake of the API of Cloud Foundry (v3), with one route and two apps; stricter than the real one where a hook could rely on luck. It follows
//! what the API's reference says of what it answers; it was not held against a real one.
//!
//! Its routers take their time to learn of an app that a route was given to, and none at all to forget one that it was taken from.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api_server::{ApiServer, Manner};
use crate::front_door::{Backend, FrontDoor};

/// Bytes of no worth, as long as a real one's beginning.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6Im9mLW5vLXdvcnRoIn0";

/// How long routers take to learn.
const DELAY: Duration = Duration::from_millis(800);

const DOMAIN: &str = "7a3f9d60-0000-4000-8000-00000000d0d0";
const SPACE: &str = "7a3f9d60-0000-4000-8000-0000000050ac";
const ROUTE: &str = "7a3f9d60-0000-4000-8000-00000000a070";
const APPS: [&str; 2] = ["7a3f9d60-0000-4000-8000-00000000b10e", "7a3f9d60-0000-4000-8000-0000000092ee"];

/// The foundation, with a way in. It ends with the value.
#[derive(Debug)]
pub struct CloudFoundry {
    // First: it looks at the foundation.
    door: FrontDoor,
    api: ApiServer,
    foundation: Arc<Mutex<Foundation>>,
}

#[derive(Debug)]
struct Foundation {
    destinations: Vec<Destination>,
    /// Address of each app's instances.
    instances: [Vec<SocketAddr>; 2],
    /// What is answered, and the method that is answered so.
    trouble: Option<(&'static str, u16, Value)>,
    /// Whether a new destination is answered for, and not kept.
    forgets: bool,
    /// Whether instances of green's app are told to be down.
    is_green_down: bool,
    made: u32,
}

#[derive(Debug)]
struct Destination {
    guid: String,
    /// Index of its app.
    app: usize,
    since: Instant,
}

impl CloudFoundry {
    /// Starts one whose apps have instances at these addresses, `address:port` each, and neither has the route.
    ///
    /// # Panics
    /// When no socket is to be had.
    #[must_use]
    pub fn start(blue: &[String], green: &[String]) -> Self {
        let instances = [blue, green].map(|all| all.iter().map(|one| one.parse().unwrap()).collect());
        let foundation = Foundation {
            destinations: Vec::new(),
            instances,
            trouble: None,
            forgets: false,
            is_green_down: false,
            made: 0,
        };
        let foundation = Arc::new(Mutex::new(foundation));
        let (asked, looking) = (Arc::clone(&foundation), Arc::clone(&foundation));
        let api = ApiServer::start(move |head, body| asked.lock().unwrap().answer(head, body));
        let door = FrontDoor::open(move || looking.lock().unwrap().backends());
        Self { door, api, foundation }
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

    /// Settings of `builtin:cloud-foundry`, as an inline table.
    #[must_use]
    pub fn settings(&self) -> String {
        format!(
            "{{ api = \"http://127.0.0.1:{}\", host = \"shop\", domain = \"apps.example.com\", blue = \"shop-blue\", \
             green = \"shop-green\", overlap = 2 }}",
            self.port()
        )
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
        vec![("CF_TOKEN".to_owned(), TOKEN.to_owned())]
    }

    /// Answers all requests of a method so; `answers_again` ends it.
    pub fn answer_to(&self, method: &'static str, status: u16, detail: &str) {
        self.foundation().trouble = Some((method, status, refused(status, detail).1));
    }

    /// Answers all requests with a page for people.
    pub fn show_log_in(&self) {
        let page = Value::String("<html>\n<title>Log in</title></html>".to_owned());
        self.foundation().trouble = Some(("", 200, page));
    }

    /// Says yes to each new destination, and keeps none.
    pub fn forget_what_is_new(&self) {
        self.foundation().forgets = true;
    }

    /// Tells of green's instances that they are down, or how they are.
    pub fn crash_green(&self, down: bool) {
        self.foundation().is_green_down = down;
    }

    /// Ends what `answer_to`, `show_log_in` and `forget_what_is_new` have begun.
    pub fn answer_again(&self) {
        let mut foundation = self.foundation();
        (foundation.trouble, foundation.forgets) = (None, false);
    }

    /// Gives the route to these apps alone, as a person does with `cf`: 0 is blue's, 1 green's.
    pub fn by_hand(&self, apps: &[usize]) {
        let mut foundation = self.foundation();
        foundation.destinations.clear();
        for app in apps {
            foundation.map(*app);
        }
    }

    fn foundation(&self) -> MutexGuard<'_, Foundation> {
        self.foundation.lock().unwrap()
    }
}

fn refused(status: u16, detail: &str) -> (u16, Value) {
    let (code, title) = match status {
        400 => (10005, "CF-BadQueryParameter"),
        401 => (1000, "CF-InvalidAuthToken"),
        403 => (10003, "CF-NotAuthorized"),
        404 => (10010, "CF-ResourceNotFound"),
        429 => (10013, "CF-RateLimitExceeded"),
        422 => (10008, "CF-UnprocessableEntity"),
        _ => (10001, "UnknownError"),
    };
    (status, json!({"errors": [{"code": code, "title": title, "detail": detail}]}))
}

fn page(resources: &[Value]) -> (u16, Value) {
    let pages = u32::from(!resources.is_empty());
    let pagination =
        json!({"total_results": resources.len(), "total_pages": pages, "next": null, "previous": null});
    (200, json!({"pagination": pagination, "resources": resources}))
}

impl Foundation {
    fn answer(&mut self, head: &str, body: &[u8]) -> (u16, Value) {
        let mut first = head.split_whitespace();
        let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let header = |name: &str| {
            let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
        };
        if header("authorization") != format!("bearer {TOKEN}") {
            return refused(401, "Invalid Auth Token");
        }
        if let Some((_, status, answer)) =
            self.trouble.as_ref().filter(|(those, ..)| method.starts_with(those))
        {
            return (*status, answer.clone());
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, path.as_slice(), query) {
            ("GET", ["v3", "domains"], query) => {
                let found = json!({"guid": DOMAIN, "name": "apps.example.com", "internal": false});
                if query == "names=apps.example.com" { page(&[found]) } else { page(&[]) }
            }
            ("GET", ["v3", "routes"], query) => {
                let is_it = query == format!("hosts=shop&domain_guids={DOMAIN}");
                if is_it { page(&[self.route()]) } else { page(&[]) }
            }
            ("GET", ["v3", "apps"], query) => {
                let asked = query.strip_suffix(&format!("&space_guids={SPACE}"));
                let names = asked.and_then(|query| query.strip_prefix("names=")).unwrap_or_default();
                let app =
                    |(guid, name): (&str, &str)| json!({"guid": guid, "name": name, "state": "STARTED"});
                let all = APPS.into_iter().zip(["shop-blue", "shop-green"]);
                page(
                    &all.filter(|(_, name)| names.split(',').any(|asked| asked == *name))
                        .map(app)
                        .collect::<Vec<_>>(),
                )
            }
            ("GET", ["v3", "apps", app, "processes", "web", "stats"], "") => {
                match APPS.iter().position(|own| own == app) {
                    Some(app) => (200, json!({"resources": self.stats(app)})),
                    None => refused(404, "Process not found"),
                }
            }
            ("GET", ["v3", "routes", ROUTE, "destinations"], "") => (200, self.listed()),
            ("POST", ["v3", "routes", ROUTE, "destinations"], "")
                if header("content-type") != "application/json" =>
            {
                refused(400, "Invalid content type, expected: application/json")
            }
            ("POST", ["v3", "routes", ROUTE, "destinations"], "") => self.insert(body),
            ("DELETE", ["v3", "routes", ROUTE, "destinations", guid], "") => {
                let Some(at) = self.destinations.iter().position(|own| own.guid == *guid) else {
                    let text = "Unable to unmap route from destination. Ensure the route has a destination with this guid.";
                    return refused(422, text);
                };
                self.destinations.remove(at);
                (204, Value::Null)
            }
            _ => refused(404, "Unknown request"),
        }
    }

    /// The real one takes more: lists of several, weights, ports. Nobody is to need it.
    fn insert(&mut self, body: &[u8]) -> (u16, Value) {
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let guid = &asked["destinations"][0]["app"]["guid"];
        let Some(app) = APPS.iter().position(|app| guid == app) else {
            return refused(422, "App(s) with guid(s) do not exist or you do not have access.");
        };
        if asked != json!({"destinations": [{"app": {"guid": APPS[app]}}]}) {
            return refused(422, "Unknown field(s)");
        }
        // The real one says yes.
        if self.destinations.iter().any(|own| own.app == app) {
            return refused(422, "that app has the route already");
        }
        self.map(app);
        let answer = self.listed();
        if self.forgets {
            self.destinations.pop();
        }
        (200, answer)
    }

    fn map(&mut self, app: usize) {
        self.made += 1;
        let guid = format!("7a3f9d60-0000-4000-8000-{:012x}", self.made);
        self.destinations.push(Destination { guid, app, since: Instant::now() });
    }

    fn stats(&self, app: usize) -> Vec<Value> {
        let listens =
            |address: &SocketAddr| TcpStream::connect_timeout(address, Duration::from_millis(500)).is_ok();
        let is_down = app == 1 && self.is_green_down;
        let state = |address| if listens(address) && !is_down { "RUNNING" } else { "DOWN" };
        let instances = self.instances[app].iter().enumerate();
        instances
            .map(|(index, address)| json!({"type": "web", "index": index, "state": state(address)}))
            .collect()
    }

    fn listed(&self) -> Value {
        let one = |own: &Destination| {
            let app = json!({"guid": APPS[own.app], "process": {"type": "web"}});
            json!({"guid": own.guid, "app": app, "weight": null, "port": 8080, "protocol": "http1"})
        };
        json!({"destinations": self.destinations.iter().map(one).collect::<Vec<_>>(), "links": {}})
    }

    fn route(&self) -> Value {
        let relationships = json!({"space": {"data": {"guid": SPACE}}, "domain": {"data": {"guid": DOMAIN}}});
        json!({
            "guid": ROUTE, "protocol": "http", "host": "shop", "path": "", "port": null, "url": "shop.apps.example.com",
            "destinations": self.listed()["destinations"], "relationships": relationships,
        })
    }

    /// Where the way in sends requests: each instance has as many as any other.
    fn backends(&self) -> Vec<Backend> {
        let known = self.destinations.iter().filter(|own| own.since.elapsed() >= DELAY);
        let backend = |own: &Destination| {
            let targets: Vec<String> = self.instances[own.app].iter().map(ToString::to_string).collect();
            Backend { weight: u32::try_from(targets.len()).unwrap(), targets }
        };
        known.map(backend).collect()
    }
}
