//! `cutover config`.

use clap::Args;

use super::invocation::Invocation;
use super::{DONE, Ended};
use crate::config::render;
use crate::report;

/// Print the merged configuration, each value with where it comes from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover config -e staging             base, overlay and defaults; secrets are never read
  cutover config --json | jq -r '.[] | select(.origin != \"default\") | .key'")]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        invocation.output.view(&loaded.settings, |settings, _| report::settings(&render(settings)));
        Ok(DONE)
    }
}
