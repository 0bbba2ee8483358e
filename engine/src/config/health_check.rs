//! `[health-check]`.

use super::format;
use super::hook;
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use crate::model::HealthCheck;

/// The table.
pub(super) static KEYS: Keys = Keys::new(
    "When an instance counts as healthy.",
    &[
        hook::source("builtin:http-health"),
        hook::SETTINGS,
        hook::timeout("5s", "For one probe."),
        hook::GRANTS,
        hook::LIMITS,
        Key::text("interval", Shape::Text(&format::DURATION), "1s", "Between two probes of an instance."),
        Key::integer(
            "healthy-after",
            Shape::Integer(1, 1000),
            3,
            "Passes in a row that make an instance healthy; as many failures in a row make a healthy one sick.",
        ),
        Key::text("deadline", Shape::Text(&format::DURATION), "60s", "For all instances to become healthy."),
    ],
);

impl Resolver<'_> {
    /// Reads the table.
    pub(super) fn health_check(&mut self, root: &Reader<'_>) -> HealthCheck {
        let table = root.table("health-check", &KEYS);
        let check = HealthCheck {
            hook: self.hook(&table, "health-check", "health-check"),
            interval: table.duration("interval"),
            healthy_after: table.integer("healthy-after"),
            deadline: table.duration("deadline"),
        };
        let least = check.interval.saturating_mul(check.healthy_after.saturating_sub(1));
        if least >= check.deadline && !check.deadline.is_zero() {
            let (passes, deadline) = (check.healthy_after, table.string("deadline"));
            let message =
                format!("{passes} passes, one each {}, never fit into {deadline}", table.string("interval"));
            let written = ["deadline", "interval", "healthy-after"].into_iter().find(|key| table.has(key));
            let span = table.span(written.unwrap_or("deadline"));
            self.fault(&span, "config/conflict", message, |fault| {
                fault.hint("raise `deadline`, or lower `interval` or `healthy-after`")
            });
        }
        check
    }
}
