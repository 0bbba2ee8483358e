//! All routes of a proxy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::route::{MANY, Route, RouteFault};
use crate::model::Name;

/// The routes, by application. What changes one gives it a version that no route had before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The highest version that was ever given.
    generation: u64,
    routes: BTreeMap<Name, Versioned>,
}

/// A route with its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versioned {
    /// Never 0.
    pub version: u64,
    /// What it is.
    pub route: Route,
}

/// Why a change is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody was faster.
    #[error("the route of `{name}` has version {found} by now, not {expected}")]
    Changed {
        /// Whose.
        name: Name,
        /// What the change was made from; 0: there was none.
        expected: u64,
        /// What it is.
        found: u64,
    },
    /// Nothing can be sent by it.
    #[error("the route of `{name}` is none: {fault}")]
    Fault {
        /// Whose.
        name: Name,
        /// Why.
        fault: RouteFault,
    },
    /// A request would not know where to go.
    #[error(
        "`{other}` has all host names that nobody else has already: one of the two needs `host-names` in its settings, or `cutover proxy \
         remove {other}` makes room"
    )]
    TakenRest {
        /// Who has them.
        other: Name,
    },
    /// Another one has it.
    #[error("`{other}` has {what} already")]
    Taken {
        /// Who has it.
        other: Name,
        /// What both want.
        what: String,
    },
    /// More than anybody has.
    #[error("a proxy has at most {MANY} applications, and each at most {MANY} host names and instances")]
    TooMany,
}

impl Table {
    /// An application's route; none while it has none.
    #[must_use]
    pub fn route(&self, name: &Name) -> Option<&Versioned> {
        self.routes.get(name)
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = (&Name, &Versioned)> {
        self.routes.iter()
    }

    /// Who gets a request for this host name, given without port: the application that names it, else the one that names none.
    #[must_use]
    pub fn of_host(&self, host: &str) -> Option<(&Name, &Route)> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let names = |route: &Route| route.host_names.contains(&host);
        let found = self.routes.iter().find(|(_, versioned)| names(&versioned.route));
        let found = found.or_else(|| self.routes.iter().find(|(_, other)| other.route.host_names.is_empty()));
        found.map(|(name, versioned)| (name, &versioned.route))
    }

    /// The table with another route for one application, made from that of version `expected` (0: there was none).
    ///
    /// # Errors
    /// When it is of another version by now, or can't be.
    pub fn with(&self, name: &Name, expected: u64, route: Route) -> Result<Self, Refusal> {
        self.expect(name, expected)?;
        let mut table = self.clone();
        table.generation += 1;
        table.routes.insert(name.clone(), Versioned { version: table.generation, route });
        table.check().map(|()| table)
    }

    /// The table without an application.
    ///
    /// # Errors
    /// When its route is of another version by now.
    pub fn without(&self, name: &Name, expected: u64) -> Result<Self, Refusal> {
        self.expect(name, expected)?;
        let mut table = self.clone();
        table.routes.remove(name);
        Ok(table)
    }

    fn expect(&self, name: &Name, expected: u64) -> Result<(), Refusal> {
        let found = self.route(name).map_or(0, |versioned| versioned.version);
        if found == expected {
            return Ok(());
        }
        Err(Refusal::Changed { name: name.clone(), expected, found })
    }

    /// Whether every request would know where to go: for a table that comes from outside.
    ///
    /// # Errors
    /// When not: the first reason.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.routes.len() > MANY {
            return Err(Refusal::TooMany);
        }
        let mut taken = BTreeMap::new();
        let mut all = None;
        for (name, Versioned { route, .. }) in &self.routes {
            let counts = [&route.blue.upstreams, &route.green.upstreams].map(Vec::len);
            if counts.iter().any(|count| *count > MANY) || route.host_names.len().max(route.out.len()) > MANY
            {
                return Err(Refusal::TooMany);
            }
            route.check().map_err(|fault| Refusal::Fault { name: name.clone(), fault })?;
            if route.host_names.is_empty()
                && let Some(other) = all.replace(name)
            {
                return Err(Refusal::TakenRest { other: other.clone() });
            }
            for host in &route.host_names {
                if let Some(other) = taken.insert(host, name).filter(|other| *other != name) {
                    let what = format!("the host name `{host}`");
                    return Err(Refusal::Taken { other: other.clone(), what });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::super::route::tests::route;
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn named(hosts: &[&str]) -> Route {
        Route { host_names: hosts.iter().map(|host| (*host).to_owned()).collect(), ..route(0) }
    }

    #[test]
    fn a_host_name_leads_to_its_application() {
        let table = Table::default().with(&name("shop"), 0, named(&["shop.example", "www.shop.example"]));
        let table = table.unwrap().with(&name("blog"), 0, named(&["blog.example"])).unwrap();
        let of = |table: &Table, host: &str| table.of_host(host).map(|(name, _)| name.to_string());
        assert_eq!(of(&table, "shop.example").as_deref(), Some("shop"));
        assert_eq!(of(&table, "WWW.Shop.Example.").as_deref(), Some("shop"));
        assert_eq!(of(&table, "blog.example").as_deref(), Some("blog"));
        assert_eq!(of(&table, "other.example"), None);
        let table = table.with(&name("rest"), 0, named(&[])).unwrap();
        assert_eq!(of(&table, "other.example").as_deref(), Some("rest"));
        assert_eq!(of(&table, "").as_deref(), Some("rest"));
        assert_eq!(of(&table, "blog.example").as_deref(), Some("blog"));
    }

    #[test]
    fn who_knows_an_older_version_changes_nothing() {
        let shop = name("shop");
        let first = Table::default().with(&shop, 0, route(0)).unwrap();
        let second = first.with(&shop, 1, route(100)).unwrap();
        assert_eq!(second.route(&shop).unwrap().version, 2);
        let said = |changed: Result<Table, Refusal>| changed.unwrap_err().to_string();
        let text = "the route of `shop` has version 2 by now, not 1";
        assert_eq!(said(second.with(&shop, 1, route(0))), text);
        assert_eq!(said(second.without(&shop, 1)), text);
        // A name that comes again is not what it was.
        let third = second.without(&shop, 2).unwrap().with(&shop, 0, route(0)).unwrap();
        assert_eq!(third.route(&shop).unwrap().version, 3);
        let text = "the route of `shop` has version 3 by now, not 0";
        assert_eq!(said(third.with(&shop, 0, route(0))), text);
    }

    #[test]
    fn two_can_not_have_the_same() {
        let said = |changed: Result<Table, Refusal>| changed.unwrap_err().to_string();
        let table = Table::default().with(&name("shop"), 0, named(&["shop.example"])).unwrap();
        assert_eq!(
            said(table.with(&name("tea"), 0, named(&["tea.example", "shop.example"]))),
            "`shop` has the host name `shop.example` already"
        );
        let table = table.with(&name("blog"), 0, named(&[])).unwrap();
        assert_eq!(
            said(table.with(&name("tea"), 0, named(&[]))),
            "`blog` has all host names that nobody else has already: one of the two needs `host-names` in its settings, or `cutover proxy \
             remove blog` makes room"
        );
        // Twice the same name is one name.
        assert!(table.with(&name("tea"), 0, named(&["a", "a"])).is_ok());
        let mut odd = route(0);
        odd.green.percent = 1;
        assert_eq!(
            said(table.with(&name("tea"), 0, odd)),
            "the route of `tea` is none: blue gets 100 % and green 1 %: together it must be 100, or 0 for no colour at all"
        );
        let many: Vec<String> = (0..=MANY).map(|n| format!("h{n}")).collect();
        let many = named(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(
            said(table.with(&name("tea"), 0, many)),
            "a proxy has at most 1000 applications, and each at most 1000 host names and instances"
        );
    }
}
