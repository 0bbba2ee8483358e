//! `cutover resume`.

use clap::Args;

use super::invocation::Invocation;
use super::lock_wait::LockWaitFlag;
use super::record::RecordFlag;
use super::{Ended, pipeline};
use crate::model::Ask;
use crate::model::request::RecoverRequest;

/// Bring a deployment that was cut off to its end, forward or back as is safe
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover resume                        looks at hosts and routers first, then goes on or back
  cutover resume --forward              goes on where both ways are open
  cutover resume --lock-wait 75s        after whoever deployed was cut off: the lock is free by then, without a question

Before the release is live for good this goes back, unless `--forward` is given; after 15 minutes with the traffic on the \
new release it asks which. To go back in any case: `cutover abort`.

Ends with 0 when the release is live. When it is not and everything is as before, with the exit code that the deployment would \
have had: 10 where something was put back, 11 where nothing had been changed, 20 where a signal had interrupted it. With 40 \
when a person is needed.")]
pub(super) struct Arguments {
    /// Go forward where there is a choice
    #[arg(long)]
    forward: bool,
    /// Go on where the configuration has changed in hosts, directory, driver, user, ports or router
    #[arg(long)]
    accept_changes: bool,
    #[command(flatten)]
    waiting: LockWaitFlag,
    #[command(flatten)]
    recording: RecordFlag,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        let recording = self.recording.begin()?;
        invocation.confirm(&loaded.deployment, "resume")?;
        let ask = if self.forward { Ask::ResumeForward } else { Ask::Resume };
        let request = RecoverRequest {
            ask,
            accept_changes: self.accept_changes,
            without: Vec::new(),
            lock_wait: self.waiting.lock_wait,
        };
        pipeline::recover(&loaded, request, recording, &invocation.output).await
    }
}
