//! `cutover setup`.

use clap::Args;

use super::invocation::Invocation;
use super::side::host;
use super::{DONE, Ended, engine};
use crate::model::HostName;
use crate::model::view::{ExitCode, HostSetup, Problem};
use crate::report;

/// Print what each host needs once, ready to paste; change nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover setup -e production           a script for each host: read it, then run it there as root
  cutover setup --host web1 > web1.sh   the script of one host

`cutover check --hosts` tells whether it is there. A host that can't be asked what it lacks has no script, which is a failure.")]
pub(super) struct Arguments {
    /// Only the script of this host
    #[arg(long, value_name = "HOST", value_parser = host)]
    host: Option<HostName>,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        let view = engine::setup(&loaded, self.host.as_ref(), invocation.output.remarks()).await?;
        invocation.output.view(&view, |view, _| report::setup(view));
        let unknown: Vec<Problem> = view.hosts.iter().filter_map(unknown).collect();
        if unknown.is_empty() { Ok(DONE) } else { Err(unknown.into()) }
    }
}

/// That it is not known what a host lacks, when it is not.
fn unknown(host: &HostSetup) -> Option<Problem> {
    let problem = host.problem.as_ref()?;
    let text = format!("what `{}` lacks is not known: {problem}", host.host);
    let hint = host.hint.as_deref().unwrap_or("try: `cutover check --hosts`");
    Some(Problem::new("setup/unknown", text, ExitCode::NothingChanged).hint(hint))
}
