//! `cutover rollback`.

use clap::Args;

use super::invocation::Invocation;
use super::lock_wait::LockWaitFlag;
use super::locked::LockFlag;
use super::record::RecordFlag;
use super::{Ended, engine, pipeline, plan};
use crate::model::request::RollbackRequest;

/// Put an older release live again, by a new deployment of it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover rollback                      the release that was live before, in seconds when it is kept warm
  cutover rollback --to 41 -m \"checkout is broken\"
  cutover rollback --dry-run            its plan: changes nothing

A second rollback goes one further back; to go forward again, name the release. The release starts as it was deployed, by its own `start` \
and environment; ports, health check and router are those of cutover.toml.

For a deployment that went live. One that was cut off on its way: `cutover resume` or `cutover abort`.")]
pub(super) struct Arguments {
    /// Release number or identifier [default: of those that are older than the live one, the one that was live last]
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    /// Text for the history
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    waiting: LockWaitFlag,
    #[command(flatten)]
    recording: RecordFlag,
    /// Show the plan and change nothing
    #[arg(long, conflicts_with = "record")]
    dry_run: bool,
    #[command(flatten)]
    lock: LockFlag,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        self.lock.demand(&loaded)?;
        let request =
            RollbackRequest { to: self.to, message: self.message, lock_wait: self.waiting.lock_wait };
        if self.dry_run {
            let view = engine::plan_rollback(&loaded, request, invocation.output.remarks()).await?;
            return Ok(plan::print(invocation, &view));
        }
        let recording = self.recording.begin()?;
        invocation.confirm(&loaded.deployment, "rollback")?;
        pipeline::rollback(&loaded, request, recording, &invocation.output).await
    }
}
