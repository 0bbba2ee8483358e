//! `cutover hook run`: one question to a hook of the configuration.

use camino::Utf8PathBuf;
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::invocation::Invocation;
use super::side::host;
use super::{DONE, Ended, engine};
use crate::model::case::HookQuestion;
use crate::model::view::{ExitCode, Problem};
use crate::model::{Color, HostName};
use crate::report;
use crate::run::{WantedCall, write_new};

/// Ask a hook of the configuration one thing, of the hosts as they are, and show all that it asks for
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover hook run health-check --host web1 --of blue
  cutover hook run checkout               a smoke test, against the live colour
  cutover hook run router                 what the router does now
  cutover hook run router --ask connections --of blue
  cutover hook run health-check --record cases/healthy.toml

It has the settings and grants of the configuration, and is told what is live by the record. Nothing is changed, whatever is granted, and no lock is \
taken: no file is written, smoke tests send nothing but GET and HEAD, and of programs and sockets they have those with `read-only = true`. \
Ends with 70 when the hook has no answer.

With --record, the call is kept as a case for `cutover hook test`, with secrets masked and without headers of requests, which carry times and \
signatures.")]
pub(super) struct Arguments {
    /// `health-check`, `router`, or the name of a smoke test
    hook: String,
    /// The host whose instance is asked about, or the router [default: the only one]
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Option<HostName>,
    /// The colour that is asked about [default: the live one]
    #[arg(long, value_name = "COLOR", value_parser = PossibleValuesParser::new(["blue", "green"]))]
    of: Option<String>,
    /// What is asked [default: check, run, or observe of a router]
    #[arg(long, value_name = "QUESTION", value_parser = PossibleValuesParser::new(QUESTIONS))]
    ask: Option<String>,
    /// Keep the call as a case, in a file that is not there yet
    #[arg(long, value_name = "FILE")]
    record: Option<Utf8PathBuf>,
}

/// What can be asked and changes nothing, and what says why it can't be asked so.
const QUESTIONS: [&str; 9] =
    ["check", "run", "features", "observe", "connections", "validate", "prepare", "apply", "discard"];

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        if let Some(file) = self.record.as_ref().filter(|file| file.exists()) {
            let problem = Problem::new("usage/record", format!("`{file}` is there already"), ExitCode::Usage);
            return Err(problem.hint("name another file, or remove this one").into());
        }
        let wanted = WantedCall {
            hook: self.hook,
            host: self.host,
            color: self.of.and_then(|name| Color::ALL.into_iter().find(|color| color.as_str() == name)),
            ask: self.ask.and_then(|name| HookQuestion::ALL.into_iter().find(|one| one.as_str() == name)),
        };
        let (mut view, case) = engine::run_hook(&loaded, &wanted, invocation.output.remarks()).await?;
        if let Some(file) = &self.record {
            let unwritable = |reason: String| {
                Problem::new(
                    "hook/unwritable",
                    format!("can't write `{file}`: {reason}"),
                    ExitCode::NothingChanged,
                )
            };
            write_new(file, &case).map_err(unwritable)?;
            view.recorded = Some(file.to_string());
        }
        invocation.output.view(&view, |view, _| report::hook_run(view));
        Ok(if view.said.error.is_some() { ExitCode::CheckFailed.code() } else { DONE })
    }
}
