//! `cutover logs`.

use clap::Args;
use serde::Serialize;

use super::invocation::Invocation;
use super::side::SideArguments;
use super::words::count;
use super::{DONE, Ended, engine};
use crate::model::request::LogsRequest;
use crate::report::{Line, Tone};

/// Show what instances of the application have written
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover logs -f                       the live colour on all its hosts, until Ctrl-C
  cutover logs --idle -n 200 --host web2
  cutover logs --release 43

Secrets are masked, but for those that a program gives: it is not run.")]
pub(super) struct Arguments {
    #[command(flatten)]
    side: SideArguments,
    /// Go on until interrupted
    #[arg(short, long)]
    follow: bool,
    /// Lines to begin with, for each instance
    #[arg(short = 'n', long, value_name = "N", default_value = "50", value_parser = count)]
    lines: u32,
}

/// A line as `--json` prints it.
#[derive(Serialize)]
struct LogLine<'a> {
    host: &'a str,
    text: &'a str,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load_to_look(&[])?;
        let request = LogsRequest { instances: self.side.choice(), lines: self.lines, follow: self.follow };
        let print = |host: &str, text: &str| {
            let line = |_: &LogLine<'_>, _| vec![Line::of(Tone::Dim, host).with(Tone::Dim, " │ ").text(text)];
            invocation.output.view(&LogLine { host, text }, line);
        };
        engine::logs(&loaded, request, &print, invocation.output.remarks()).await?;
        Ok(DONE)
    }
}
