//! `cutover state`.

use clap::{Args, Subcommand};

use super::invocation::Invocation;
use super::{DONE, Ended, engine};
use crate::report;

/// Show, move or rebuild the record of deployments that one host keeps
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover state show                    where it is kept, lock, what is live, what is unfinished, each host's fence

Lock, journals, history and the record of what is live are kept on one host, the home: the first of `router.hosts`, else the
first of `app.hosts`.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show where it is kept and what is in it; touch nothing
    Show,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        match self.action {
            Action::Show => {
                let loaded = invocation.load_to_look(&[])?;
                let view = engine::state(&loaded, invocation.output.remarks()).await?;
                invocation.output.view(&view, report::state);
                Ok(DONE)
            }
        }
    }
}
