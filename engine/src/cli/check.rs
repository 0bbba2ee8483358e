//! `cutover check`.

use clap::Args;

use super::invocation::Invocation;
use super::locked::LockFlag;
use super::{DONE, Ended, against, engine};
use crate::model::view::ExitCode;
use crate::report;

/// Check the configuration and its hooks; --hosts: the hosts too
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover check                         starts no program but git, to see the checkout; speaks to no host
  cutover check --hosts -e production   logs in and looks; changes nothing
  cutover check --against origin/main   what a change widens, for CI: 60 when something got wider

Against a revision, cutover.toml, cutover.lock, cutover.known_hosts and the hooks' files are compared with those of that revision, in every \
environment or the one of -e. Named is each host, key, component, import, grant, limit, secret, user, command and source that was not \
there or reached less far. A branch that is behind is best compared with where it began: --against $(git merge-base origin/main HEAD). \
Nothing runs but git, on what the checkout has; no hook is loaded, no host spoken to, no secret read.")]
pub(super) struct Arguments {
    /// Ask the hosts too
    #[arg(long)]
    hosts: bool,
    /// Tell what got wider since a revision of git instead, and end with 60 when something did
    #[arg(long, value_name = "REVISION", conflicts_with = "hosts")]
    against: Option<String>,
    #[command(flatten)]
    lock: LockFlag,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        if let Some(revision) = &self.against {
            return against::compare(invocation, revision, &self.lock).await;
        }
        let loaded = invocation.load()?;
        self.lock.demand(&loaded)?;
        let view = engine::check(&loaded, self.hosts, invocation.output.remarks()).await?;
        if !view.is_ready() || !view.warnings.is_empty() || !invocation.output.is_quiet() {
            invocation.output.view(&view, report::check);
        }
        Ok(if view.is_ready() { DONE } else { ExitCode::NothingChanged.code() })
    }
}
