//! What a call of a case is about: what is not written is as in a deployment of a small application.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_default;
use crate::model::{Color, HookCall, HookRelease, HostName, Instance, Labels, Routing, Source};

/// What the engine tells a hook with each question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CaseCall {
    /// Identifier of the deployment; empty where none is under way.
    pub deployment: String,
    /// Name of the application.
    pub app: String,
    /// Colour that is filled.
    pub color: Color,
    /// From 1.
    pub attempt: u32,
    /// What is deployed.
    pub release: CaseRelease,
    /// What was live before.
    #[serde(skip_serializing_if = "is_default")]
    pub previous: Option<CaseRelease>,
    /// As in the contract.
    #[serde(skip_serializing_if = "is_default")]
    pub facts: BTreeMap<String, String>,
    /// Those that the hook may know; a health check is asked about the first.
    #[serde(skip_serializing_if = "is_default")]
    pub instances: Vec<CaseInstance>,
}

impl Default for CaseCall {
    fn default() -> Self {
        Self {
            deployment: "01CASE".to_owned(),
            app: "app".to_owned(),
            color: Color::Green,
            attempt: 1,
            release: CaseRelease::default(),
            previous: None,
            facts: BTreeMap::new(),
            instances: Vec::new(),
        }
    }
}

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CaseRelease {
    /// Its name.
    pub id: String,
    /// Of the source.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: Option<String>,
    /// As the build reported it.
    #[serde(skip_serializing_if = "is_default")]
    pub version: Option<String>,
    /// `sha256:…`.
    #[serde(skip_serializing_if = "is_default")]
    pub digest: String,
    /// As the build reported them.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
}

impl Default for CaseRelease {
    fn default() -> Self {
        Self {
            id: "20260101T000000Z-00000000-case".to_owned(),
            revision: None,
            version: None,
            digest: String::new(),
            labels: BTreeMap::new(),
        }
    }
}

/// One colour on one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CaseInstance {
    /// Its host.
    pub host: HostName,
    /// Its colour.
    #[serde(default = "green")]
    pub color: Color,
    /// Where it listens.
    #[serde(default = "loopback")]
    pub listen: String,
    /// Where others reach it.
    #[serde(default = "loopback")]
    pub address: String,
    /// Its port.
    pub port: u16,
    /// As in the contract.
    #[serde(default, skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
}

/// What a build builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CaseSource {
    /// Full revision.
    pub revision: String,
    /// Its branch.
    #[serde(default)]
    pub branch: String,
    /// Absolute.
    pub checkout: String,
    /// Absolute.
    pub output: String,
}

/// Shares of the colours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Shares {
    /// Percent.
    #[serde(skip_serializing_if = "is_default")]
    pub blue: Option<u32>,
    /// Percent.
    #[serde(skip_serializing_if = "is_default")]
    pub green: Option<u32>,
    /// Hosts without new requests.
    #[serde(skip_serializing_if = "is_default")]
    pub out: Option<Vec<HostName>>,
}

impl Shares {
    /// All of a routing.
    #[must_use]
    pub fn of(routing: &Routing) -> Self {
        Self { blue: Some(routing.blue), green: Some(routing.green), out: Some(routing.out.clone()) }
    }

    /// The routing; what is not written is none.
    #[must_use]
    pub fn routing(&self) -> Routing {
        Routing {
            blue: self.blue.unwrap_or_default(),
            green: self.green.unwrap_or_default(),
            out: self.out.clone().unwrap_or_default(),
        }
    }
}

impl CaseCall {
    /// As the engine would fill it in.
    #[must_use]
    pub fn hook_call(&self) -> HookCall {
        HookCall {
            deployment: self.deployment.clone(),
            app: self.app.clone(),
            release: self.release.hook_release(),
            previous: self.previous.as_ref().map(CaseRelease::hook_release),
            color: self.color,
            attempt: self.attempt,
            instances: self.instances.iter().map(CaseInstance::instance).collect(),
            facts: pairs(&self.facts),
        }
    }
}

impl From<&HookCall> for CaseCall {
    fn from(call: &HookCall) -> Self {
        Self {
            deployment: call.deployment.clone(),
            app: call.app.clone(),
            color: call.color,
            attempt: call.attempt,
            release: CaseRelease::from(&call.release),
            previous: call.previous.as_ref().map(CaseRelease::from),
            facts: call.facts.iter().cloned().collect(),
            instances: call.instances.iter().map(CaseInstance::from).collect(),
        }
    }
}

impl CaseRelease {
    fn hook_release(&self) -> HookRelease {
        HookRelease {
            id: self.id.clone(),
            revision: self.revision.clone(),
            version: self.version.clone(),
            digest: self.digest.clone(),
            labels: pairs(&self.labels),
        }
    }
}

impl From<&HookRelease> for CaseRelease {
    fn from(release: &HookRelease) -> Self {
        Self {
            id: release.id.clone(),
            revision: release.revision.clone(),
            version: release.version.clone(),
            digest: release.digest.clone(),
            labels: release.labels.iter().cloned().collect(),
        }
    }
}

impl CaseInstance {
    /// As the engine would name it.
    #[must_use]
    pub fn instance(&self) -> Instance {
        Instance {
            host: self.host.clone(),
            color: self.color,
            listen: self.listen.clone(),
            address: self.address.clone(),
            port: self.port,
            labels: pairs(&self.labels),
        }
    }
}

impl From<&Instance> for CaseInstance {
    fn from(instance: &Instance) -> Self {
        Self {
            host: instance.host.clone(),
            color: instance.color,
            listen: instance.listen.clone(),
            address: instance.address.clone(),
            port: instance.port,
            labels: instance.labels.iter().cloned().collect(),
        }
    }
}

impl CaseSource {
    /// As the engine would name it.
    #[must_use]
    pub fn source(&self) -> Source {
        let Self { revision, branch, checkout, output } = self.clone();
        Source { revision, branch, checkout, output }
    }
}

impl From<&Source> for CaseSource {
    fn from(source: &Source) -> Self {
        let Source { revision, branch, checkout, output } = source.clone();
        Self { revision, branch, checkout, output }
    }
}

fn pairs(labels: &BTreeMap<String, String>) -> Labels {
    labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

const fn green() -> Color {
    Color::Green
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}
