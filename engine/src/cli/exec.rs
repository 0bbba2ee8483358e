//! `cutover exec`.

use clap::Args;

use super::invocation::Invocation;
use super::side::SideArguments;
use super::{Ended, engine};
use crate::model::request::ExecRequest;

/// Run a program of a release on a host, in its directory and environment
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover exec -- bin/shop version      of the live release, on its first host
  cutover exec -- bin/shop eval < a.txt input and outputs are passed on as they are
  cutover exec --idle --host web2 -- bin/shop version
  cutover exec --release 42 -- env

The program gets no terminal. Ends with its own exit code.")]
pub(super) struct Arguments {
    #[command(flatten)]
    side: SideArguments,
    /// Program and its arguments, after `--`; a relative program lies in the release
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    argv: Vec<String>,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        let request = ExecRequest { instance: self.side.choice(), argv: self.argv };
        engine::exec(&loaded, request, invocation.output.remarks()).await
    }
}
