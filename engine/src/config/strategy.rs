//! `pipeline.strategy`, and what of other tables only fits one of them.

use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use super::{app, format, pipeline};
use crate::model::{Application, CanaryStep, Strategy};

/// A strategy with settings.
pub(super) static KEYS: Keys = Keys {
    doc: "How traffic moves: in shares, each of which is watched; or from host to host, where each has room for one release only.",
    keys: &[
        Key::optional(
            "canary",
            Shape::NonEmpty(&Shape::Table(&STEP)),
            "Shares of the requests that the new colour gets one after the other, before it gets all of them. The router has to be able to share.",
        ),
        Key::optional("rolling", Shape::Table(&ROLLING), ROLLING.doc),
    ],
    advice: &[("blue-green", "it has no settings: strategy = \"blue-green\"")],
};

static ROLLING: Keys = Keys::new(
    "Without colours, where hosts have room for one release only: some are taken out of the router, get the new one in the place of the old \
     one, are tested and let in again; then the next. The router has to be able to take hosts out.",
    &[Key::integer(
        "batch",
        Shape::Integer(1, 999),
        1,
        "Hosts that are out at the same time; fewer than there are.",
    )],
);

static STEP: Keys = Keys::new(
    "A share of the requests, and how long it is watched.",
    &[
        Key::required(
            "weight",
            Shape::Integer(1, 99),
            "Percent of new requests for the new colour; more than in the step before.",
            "weight = 5",
        ),
        Key::required(
            "watch",
            Shape::Text(&format::DURATION),
            "How long the new colour is watched with it. What goes wrong puts all traffic back.",
            "watch = \"2m\"",
        ),
    ],
);

impl Resolver<'_> {
    /// Reads the key of `pipeline`.
    pub(super) fn strategy(&mut self, pipeline: &Reader<'_>) -> Strategy {
        let table = pipeline.table("strategy", &KEYS);
        if table.has("rolling") {
            // What can't be read is told of already.
            let batch: usize = table.table("rolling", &ROLLING).integer("batch");
            return Strategy::Rolling { batch: batch.max(1) };
        }
        if !table.has("canary") {
            return Strategy::BlueGreen;
        }
        let mut steps: Vec<CanaryStep> = Vec::new();
        for step in table.tables("canary", &STEP) {
            let next = CanaryStep { weight: step.integer("weight"), watch: step.duration("watch") };
            // One that can't be read is told of already.
            let before =
                steps.last().map(|last| last.weight).filter(|last| next.weight > 0 && *last >= next.weight);
            if let Some(last) = before {
                let message = format!("`weight` is {}, and that of the step before {last}", next.weight);
                self.fault(&step.span("weight"), "config/value", message, |fault| {
                    fault.hint("each step gives the new colour more; it gets all of it after the last one")
                });
            }
            steps.push(next);
        }
        Strategy::Canary(steps)
    }

    /// Whether hosts have one place each.
    pub(super) fn is_rolling(root: &Reader<'_>) -> bool {
        root.table("pipeline", &pipeline::KEYS).table("strategy", &KEYS).has("rolling")
    }

    /// What can't be wanted together with taking hosts out one after the other.
    pub(super) fn fit_rolling(&mut self, root: &Reader<'_>, application: &Application, strategy: &Strategy) {
        let Some(batch) = strategy.batch() else { return };
        let pipeline = root.table("pipeline", &pipeline::KEYS);
        let table = pipeline.table("strategy", &KEYS);
        let hosts = application.hosts.len();
        if hosts == 1 {
            let message =
                format!("`rolling` takes hosts out, and `{}` is the only one", application.hosts[0]);
            self.fault(&table.key_span("rolling"), "config/conflict", message, |fault| {
                fault.hint("while one is out, another has to have the requests; on one host, two ports and \"blue-green\" do that")
            });
        } else if batch >= hosts && hosts > 0 {
            let message = format!(
                "`batch` is {batch}, and there are {hosts} hosts: none would be left to have the requests"
            );
            self.fault(
                &table.table("rolling", &ROLLING).span("batch"),
                "config/conflict",
                message,
                |fault| fault.hint(format!("at most {} can be out at the same time", hosts - 1)),
            );
        }
        let one = "each host has room for one release, and nothing else than that is started or stopped";
        let conflicts = [
            ("retire", one.to_owned()),
            ("max-excluded", "a host without the new release would go on with the old one".to_owned()),
        ];
        for (key, why) in conflicts {
            if pipeline.has(key) {
                let message = format!("`pipeline.{key}` and a rolling strategy do not go together: {why}");
                self.fault(&pipeline.key_span(key), "config/conflict", message, |fault| {
                    fault.hint(format!("leave `{key}` out"))
                });
            }
        }
        let drain = pipeline.table("drain", &pipeline::DRAIN);
        if drain.has("connections") && drain.text("connections") == Some("wait") {
            let message =
                "`connections = \"wait\"` would leave the old release running in the place of the new one";
            self.fault(&drain.span("connections"), "config/conflict", message.to_owned(), |fault| {
                fault.hint("\"cap\" ends them when the time of `drain` is over, \"cut\" at once; \"cap\" is what a rolling strategy does by itself")
            });
        }
    }

    /// Which of the keys for ports fits: one for all, or one for each colour.
    pub(super) fn fit_places(&mut self, app: &Reader<'_>, rolls: bool) {
        if rolls {
            for color in ["blue", "green"] {
                if app.has(color) {
                    let message =
                        format!("`app.{color}` is for two colours, and a rolling strategy has none");
                    self.fault(&app.key_span(color), "config/conflict", message, |fault| {
                        fault.hint("each host has room for one release: port = 4001")
                    });
                }
            }
            if app.is_written() && !["port", "blue", "green"].iter().any(|key| app.has(key)) {
                self.fault(&app.at, "config/missing-key", "`app.port` is missing".to_owned(), |fault| {
                    fault.hint("a TCP port of each instance: port = 4001")
                });
            }
            return;
        }
        if app.has("port") {
            let message = "`app.port` is for a rolling strategy, where each host has room for one release";
            self.fault(&app.key_span("port"), "config/conflict", message.to_owned(), |fault| {
                fault.hint(
                    "each colour has a port of its own: blue = { port = 4001 }; or, in [pipeline], strategy = { rolling = { batch = 1 } }",
                )
            });
            return;
        }
        for color in ["blue", "green"] {
            if app.is_written() && !app.has(color) && !app.has_like(color) {
                self.fault(&app.at, "config/missing-key", format!("`app.{color}` is missing"), |fault| {
                    fault.hint(app::COLOR_HINT)
                });
            }
        }
    }
}
