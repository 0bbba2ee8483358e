//! What a person asks for on the command line, as data.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::{Ask, HostName, Maintenance};

/// `cutover deploy` and `cutover plan`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployRequest {
    /// What goes live.
    pub source: DeploySource,
    /// Text for the history.
    pub message: Option<String>,
    /// Takes what the routers show as the truth where the record differs.
    pub adopt: bool,
    /// Deploys the revision that is live once more, though nothing has changed.
    pub again: bool,
    /// How long to wait for a held lock.
    pub lock_wait: Duration,
}

/// What goes live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploySource {
    /// Built from this revision of the allowed branch; none: its newest.
    Revision(Option<String>),
    /// A release that is on the hosts: number or identifier.
    Release(String),
    /// A directory that was built elsewhere.
    Artifact(Utf8PathBuf),
    /// Nothing does: it is about what is live.
    Live,
}

impl DeploySource {
    /// Whether a build hook is asked.
    #[must_use]
    pub const fn is_built(&self) -> bool {
        matches!(self, Self::Revision(_))
    }
}

/// `cutover rollback`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackRequest {
    /// Release number or identifier; none: the previous one.
    pub to: Option<String>,
    /// Text for the history.
    pub message: Option<String>,
    /// How long to wait for a held lock.
    pub lock_wait: Duration,
}

/// `cutover maintenance`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceRequest {
    /// Whether it begins or ends.
    pub wanted: Maintenance,
    /// Text for the history.
    pub message: Option<String>,
    /// How long to wait for a held lock.
    pub lock_wait: Duration,
}

/// `cutover resume` and `cutover abort`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverRequest {
    /// Where to.
    pub ask: Ask,
    /// Goes on with a configuration that has changed in what the deployment stands on.
    pub accept_changes: bool,
    /// Hosts that are gone for good: it goes back without them.
    pub without: Vec<HostName>,
    /// How long to wait for a held lock.
    pub lock_wait: Duration,
}

/// Which instance `exec` and `logs` mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceChoice {
    /// Which side.
    pub side: Side,
    /// Which host; none: the first of the side for `exec`, all for `logs`.
    pub host: Option<HostName>,
}

/// Which side of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// The colour with the traffic.
    Live,
    /// The other one.
    Idle,
    /// A release: number or identifier.
    Release(String),
}

/// `cutover exec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecRequest {
    /// Where.
    pub instance: InstanceChoice,
    /// Program and arguments.
    pub argv: Vec<String>,
}

/// `cutover logs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsRequest {
    /// Where.
    pub instances: InstanceChoice,
    /// How many lines to begin with.
    pub lines: u32,
    /// Go on until interrupted.
    pub follow: bool,
}
