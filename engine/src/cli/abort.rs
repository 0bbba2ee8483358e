//! `cutover abort`.

use clap::Args;

use super::invocation::Invocation;
use super::lock_wait::LockWaitFlag;
use super::record::RecordFlag;
use super::side::host;
use super::{Ended, pipeline};
use crate::model::request::RecoverRequest;
use crate::model::{Ask, HostName};

/// Put back a deployment that was cut off, unless its release is live for good
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover abort
  cutover abort --without web2          where web2 is gone for good: puts everything else back

After the pivot (\"release 43 is live\") there is nothing to put back: then `cutover resume` finishes the \
clean-up, and `cutover rollback` puts the release before live again.

What failed may have been mended in cutover.toml meanwhile. What the deployment stands on (hosts, directory, driver, \
user, ports, router) must be as it was, or be accepted.

Ends with 0 once everything is put back: that is what was asked for.")]
pub(super) struct Arguments {
    /// Go on where the configuration has changed in hosts, directory, driver, user, ports or router
    #[arg(long)]
    accept_changes: bool,
    /// Put back all but this host, which can't be reached and will not come back
    #[arg(long, value_name = "HOST", value_parser = host)]
    without: Vec<HostName>,
    #[command(flatten)]
    waiting: LockWaitFlag,
    #[command(flatten)]
    recording: RecordFlag,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        let recording = self.recording.begin()?;
        invocation.confirm(&loaded.deployment, "abort")?;
        let request = RecoverRequest {
            ask: Ask::Abort,
            accept_changes: self.accept_changes,
            without: self.without,
            lock_wait: self.waiting.lock_wait,
        };
        pipeline::recover(&loaded, request, recording, &invocation.output).await
    }
}
