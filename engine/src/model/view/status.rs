//! What `cutover status` shows: the record against what hosts and routers say.

use serde::Serialize;

use crate::model::{Color, HostName, Observation, Release, Routing, Timestamp};

/// Everything that was found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusView {
    /// `shop/production`.
    pub title: String,
    /// When hosts and routers were asked.
    pub asked: Timestamp,
    /// The live colour by the record; none before the first deployment, and when the record can't be read.
    pub live: Option<LiveStatus>,
    /// Why the home's record can't be read: then it is not known what is live. Makes `status --check` fail.
    pub record_problem: Option<String>,
    /// Maintenance by the record: what is live gets no requests. None while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<MaintenanceStatus>,
    /// The other colour, when something is in it.
    pub idle: Option<IdleStatus>,
    /// How far the live release is behind its branch, when the repository could be asked.
    pub behind: Option<Behind>,
    /// The lock.
    pub lock: LockStatus,
    /// A deployment that has begun and has no end in the journal.
    pub unfinished: Option<Unfinished>,
    /// The colour that has the traffic: the one that all routers show. Where they show none, that of the record; in maintenance, and while
    /// a deployment is under way, which may be moving it, nothing.
    pub traffic: Option<Color>,
    /// How the routers share the requests, where all share them alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<Routing>,
    /// One entry for each host and colour, by host, the live colour first.
    pub instances: Vec<InstanceStatus>,
    /// Whole releases on the hosts, newest first; empty unless they were asked for.
    pub releases: Vec<ReleaseStatus>,
    /// Routers, in configuration order.
    pub routers: Vec<RouterStatus>,
    /// Front doors, in configuration order.
    pub front_doors: Vec<FrontDoorStatus>,
    /// What a person should know that is no drift: one sentence each.
    pub warnings: Vec<String>,
    /// Where reality and record differ, one sentence each. Any makes `status --check` fail.
    pub drift: Vec<String>,
    /// The live release is older than `--max-age` or `pipeline.max-age` allows: one sentence. Makes `status --check` fail.
    pub too_old: Option<String>,
}

/// What is live by the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveStatus {
    /// Its colour.
    pub color: Color,
    /// Its release.
    pub release: Release,
    /// Since when.
    pub since: Timestamp,
    /// Who deployed it.
    pub who: String,
    /// Link or name of the CI run that did, when there was one.
    pub ci: Option<String>,
    /// Hosts that were left out then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<HostName>,
}

/// That no colour gets requests, since a person wanted it so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaintenanceStatus {
    /// Since when.
    pub since: Timestamp,
    /// Who wanted it.
    pub who: String,
    /// Link or name of the CI run that did, when there was one.
    pub ci: Option<String>,
    /// Text given with `-m`.
    pub message: Option<String>,
}

/// What the other colour holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdleStatus {
    /// Its colour.
    pub color: Color,
    /// Its release, when it is known.
    pub release: Option<Release>,
    /// Instances that run and are healthy.
    pub warm: usize,
    /// Instances that there should be.
    pub instances: usize,
}

/// Distance from the branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Behind {
    /// Which branch.
    pub branch: String,
    /// Commits on it that are not live.
    pub commits: u64,
    /// Time of the oldest of them.
    pub oldest: Option<Timestamp>,
}

impl LockStatus {
    /// Whether whoever holds it is at work on this deployment.
    #[must_use]
    pub fn is_at_work_on(&self, work: &str) -> bool {
        matches!(self, Self::Held { deployment, gone: None, .. } if deployment == work)
    }
}

impl StatusView {
    /// Whether somebody is at work on the deployment that has no end.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.unfinished.as_ref().is_some_and(|unfinished| self.lock.is_at_work_on(&unfinished.deployment))
    }

    /// Whether somebody should look: `status --check` fails. A deployment that somebody is at work on is none of that.
    #[must_use]
    pub fn is_amiss(&self) -> bool {
        let is_left = self.unfinished.is_some() && !self.is_under_way();
        !self.drift.is_empty() || self.too_old.is_some() || self.record_problem.is_some() || is_left
    }
}

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum LockStatus {
    /// No one.
    Free,
    /// A deployment.
    Held {
        /// `user@machine`.
        who: String,
        /// `deploy`, `rollback`, …
        command: String,
        /// Its identifier.
        deployment: String,
        /// Since when.
        since: Timestamp,
        /// Step that it was last at.
        step: String,
        /// For `cutover unlock --epoch`.
        epoch: u64,
        /// Why its holder is not at work any more, when that is so: `its process is gone`.
        gone: Option<String>,
    },
    /// The home could not be asked.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// A deployment that has no end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// Its identifier.
    pub deployment: String,
    /// `deploy`, `rollback`, …
    pub command: String,
    /// Who started it.
    pub who: String,
    /// When.
    pub since: Timestamp,
    /// Step of its last record.
    pub step: String,
    /// The colour that it fills.
    pub color: Color,
    /// Number of the release that it puts there.
    pub release: u64,
    /// What ends it when nobody is at work on it, as a hint.
    pub ways: String,
}

/// One instance: a host and a colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstanceStatus {
    /// Host.
    pub host: HostName,
    /// Colour.
    pub color: Color,
    /// Number of the release that is there, when it is known.
    pub release: Option<u64>,
    /// What it does.
    pub state: InstanceState,
    /// Its TCP port.
    pub port: u16,
    /// Since when the process runs.
    pub up_since: Option<Timestamp>,
    /// Answer to a health check: `200, 3 ms`, or why it is sick.
    pub health: Option<String>,
}

/// What an instance does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Runs, is healthy, has the traffic.
    Live,
    /// Runs, is healthy, has no traffic.
    Warm,
    /// Runs and is not healthy.
    Sick,
    /// Does not run.
    Stopped,
    /// Nothing was ever deployed to it.
    Empty,
    /// The host could not be asked.
    Unknown,
}

/// A release that is on hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseStatus {
    /// The release.
    pub release: Release,
    /// What it is to the application.
    pub state: ReleaseState,
    /// Hosts that have it.
    pub hosts: Vec<HostName>,
    /// Hosts that were asked and do not.
    pub lacking: Vec<HostName>,
}

/// What a release on the hosts is to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseState {
    /// Has the traffic.
    Live,
    /// Runs without traffic.
    Warm,
    /// Went live some time, as far as is known, and can be put back.
    Kept,
    /// Never went live: each deployment of it was put back.
    NeverLive,
}

/// One router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouterStatus {
    /// Its name.
    pub name: HostName,
    /// What it answered; none when it could not be asked.
    pub observation: Option<Observation>,
    /// Whether that is what the record says.
    pub agrees: bool,
    /// Why it could not be asked.
    pub problem: Option<String>,
}

/// One front door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrontDoorStatus {
    /// Its URL.
    pub url: String,
    /// Whether the answer was as it should be.
    pub ok: bool,
    /// What it said: `release 43`, `blue`, `answers 200 (no release marker)`, `connection refused`.
    pub says: String,
}
