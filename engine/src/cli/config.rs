//! `cutover config`.

use clap::Args;

use super::invocation::Invocation;
use super::{DONE, Ended, engine};
use crate::report;

/// Print the merged configuration, each value with where it comes from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover config -e staging             base, overlay and defaults; secrets are masked
  cutover config --json | jq -r '.entries[] | select(.origin != \"default\") | .key'")]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) fn run(self, invocation: &Invocation) -> Ended {
        let view = engine::config(invocation)?;
        invocation.output.view(&view, |view, _| report::config(view));
        Ok(DONE)
    }
}
