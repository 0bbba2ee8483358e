//! `cutover trust`.

use clap::Args;

use super::invocation::Invocation;
use super::side::host;
use super::{DONE, Ended, engine};
use crate::model::HostName;
use crate::model::view::{ExitCode, Problem};
use crate::report;

/// Show the SSH keys that hosts have now, and pin them for the project
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover trust                         shows the key of each host, and asks before it pins those that are new
  cutover trust web1 -e production      after the key of a host was changed on purpose

Pinned keys are kept in `cutover.known_hosts` beside `cutover.toml`: commit it. A host that is in it has that key, or nothing is said \
to it; for any other host the known_hosts of whoever deploys counts. No key is ever taken over without this command.

A key is shown as it comes over the network. Only whoever runs the host can tell whether it is the right one:
  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")]
pub(super) struct Arguments {
    /// Only these hosts
    #[arg(value_name = "HOST", value_parser = host)]
    hosts: Vec<HostName>,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        let trusting = engine::propose_trust(&loaded, &self.hosts, invocation.output.remarks()).await?;
        let view = trusting.view().clone();
        if view.open() == 0 || invocation.output.is_for_people() {
            invocation.output.view(&view, report::trust);
        }
        if view.open() > 0 {
            let text = "this pins keys, and there is no terminal to ask on; nothing was changed";
            let hint = "compare the fingerprints with what whoever runs the hosts tells you; then `--yes` confirms them";
            let unasked = Problem::new("usage/not-confirmed", text, ExitCode::Usage).hint(hint);
            let question = format!("pin {} for the project?", if view.open() == 1 { "it" } else { "them" });
            invocation.agree(question, trusting.interrupted(), unasked).await?;
            trusting.carry_out()?;
            invocation.output.view(&view, |view, _| report::trusted(view));
        }
        Ok(DONE)
    }
}
