//! What comes out of a sandbox goes into journals, releases and texts for people: secrets are masked in all of it.

use super::contract::cutover::hook::hook_types::{HookError, SettingFault};
use super::contract::exports::cutover::hook::build::Artifact;
use super::contract::exports::cutover::hook::health_check::Health;
use super::contract::exports::cutover::hook::router::{Observation, Routing};
use super::contract::exports::cutover::hook::smoke_test::{Outcome, TestCase};
use super::wire::{End, Value};
use crate::secret::Redactor;

/// How a question ended, without a secret in any text. A name with one in it is no name any more, and is refused as such.
pub(super) fn end(redactor: &Redactor, end: End) -> End {
    let masked = |text: String| redactor.mask(&text);
    match end {
        End::Value(answer) => End::Value(value(redactor, answer)),
        End::Error(error) => End::Error(match error {
            HookError::Denied(reason) => HookError::Denied(masked(reason)),
            HookError::Temporary(reason) => HookError::Temporary(masked(reason)),
            HookError::Failed(reason) => HookError::Failed(masked(reason)),
            HookError::Other((code, reason)) => HookError::Other((masked(code), masked(reason))),
        }),
        End::Trapped(reason) => End::Trapped(masked(reason)),
        End::Unfit(reason) => End::Unfit(masked(reason)),
        End::TimedOut | End::Exceeded(_) => end,
    }
}

fn value(redactor: &Redactor, value: Value) -> Value {
    let masked = |text: String| redactor.mask(&text);
    let all = |texts: Vec<String>| texts.into_iter().map(masked).collect();
    let labels = |labels: Vec<(String, String)>| {
        labels.into_iter().map(|(name, value)| (masked(name), masked(value))).collect()
    };
    match value {
        Value::Faults(faults) => {
            let fault = |SettingFault { key, reason }: SettingFault| SettingFault {
                key: masked(key),
                reason: masked(reason),
            };
            Value::Faults(faults.into_iter().map(fault).collect())
        }
        Value::Artifact(Artifact { path, version, labels: said }) => Value::Artifact(Artifact {
            path: masked(path),
            version: version.map(masked),
            labels: labels(said),
        }),
        Value::Health(health) => Value::Health(match health {
            Health::Healthy(release) => Health::Healthy(release.map(masked)),
            Health::Starting(reason) => Health::Starting(masked(reason)),
            Health::Unhealthy(reason) => Health::Unhealthy(masked(reason)),
        }),
        Value::Cases(cases) => {
            let case = |TestCase { name, outcome, duration_ms, labels: said }: TestCase| TestCase {
                name: masked(name),
                outcome: match outcome {
                    Outcome::Passed => Outcome::Passed,
                    Outcome::Failed(reason) => Outcome::Failed(masked(reason)),
                    Outcome::Skipped(reason) => Outcome::Skipped(masked(reason)),
                },
                duration_ms,
                labels: labels(said),
            };
            Value::Cases(cases.into_iter().map(case).collect())
        }
        Value::Features(features) => Value::Features(all(features)),
        Value::Observation(Observation { routing, settled, labels: said }) => {
            let routing = routing.map(|Routing { blue, green, out }| Routing { blue, green, out: all(out) });
            Value::Observation(Observation { routing, settled, labels: labels(said) })
        }
        Value::Text(text) => Value::Text(masked(text)),
        Value::Done => Value::Done,
        Value::Count(count) => Value::Count(count),
        // Names of interfaces, and asked before there are secrets.
        Value::Description(description) => Value::Description(description),
    }
}
