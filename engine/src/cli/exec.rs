//! `cutover exec`.

use clap::Args;

use super::failure::Failure;
use super::invocation::Invocation;
use super::side::SideArguments;
use super::terminal::Terminal;
use super::{Ended, engine};
use crate::model::request::ExecRequest;
use crate::report::{Line, Tone};
use crate::run;

/// Run a program of a release on a host, in its directory and environment
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover exec -- bin/shop version      of the live release, on its first host
  cutover exec -- bin/shop remote       a console, when called at a terminal
  cutover exec -- bin/shop eval < a.txt input and outputs are passed on as they are
  cutover exec --idle --host web2 -- bin/shop version
  cutover exec --release 42 -- env

Called at a terminal, the program gets one too: Ctrl-C and all other keys are its own. Where input or output is \
something else, or with -T, both are passed on byte for byte. Ends with the program's own exit code, and with 127 where there is no \
such program.")]
pub(super) struct Arguments {
    #[command(flatten)]
    side: SideArguments,
    /// Give the program no terminal, though there is one
    #[arg(short = 'T', long)]
    no_tty: bool,
    /// Program and its arguments, after `--`; a relative program lies in the release
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    argv: Vec<String>,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load_to_look(&[])?;
        let request = ExecRequest { instance: self.side.choice(), argv: self.argv };
        let output = &invocation.output;
        let ended = match Terminal::own().filter(|_| !self.no_tty) {
            Some(terminal) => {
                let tell = |place: &str| output.aside(&[Line::of(Tone::Dim, place)]);
                engine::console(&loaded, request, &terminal, tell, output.remarks()).await
            }
            None => engine::exec(&loaded, request, output.remarks()).await,
        };
        match ended {
            Err(failure) if is_no_program(&failure) => {
                output.failure(&failure);
                Ok(NOT_FOUND)
            }
            ended => ended,
        }
    }
}

/// Exit status of a shell whose program is not there.
const NOT_FOUND: u8 = 127;

fn is_no_program(failure: &Failure) -> bool {
    matches!(failure, Failure::Problems(problems) if problems.iter().any(|found| found.code == run::NO_PROGRAM))
}
