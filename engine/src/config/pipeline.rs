//! `[pipeline]`.

use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use super::{app, format, health_check, strategy};
use crate::model::{Application, ConnectionPolicy, HealthCheck, MaxExcluded, Pipeline, Retire, Strategy};

/// The table.
pub(super) static KEYS: Keys = Keys {
    doc: "Times and policies of a deployment.",
    keys: &[
        Key::text("timeout", Shape::Text(&format::DURATION), "30m", "For the whole deployment."),
        Key::text(
            "watch",
            Shape::Text(&format::DURATION_OR_ZERO),
            "60s",
            "How long the new colour is watched once it has all the traffic.",
        ),
        Key::optional("drain", Shape::Table(&DRAIN), DRAIN.doc),
        Key::text(
            "retire",
            Shape::Choice(&["keep-warm", "stop"]),
            "keep-warm",
            "What becomes of the old colour: goes on running for an instant rollback, or is stopped.",
        ),
        Key::text(
            "strategy",
            Shape::Either(&[Shape::Choice(&["blue-green"]), Shape::OneOf(&strategy::KEYS)]),
            "blue-green",
            "How traffic moves: all at once, in shares that rise with a watch after each, or from host to host.",
        ),
        Key::integer("parallel", Shape::Integer(1, 256), 32, "Hosts worked on at once."),
        Key::optional(
            "max-excluded",
            Shape::Either(&[Shape::Integer(0, 1000), Shape::Text(&format::PERCENT)]),
            "How many of the application's hosts a deployment may leave out that can't be reached, or that fail before the switch: a number, \
             or a share of them, rounded down. Default: none.",
        ),
        Key::optional(
            "max-age",
            Shape::Text(&format::DURATION),
            "Age of the live release from which on `cutover status --check` fails. Default: never.",
        ),
    ],
    advice: &[(
        "state",
        "lock, journal and history are kept on the first router host (on the first application host when no router is one)",
    )],
};

pub(super) static DRAIN: Keys = Keys::new(
    "What happens to connections that are open on the old colour.",
    &[
        Key::text("timeout", Shape::Text(&format::DURATION_OR_ZERO), "30s", "How long they may go on."),
        Key::text(
            "connections",
            Shape::Choice(&["wait", "cap", "cut"]),
            "wait",
            "At the end of that time: leave them with a warning (wait), and begin no other deployment while some are open, or stop them (cap); or \
             stop them at once (cut). With a rolling strategy, cap.",
        ),
    ],
);

impl Resolver<'_> {
    /// Reads the table.
    pub(super) fn pipeline(&mut self, root: &Reader<'_>) -> Pipeline {
        let table = root.table("pipeline", &KEYS);
        let drain = table.table("drain", &DRAIN);
        let strategy = self.strategy(&table);
        let rolls = strategy.batch().is_some();
        Pipeline {
            timeout: table.duration("timeout"),
            strategy,
            watch: table.duration("watch"),
            drain_timeout: drain.duration("timeout"),
            connections: match drain.text("connections") {
                Some("cap") => ConnectionPolicy::Cap,
                Some("cut") => ConnectionPolicy::Cut,
                // What is on a host makes room for what comes.
                _ if rolls => ConnectionPolicy::Cap,
                _ => ConnectionPolicy::Wait,
            },
            retire: if table.text("retire") == Some("stop") { Retire::Stop } else { Retire::KeepWarm },
            parallel: table.integer("parallel"),
            max_excluded: match table.text("max-excluded") {
                Some(share) => MaxExcluded::Percent(format::parse_percent(share).unwrap_or_default()),
                None => MaxExcluded::Hosts(table.integer("max-excluded")),
            },
            max_age: table.has("max-age").then(|| table.duration("max-age")),
        }
    }

    /// All watches together.
    fn fit_watches(&mut self, whole: &Reader<'_>, pipeline: &Pipeline) {
        let time = pipeline.watches();
        let is_told = pipeline.timeout.is_zero() || pipeline.watch >= pipeline.timeout;
        if is_told || pipeline.strategy == Strategy::BlueGreen || time < pipeline.timeout {
            return;
        }
        let message = format!(
            "the steps of `pipeline.strategy` and `pipeline.watch` last {} s, and the whole deployment has {}: it would be turned back before \
             they are over",
            time.as_secs(),
            whole.string("timeout")
        );
        self.fault(&whole.span("strategy"), "config/conflict", message, |fault| {
            fault.hint("raise `pipeline.timeout`, or watch for a shorter time")
        });
    }

    /// What has to end before the time of the whole deployment does, which turns it back.
    pub(super) fn fit(
        &mut self,
        root: &Reader<'_>,
        application: &Application,
        health_check: &HealthCheck,
        pipeline: &Pipeline,
    ) {
        let whole = root.table("pipeline", &KEYS);
        self.fit_watches(&whole, pipeline);
        self.fit_rolling(root, application, &pipeline.strategy);
        let parts = [
            ("pipeline", &KEYS, "watch", pipeline.watch),
            ("health-check", &health_check::KEYS, "deadline", health_check.deadline),
            ("app", &app::KEYS, "stop-timeout", application.stop_timeout),
        ];
        for (name, keys, key, time) in parts {
            // One that can't be read is told of already.
            if pipeline.timeout.is_zero() || time < pipeline.timeout {
                continue;
            }
            let table = root.table(name, keys);
            let message = format!(
                "`{name}.{key}` is {}, and the whole deployment has {}: it would be turned back before that is over",
                table.string(key),
                whole.string("timeout")
            );
            let span = if table.has(key) { table.span(key) } else { whole.span("timeout") };
            self.fault(&span, "config/conflict", message, |fault| {
                fault.hint(format!("raise `pipeline.timeout`, or lower `{name}.{key}`"))
            });
        }
    }
}
