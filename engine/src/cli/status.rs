//! `cutover status`.

use std::time::Duration;

use clap::Args;

use super::invocation::Invocation;
use super::words::time;
use super::{DONE, Ended, engine};
use crate::model::view::ExitCode;
use crate::report;

/// Show what is live, as hosts and routers tell it, against the record
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover status
  cutover status --releases             what a rollback can go to
  cutover status --check --max-age 7d   ends with 70 on drift, a deployment without an end, or an old release
  cutover status --json | jq .live.release.number")]
pub(super) struct Arguments {
    /// End with 70 when reality and record differ, the record can't be read, a deployment was left without an end, or the live release
    /// is too old
    #[arg(long)]
    check: bool,
    /// List the releases that are on the hosts too
    #[arg(long)]
    releases: bool,
    /// How old the live release may be [default: pipeline.max-age]
    #[arg(long, value_name = "TIME", value_parser = time, requires = "check")]
    max_age: Option<Duration>,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load_to_look(&["health-check"])?;
        let mut view = engine::status(&loaded, self.max_age, invocation.output.remarks()).await?;
        let failed = self.check && view.is_amiss();
        if !self.releases {
            view.releases.clear();
        }
        invocation.output.view(&view, report::status);
        Ok(if failed { ExitCode::CheckFailed.code() } else { DONE })
    }
}
