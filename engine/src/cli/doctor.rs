//! `cutover doctor`.

use clap::Args;

use super::invocation::Invocation;
use super::{DONE, Ended, engine};
use crate::model::view::ExitCode;
use crate::report;

/// Look at everything and say what is wrong, and what to type; change nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover doctor                        ends with 0 when nothing is wrong, else with 70
  cutover doctor --json | jq -r '.findings[] | [.severity, .place, .text, .fix] | @tsv'

It asks every host, router and front door: where the state is kept and whether all agree, the lock, a deployment without an end and its journal, fences, the record against routers and instances, clocks, room, what `setup` made, and leftovers.")]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load_to_look(&["health-check"])?;
        let view = engine::doctor(&loaded, invocation.output.remarks()).await?;
        if !view.is_well() || !invocation.output.is_quiet() {
            invocation.output.view(&view, report::doctor);
        }
        Ok(if view.is_well() { DONE } else { ExitCode::CheckFailed.code() })
    }
}
