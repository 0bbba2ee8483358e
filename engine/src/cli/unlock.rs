//! `cutover unlock`.

use clap::Args;

use super::invocation::Invocation;
use super::{DONE, Ended, engine};
use crate::report::Line;

/// Only free the lock of a deployment that is gone; touches nothing else
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cutover unlock --epoch 17             the number is in the message that says who holds the lock

A holder that seems to be at work (its process runs on this machine, or it was heard of within the last minute) is \
asked about; where there is no terminal, it keeps its lock (exit code 30) unless `--yes` is said.

What the holder began stays begun: `cutover status` shows it, `cutover resume` or `cutover abort` ends it. \
Both take the lock of a dead holder by themselves, so this is seldom needed.")]
pub(super) struct Arguments {
    /// Epoch of the holder; another holder than this one keeps the lock
    #[arg(long, value_name = "N")]
    epoch: u64,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load_to_look(&[])?;
        invocation.confirm(&loaded.deployment, "unlock")?;
        let proposed = engine::propose_unlock(&loaded, self.epoch, invocation.output.remarks()).await?;
        if let Some(refusal) = proposed.refusal() {
            let question = format!("{}\nfree it all the same?", refusal.message);
            invocation.agree(question, proposed.interrupted(), refusal).await?;
        }
        let holder = proposed.carry_out().await?;
        let line = format!("{}: the lock is free; it was held by {holder}", loaded.deployment.title());
        invocation.output.view(&serde_json::json!({ "unlocked": holder }), |_, _| vec![Line::plain(&line)]);
        Ok(DONE)
    }
}
