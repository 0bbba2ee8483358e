//! `[router]`.

use super::format;
use super::hook;
use super::node::{Node, Value};
use super::reader::Reader;
use super::resolve::{Resolver, name_list};
use super::shape::{Key, Keys, Shape};
use crate::model::{EachRouter, FrontDoor, HostName, Router};

/// The table.
pub(super) static KEYS: Keys = Keys::new(
    "What moves the traffic.",
    &[
        hook::source("builtin:nginx"),
        hook::SETTINGS,
        hook::timeout("30s", "For one call."),
        hook::GRANTS,
        hook::LIMITS,
        Key::optional(
            "hosts",
            Shape::NonEmpty(&Shape::Text(&format::NAME)),
            "Hosts that route, in the order in which they are switched. Default: the application's host, where it is one.",
        ),
        Key::optional(
            "names",
            Shape::NonEmpty(&Shape::Text(&format::NAME)),
            "Routers that are no hosts of ours, instead of `hosts`.",
        ),
        Key::required(
            "front-door",
            Shape::List(&Shape::Either(&[Shape::Text(&format::URL), Shape::Table(&FRONT_DOOR)])),
            "URLs through which users come, probed after the switch.",
            "front-door = [\"https://…\"]: where users come in; [] where nothing can be probed",
        ),
    ],
);

static FRONT_DOOR: Keys = Keys::new(
    "A URL through which users come.",
    &[
        Key::required("url", Shape::Text(&format::URL), "The URL.", "url = \"https://…\""),
        Key::optional("via", Shape::Text(&format::NAME), "Host whose network the probe starts from."),
        Key::optional(
            "body",
            Shape::Text(&format::ANSWER),
            "What the body must be, with {color} and {release}: proves the switch where there is no release marker.",
        ),
        Key::optional(
            "each-router",
            Shape::Boolean,
            "Whether each router host is asked for the URL by itself too: from its own network, at its own `address` and the URL's \
             port, with the URL's name. true: each must answer rightly; false: none is asked. Default: where several hosts route and \
             answers tell their release or colour, each is asked; one that gives no such answer is told of, one that gives a wrong \
             one fails the switch.",
        ),
    ],
);

impl Resolver<'_> {
    /// Reads the table. The application's hosts are the default for its own.
    pub(super) fn router(&mut self, root: &Reader<'_>, app_hosts: &[HostName]) -> Router {
        let table = root.table("router", &KEYS);
        let names = match (table.has("hosts"), table.has("names")) {
            (true, true) => {
                self.fault(
                    &table.key_span("names"),
                    "config/conflict",
                    "a router has `hosts` or `names`, not both".into(),
                    |fault| fault,
                );
                Vec::new()
            }
            (true, false) => self.host_list(&table.several("hosts")),
            (false, true) => self.router_names(&table),
            (false, false) => match app_hosts {
                [only] => {
                    self.computed("router.hosts", name_list(app_hosts));
                    vec![only.clone()]
                }
                [] => Vec::new(),
                _ => {
                    let choices: Vec<_> = self.hosts.keys().cloned().collect();
                    self.fault(
                        &table.at,
                        "config/missing-key",
                        "`router.hosts` is missing".into(),
                        |fault| {
                            fault
                                .choices("valid", choices)
                                .hint("say which hosts route, in the order of the switch")
                        },
                    );
                    Vec::new()
                }
            },
        };
        self.router_hosts = names.iter().filter(|name| self.hosts.contains_key(*name)).cloned().collect();
        let front_doors =
            table.several("front-door").into_iter().filter_map(|node| self.front_door(node)).collect();
        if table
            .node("front-door")
            .is_some_and(|node| node.items().is_empty() && matches!(node.value, Value::Array(_)))
        {
            self.warn(
                &table.span("front-door"),
                "config/no-front-door",
                "no front door: what users get after a switch is not probed",
            );
        }
        Router { hook: self.hook(&table, "router", "router"), names, front_doors }
    }

    fn router_names(&mut self, table: &Reader<'_>) -> Vec<HostName> {
        let mut names = Vec::new();
        for item in table.several("names") {
            let Some(name) = item.text().and_then(|name| HostName::new(name).ok()) else { continue };
            if self.hosts.contains_key(&name) || names.contains(&name) {
                let message = format!("`{name}` is taken: it names a host or another router");
                self.fault(&item.span, "config/duplicate-name", message, |fault| {
                    fault.hint("routers that are hosts go into `hosts`")
                });
            }
            names.push(name);
        }
        names
    }

    fn front_door(&mut self, node: &Node) -> Option<FrontDoor> {
        if let Some(url) = node.text() {
            let each_router = EachRouter::default();
            return Some(FrontDoor { url: url.to_owned(), via: None, body: None, each_router });
        }
        let table = Reader::new(Some(node), &FRONT_DOOR, node.span.clone());
        let via = table.text("via").and_then(|name| self.host(name, &table.span("via")));
        let each_router = match (table.has("each-router"), table.boolean("each-router")) {
            (false, _) => EachRouter::default(),
            (true, true) => EachRouter::Required,
            (true, false) => EachRouter::Never,
        };
        if each_router == EachRouter::Required {
            self.each_router_is_possible(&table);
        }
        Some(FrontDoor {
            url: table.text("url")?.to_owned(),
            via,
            body: table.text("body").map(str::to_owned),
            each_router,
        })
    }

    fn each_router_is_possible(&mut self, door: &Reader<'_>) {
        let at = door.key_span("each-router");
        if door.has("via") {
            let message = "a front door has `via` or `each-router = true`, not both".into();
            self.fault(&at, "config/conflict", message, |fault| {
                fault.hint(
                    "an entry with `via` is asked from that host alone; add one of its own for each router",
                )
            });
        } else if self.router_hosts.is_empty() {
            let message =
                "`each-router = true`, and no router is a host that could be asked by itself".into();
            self.fault(&at, "config/conflict", message, |fault| {
                fault.hint("`router.hosts` names routers that are hosts")
            });
        }
    }
}
