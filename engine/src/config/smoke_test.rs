//! `[[smoke-test]]`.

use std::collections::BTreeSet;

use super::format;
use super::hook;
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use crate::model::{Name, SmokeTest};

/// One test.
pub(super) static KEYS: Keys = Keys::new(
    "Tests against the idle colour before it gets traffic, in order.",
    &[
        Key::required("name", Shape::Text(&format::NAME), "Its name, unique.", "name = \"login\""),
        hook::source("builtin:http-smoke"),
        hook::SETTINGS,
        hook::timeout("5m", "For one run."),
        hook::GRANTS,
        hook::LIMITS,
        Key::flag("per-instance", "Whether it runs once for each instance instead of once for all."),
    ],
);

/// Names of the other hooks.
const TAKEN: [&str; 3] = ["build", "health-check", "router"];

impl Resolver<'_> {
    /// Reads the tables.
    pub(super) fn smoke_tests(&mut self, root: &Reader<'_>) -> Vec<SmokeTest> {
        let mut seen = BTreeSet::new();
        let mut tests = Vec::new();
        for (place, table) in root.tables("smoke-test", &KEYS).into_iter().enumerate() {
            let Some(name) = table.text("name").and_then(|name| Name::new(name).ok()) else { continue };
            if TAKEN.contains(&name.as_str()) || !seen.insert(name.clone()) {
                let message = format!("`{name}` is the name of another hook");
                self.fault(&table.span("name"), "config/duplicate-name", message, |fault| {
                    fault.hint("give each smoke test a name of its own")
                });
            }
            tests.push(SmokeTest {
                hook: self.hook(&table, name.as_str(), &format!("smoke-test[{place}]")),
                per_instance: table.boolean("per-instance"),
                name,
            });
        }
        tests
    }
}
