//! `cutover setup`.

use clap::Args;

use super::invocation::Invocation;
use super::{DONE, Ended, engine};
use crate::report;

/// Print what each host needs once, ready to paste; change nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cutover setup -e production           a script for each host: read it, then run it there as root

`cutover check --hosts` tells whether it is there.")]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        let view = engine::setup(&loaded, invocation.output.remarks()).await?;
        invocation.output.view(&view, |view, _| report::setup(view));
        Ok(DONE)
    }
}
