//! `cutover abort`.

use clap::Args;

use super::invocation::Invocation;
use super::{Ended, engine};
use crate::model::Ask;

/// Put back a deployment that was cut off, unless its release is live for good
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cutover abort

After the pivot (\"release 43 is live\") there is nothing to put back: then `cutover resume` finishes the
clean-up, and `cutover rollback` puts the release before live again.")]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        invocation.confirm(&loaded.deployment, "abort")?;
        engine::recover(&loaded, Ask::Abort, &invocation.output).await
    }
}
