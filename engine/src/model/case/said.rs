//! What a hook answers, as a case has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::call::Shares;
use super::is_default;
use crate::model::{Artifact, Case, CaseOutcome, Health, Labels, Observation, SettingFault};

/// An answer, or what is expected of one: what is not written is not compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Said {
    /// Of a health check: `healthy`, `starting` or `unhealthy`.
    #[serde(skip_serializing_if = "is_default")]
    pub health: Option<HealthWord>,
    /// The release that a healthy instance says that it runs.
    #[serde(skip_serializing_if = "is_default")]
    pub release: Option<String>,
    /// Why an instance is starting or unhealthy.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: Option<String>,
    /// Of a router's `prepare`: what would change, or what is to be installed.
    #[serde(skip_serializing_if = "is_default")]
    pub text: Option<String>,
    /// Of `apply` and `discard`: true.
    #[serde(skip_serializing_if = "is_default")]
    pub done: Option<bool>,
    /// Of `observe`: whether the router knows the application. Of `connections`: whether it can tell.
    #[serde(skip_serializing_if = "is_default")]
    pub known: Option<bool>,
    /// Of `connections`.
    #[serde(skip_serializing_if = "is_default")]
    pub connections: Option<u32>,
    /// Of `observe`.
    #[serde(skip_serializing_if = "is_default")]
    pub settled: Option<bool>,
    /// Of `features`.
    #[serde(skip_serializing_if = "is_default")]
    pub features: Option<Vec<String>>,
    /// Of a build, below the output.
    #[serde(skip_serializing_if = "is_default")]
    pub path: Option<String>,
    /// Of a build.
    #[serde(skip_serializing_if = "is_default")]
    pub version: Option<String>,
    /// Of `observe`.
    #[serde(skip_serializing_if = "is_default")]
    pub routing: Option<Shares>,
    /// Of a build or `observe`.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<SaidError>,
    /// Of a smoke test: all of them.
    #[serde(skip_serializing_if = "is_default")]
    pub cases: Option<Vec<SaidCase>>,
    /// Of `validate`: all of them.
    #[serde(skip_serializing_if = "is_default")]
    pub faults: Option<Vec<SaidFault>>,
}

/// What a health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HealthWord {
    /// Well.
    Healthy,
    /// Not yet.
    Starting,
    /// Not.
    Unhealthy,
}

/// A case of a smoke test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SaidCase {
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: Option<String>,
    /// How it went.
    #[serde(skip_serializing_if = "is_default")]
    pub outcome: Option<OutcomeWord>,
    /// Why it failed or was skipped.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: Option<String>,
}

/// How a case of a smoke test went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeWord {
    /// Well.
    Passed,
    /// Not.
    Failed,
    /// It did not run.
    Skipped,
}

/// A fault of the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SaidFault {
    /// Path of the key.
    #[serde(skip_serializing_if = "is_default")]
    pub key: Option<String>,
    /// What is wrong.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: Option<String>,
}

/// Why a hook has no answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SaidError {
    /// An error of the contract (`denied`, `temporary`, `failed`, `other`), or how it ended without one: `trapped`, `timed-out`, a limit.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: Option<String>,
    /// In words, the hint included.
    #[serde(skip_serializing_if = "is_default")]
    pub text: Option<String>,
}

impl Said {
    /// What is written, by its keys.
    pub(super) fn written(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(keys)) => keys,
            Ok(_) | Err(_) => Map::new(),
        }
    }

    /// The keys that are written.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.written().into_iter().map(|(key, _)| key).collect()
    }

    /// Why there is no answer.
    #[must_use]
    pub fn error(kind: &str, text: String) -> Self {
        Self { error: Some(SaidError { kind: Some(kind.to_owned()), text: Some(text) }), ..Self::default() }
    }
}

/// That it is done.
impl From<()> for Said {
    fn from((): ()) -> Self {
        Self { done: Some(true), ..Self::default() }
    }
}

/// What `prepare` says.
impl From<String> for Said {
    fn from(text: String) -> Self {
        Self { text: Some(text), ..Self::default() }
    }
}

/// What a router can do.
impl From<Vec<String>> for Said {
    fn from(features: Vec<String>) -> Self {
        Self { features: Some(features), ..Self::default() }
    }
}

/// How many connections are open, where that can be told.
impl From<Option<u32>> for Said {
    fn from(connections: Option<u32>) -> Self {
        Self { known: Some(connections.is_some()), connections, ..Self::default() }
    }
}

impl From<Health> for Said {
    fn from(health: Health) -> Self {
        let (word, release, reason) = match health {
            Health::Healthy(release) => (HealthWord::Healthy, release, None),
            Health::Starting(reason) => (HealthWord::Starting, None, Some(reason)),
            Health::Unhealthy(reason) => (HealthWord::Unhealthy, None, Some(reason)),
        };
        Self { health: Some(word), release, reason, ..Self::default() }
    }
}

impl From<Vec<Case>> for Said {
    fn from(cases: Vec<Case>) -> Self {
        let case = |Case { name, outcome, .. }: Case| {
            let (outcome, reason) = match outcome {
                CaseOutcome::Passed => (OutcomeWord::Passed, None),
                CaseOutcome::Failed(reason) => (OutcomeWord::Failed, Some(reason)),
                CaseOutcome::Skipped(reason) => (OutcomeWord::Skipped, Some(reason)),
            };
            SaidCase { name: Some(name), outcome: Some(outcome), reason }
        };
        Self { cases: Some(cases.into_iter().map(case).collect()), ..Self::default() }
    }
}

impl From<Observation> for Said {
    fn from(Observation { routing, settled, labels }: Observation) -> Self {
        Self {
            known: Some(routing.is_some()),
            routing: routing.as_ref().map(Shares::of),
            settled: Some(settled),
            labels: Some(by_name(labels)),
            ..Self::default()
        }
    }
}

impl From<Artifact> for Said {
    fn from(Artifact { path, version, labels }: Artifact) -> Self {
        Self { path: Some(path), version, labels: Some(by_name(labels)), ..Self::default() }
    }
}

impl From<Vec<SettingFault>> for Said {
    fn from(faults: Vec<SettingFault>) -> Self {
        let fault = |SettingFault { key, reason }| SaidFault { key: Some(key), reason: Some(reason) };
        Self { faults: Some(faults.into_iter().map(fault).collect()), ..Self::default() }
    }
}

fn by_name(labels: Labels) -> BTreeMap<String, String> {
    labels.into_iter().collect()
}
