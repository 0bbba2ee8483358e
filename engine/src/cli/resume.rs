//! `cutover resume`.

use clap::Args;

use super::invocation::Invocation;
use super::{Ended, engine};
use crate::model::Ask;
use crate::model::request::RecoverRequest;

/// Bring a deployment that was cut off to its end, forward or back as is safe
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover resume                        looks at hosts and routers first, then goes on or back
  cutover resume --forward              goes on where both ways are open

To go back in any case: `cutover abort`.

Ends with 0 when the release is live, and with 10 when everything was put back: then it is not.")]
pub(super) struct Arguments {
    /// Go forward where there is a choice
    #[arg(long)]
    forward: bool,
    /// Go on where the configuration has changed in hosts, directory, driver, user, ports or router
    #[arg(long)]
    accept_changes: bool,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        invocation.confirm(&loaded.deployment, "resume")?;
        let ask = if self.forward { Ask::ResumeForward } else { Ask::Resume };
        let request = RecoverRequest { ask, accept_changes: self.accept_changes };
        engine::recover(&loaded, request, &invocation.output).await
    }
}
