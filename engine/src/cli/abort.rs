//! `cutover abort`.

use clap::Args;

use super::invocation::Invocation;
use super::{Ended, engine};
use crate::model::Ask;
use crate::model::request::RecoverRequest;

/// Put back a deployment that was cut off, unless its release is live for good
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cutover abort

After the pivot (\"release 43 is live\") there is nothing to put back: then `cutover resume` finishes the \
clean-up, and `cutover rollback` puts the release before live again.

What failed may have been mended in cutover.toml meanwhile. What the deployment stands on (hosts, directory, driver, \
user, ports, router) must be as it was, or be accepted.

Ends with 0 once everything is put back: that is what was asked for.")]
pub(super) struct Arguments {
    /// Go on where the configuration has changed in hosts, directory, driver, user, ports or router
    #[arg(long)]
    accept_changes: bool,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        invocation.confirm(&loaded.deployment, "abort")?;
        let request = RecoverRequest { ask: Ask::Abort, accept_changes: self.accept_changes };
        engine::recover(&loaded, request, &invocation.output).await
    }
}
