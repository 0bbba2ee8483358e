//! `cutover check`.

use clap::Args;

use super::invocation::Invocation;
use super::locked::LockFlag;
use super::{DONE, Ended, engine};
use crate::model::view::ExitCode;
use crate::report;

/// Check the configuration and its hooks; --hosts: the hosts too
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover check                         starts no program but git, to see the checkout; speaks to no host
  cutover check --hosts -e production   logs in and looks; changes nothing")]
pub(super) struct Arguments {
    /// Ask the hosts too
    #[arg(long)]
    hosts: bool,
    #[command(flatten)]
    lock: LockFlag,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        self.lock.demand(&loaded)?;
        let view = engine::check(&loaded, self.hosts, invocation.output.remarks()).await?;
        if !view.is_ready() || !view.warnings.is_empty() || !invocation.output.is_quiet() {
            invocation.output.view(&view, report::check);
        }
        Ok(if view.is_ready() { DONE } else { ExitCode::NothingChanged.code() })
    }
}
