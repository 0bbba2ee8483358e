//! `cutover history`.

use clap::Args;

use super::invocation::Invocation;
use super::words::some;
use super::{DONE, Ended, engine};
use crate::report;

/// Show past deployments: who, what, when, why, and how they ended
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover history
  cutover history -n 100 --json | jq -r '.entries[] | [.started, .outcome] | @tsv'")]
pub(super) struct Arguments {
    /// How many, newest first
    #[arg(short = 'n', long, value_name = "N", default_value = "20", value_parser = some)]
    entries: u32,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load_to_look(&[])?;
        let view = engine::history(&loaded, self.entries as usize, invocation.output.remarks()).await?;
        invocation.output.view(&view, report::history);
        Ok(DONE)
    }
}
