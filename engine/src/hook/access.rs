//! What the engine lends to a call of a hook, and hears from it.

use std::sync::Arc;

use cutover_host::operation::Guard;

use super::{Meddler, Recorder, Scripted};
use crate::model::grant::Denied;
use crate::model::{HostName, Level};
use crate::secret::Secrets;
use crate::transport::Link;

/// Everything that answering a hook's imports needs.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// How hosts are reached.
    pub hosts: &'a dyn Hosts,
    /// What `"app"`, `"routers"` and `"builder"` mean.
    pub groups: &'a Groups,
    /// Where secrets come from. What was looked up is masked in all that is heard.
    pub secrets: &'a Secrets,
    /// Who hears of it.
    pub observer: &'a dyn Observer,
    /// Who stands between the hook and the world; none in a deployment of which nothing is recorded.
    pub between: Option<Between<'a>>,
    /// Whether nothing may be changed, whatever is asked.
    pub only_looks: bool,
}

/// Who stands between a hook and the world.
#[derive(Debug, Clone, Copy)]
pub enum Between<'a> {
    /// Lets something go wrong on purpose.
    Meddler(&'a Meddler),
    /// Answers in its place.
    Scripted(&'a Scripted),
    /// Listens.
    Recorder(&'a Recorder),
}

/// The groups of hosts that grants name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The application's hosts.
    pub app: Vec<HostName>,
    /// The routers that are hosts.
    pub routers: Vec<HostName>,
    /// Where the build runs.
    pub builder: HostName,
}

/// The hosts of a deployment, by name.
pub trait Hosts: Send + Sync {
    /// The connection to a host; none when there is no host of that name, or it was not reached.
    fn link(&self, host: &HostName) -> Option<Arc<dyn Link>>;

    /// The epoch under which a hook may change something on a host; none before the lock is held: then it may change
    /// the host that builds alone.
    fn guard(&self, host: &HostName) -> Option<Guard>;
}

/// Who hears what a hook says while it works. `hook` is the hook's title; texts are the hook's own, cut to a length and without secrets,
/// but not escaped.
pub trait Observer: Send + Sync {
    /// A line of the log, or (as debug) one that the hook printed.
    fn log(&self, hook: &str, level: Level, message: &str);
    /// `done` of `total` (0: not known) of `what`.
    fn progress(&self, hook: &str, done: u32, total: u32, what: &str);
    /// The hook asked for what is granted, and gets it.
    fn allowed(&self, hook: &str, request: &str);
    /// The hook asked for what was not granted.
    fn denied(&self, hook: &str, denied: &Denied);
    /// The hook is being compiled, and it takes longer than a second.
    fn compiling(&self, hook: &str);
}
