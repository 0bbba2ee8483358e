//! What a hook is asked and what it answers, free of the sandbox that carries it.

use std::net::IpAddr;

use super::{Color, HostName, Release, ReleaseId};

/// Open-ended pairs of a key and a value.
pub type Labels = Vec<(String, String)>;

/// What a question to a hook is about; filled in anew for each. The hook's settings are added by whoever holds the hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookCall {
    /// Identifier of the deployment.
    pub deployment: String,
    /// Name of the application.
    pub app: String,
    /// What is being deployed.
    pub release: HookRelease,
    /// What was live when the deployment began.
    pub previous: Option<HookRelease>,
    /// Colour that is being filled.
    pub color: Color,
    /// 1 for the first try of this question.
    pub attempt: u32,
    /// The instances that this kind of hook may know; `http` grants to `instances` mean exactly these.
    pub instances: Vec<Instance>,
    /// Those that the contract names: `environment`, `marker-header` …
    pub facts: Labels,
}

/// A release as hooks see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRelease {
    /// Name of its directory on the hosts.
    pub id: String,
    /// Revision of the source, when known.
    pub revision: Option<String>,
    /// Version that the build reported.
    pub version: Option<String>,
    /// `sha256:…`; empty during the build.
    pub digest: String,
    /// What the build said beside that.
    pub labels: Labels,
}

impl From<&Release> for HookRelease {
    fn from(release: &Release) -> Self {
        Self {
            id: release.id.to_string(),
            revision: release.revision.clone(),
            version: release.version.clone(),
            digest: release.digest.clone(),
            labels: release.labels.clone(),
        }
    }
}

impl HookRelease {
    /// A release that is still to be built.
    #[must_use]
    pub fn unbuilt(id: &ReleaseId, revision: Option<String>) -> Self {
        Self { id: id.to_string(), revision, version: None, digest: String::new(), labels: Labels::new() }
    }
}

/// One colour on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Name of the host.
    pub host: HostName,
    /// Its colour.
    pub color: Color,
    /// Address that it listens on, seen from its own host.
    pub listen: String,
    /// Address at which the other hosts reach it.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Open-ended; the engine says nothing here yet.
    pub labels: Labels,
}

impl Instance {
    /// Where it answers on its own host: one that listens on every address is asked at loopback.
    #[must_use]
    pub fn local_address(&self) -> &str {
        match self.listen.parse() {
            Ok(IpAddr::V4(address)) if address.is_unspecified() => "127.0.0.1",
            Ok(IpAddr::V6(address)) if address.is_unspecified() => "::1",
            Ok(_) | Err(_) => &self.listen,
        }
    }
}

/// What a build hook builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Full revision.
    pub revision: String,
    /// Branch it was taken from.
    pub branch: String,
    /// Clean checkout: absolute, on the host that builds.
    pub checkout: String,
    /// Empty directory for the artifact: absolute, on the host that builds.
    pub output: String,
}

/// What a build hook made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Below [`Source::output`], relative and without `..`; empty for all of it.
    pub path: String,
    /// Version that the build reported.
    pub version: Option<String>,
    /// Open-ended.
    pub labels: Labels,
}

/// What a health check said of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Well, with the release that the instance says it runs.
    Healthy(Option<String>),
    /// Not yet, and why.
    Starting(String),
    /// Not, and why.
    Unhealthy(String),
}

/// One case of a smoke test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// How it went.
    pub outcome: CaseOutcome,
    /// Milliseconds.
    pub duration_ms: u32,
    /// Open-ended.
    pub labels: Labels,
}

/// How a case of a smoke test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseOutcome {
    /// Well.
    Passed,
    /// Not, and why.
    Failed(String),
    /// Did not run, and why.
    Skipped(String),
}

/// A fault that a hook found in its `settings` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFault {
    /// `upstream.port`, `cases[2].path`; empty for the table.
    pub key: String,
    /// What is wrong and what is accepted.
    pub reason: String,
}
