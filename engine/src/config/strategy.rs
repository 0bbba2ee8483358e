//! `pipeline.strategy`.

use super::format;
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use crate::model::{CanaryStep, Strategy};

const STRATEGIES: &str =
    "the strategies are \"blue-green\" and { canary = [{ weight = 5, watch = \"2m\" }, …] }";

/// A strategy with settings.
pub(super) static KEYS: Keys = Keys {
    doc: "How traffic moves: in shares, each of which is watched.",
    keys: &[Key::optional(
        "canary",
        Shape::NonEmpty(&Shape::Table(&STEP)),
        "Shares of the requests that the new colour gets one after the other, before it gets all of them. The router has to be able to share.",
    )],
    advice: &[("rolling", STRATEGIES), ("blue-green", "it has no settings: strategy = \"blue-green\"")],
};

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
}
