//! `cutover plan`.

use std::time::Duration;

use clap::Args;

use super::deploy::Source;
use super::invocation::Invocation;
use super::locked::LockFlag;
use super::{DONE, Ended, engine};
use crate::config::Loaded;
use crate::model::request::DeployRequest;
use crate::model::view::PlanView;
use crate::report;
use crate::run;

/// Show every step, host and grant, and the way back; change nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover plan
  cutover plan -e production --release 42
  cutover plan --json | jq '.irreversible'

What would keep the deployment from being begun now is told at the end, and by the exit code, which is that of `deploy`: \
30 while another deployment is under way, 40 where one was left without an end.")]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Take what the routers show as the truth, where the record differs
    #[arg(long)]
    adopt: bool,
    #[command(flatten)]
    lock: LockFlag,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let source = self.source.into_request()?;
        let loaded = invocation.load()?;
        self.lock.demand(&loaded)?;
        let (adopt, again, lock_wait) = (self.adopt, false, Duration::ZERO);
        let request = DeployRequest { source, message: None, adopt, again, lock_wait };
        show(invocation, &loaded, request).await
    }
}

/// Shows what a deployment would do.
pub(super) async fn show(invocation: &Invocation, loaded: &Loaded, request: DeployRequest) -> Ended {
    let view = engine::plan(loaded, request, invocation.output.remarks()).await?;
    Ok(print(invocation, &view))
}

/// Prints a plan. A deployment that would not begin ends so, too.
pub(super) fn print(invocation: &Invocation, view: &PlanView) -> u8 {
    invocation.output.view(view, report::plan);
    view.obstacles.first().map_or(DONE, |obstacle| run::exit_code(&obstacle.code).code())
}
