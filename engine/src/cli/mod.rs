//! The program: words in, words out. One file a command; what a person sees is made by [`crate::report`].
//!
//! # Where output goes
//! What a command reports goes to standard output: the steps of a deployment, a status, a plan. Errors, warnings beside a report
//! and questions go to standard error. With `--json`, standard output gets JSON objects, one a line, errors included, and nothing
//! else. A closed output ends nothing.
//!
//! # Exit codes
//! See [`crate::model::view::ExitCode`].

mod abort;
mod against;
mod arguments;
mod check;
mod completions;
mod config;
mod confirmation;
mod control_directory;
mod deploy;
mod doctor;
mod engine;
mod exec;
mod failure;
mod help;
mod history;
mod hook;
mod hook_build;
mod hook_help;
mod hook_new;
mod hook_run;
mod hook_test;
mod init;
mod invocation;
mod lock_wait;
mod locked;
mod logs;
mod maintenance;
mod masked;
mod output;
mod pipeline;
mod plan;
mod project;
mod project_file;
mod proxy;
mod record;
mod resume;
mod rollback;
mod schema;
mod setup;
mod side;
mod state;
mod status;
mod surroundings;
mod terminal;
mod tip;
mod trust;
mod unlock;
mod words;
mod world;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{ColorChoice, FromArgMatches};

use arguments::{Arguments, Command};
use failure::Failure;
use invocation::Invocation;
use output::{ColorWish, Output};

pub use world::SUPERVISOR_WORD;

use crate::model::view::{self, Problem};
use crate::report;

/// How a command ended: its exit code, or why it did not do what was asked.
type Ended = Result<u8, Failure>;

const DONE: u8 = view::ExitCode::Done.code();

/// Runs the program with the words of its command line, its own name first.
#[must_use]
pub fn main(words: &[OsString]) -> ExitCode {
    #[cfg(debug_assertions)]
    if let Ok(place) = std::env::var("CUTOVER_TEST_HALT_AT")
        && !crate::transport::halt_at(&place)
    {
        return ExitCode::from(view::ExitCode::Usage.code());
    }
    let choice = match ColorWish::of_words(words) {
        ColorWish::Auto => ColorChoice::Auto,
        ColorWish::Always => ColorChoice::Always,
        ColorWish::Never => ColorChoice::Never,
    };
    // What can't be read may still say that tools read the answer.
    let is_json = words.iter().any(|word| word == "--json");
    let parsed = help::command().color(choice).try_get_matches_from(words);
    let parsed = parsed.map_err(|error| tip::with_tip(error, words));
    match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => ExitCode::from(run(arguments)),
        Err(message) if message.use_stderr() && is_json => {
            let text = message.render().to_string();
            let text = text.trim_end().trim_start_matches("error: ").to_owned();
            let problem = Problem::new("usage/arguments", text, view::ExitCode::Usage);
            let _ = std::io::stdout().write_all(report::json_line(&problem).as_bytes());
            ExitCode::from(problem.exit_code.code())
        }
        Err(message) => {
            // Help goes to standard output and ends well, the rest to standard error; a closed one ends nothing.
            let _ = message.print();
            ExitCode::from(if message.use_stderr() { view::ExitCode::Usage.code() } else { DONE })
        }
    }
}

fn run(arguments: Arguments) -> u8 {
    let output = Output::new(&arguments.everywhere);
    let invocation = Invocation::new(arguments.everywhere, output);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => {
            let text = format!("can't start the threads of the program: {fault}");
            let problem = Problem::new("internal/threads", text, view::ExitCode::Internal);
            return invocation.output.failure(&problem.into());
        }
    };
    let ended = runtime.block_on(dispatch(arguments.command, &invocation));
    // What is still running belongs to an operation that has been given up.
    runtime.shutdown_background();
    ended.unwrap_or_else(|failure| invocation.output.failure(&failure))
}

async fn dispatch(command: Command, invocation: &Invocation) -> Ended {
    match command {
        Command::Init(arguments) => arguments.run(invocation),
        Command::Setup(arguments) => arguments.run(invocation).await,
        Command::Check(arguments) => arguments.run(invocation).await,
        Command::Config(arguments) => arguments.run(invocation),
        Command::Plan(arguments) => arguments.run(invocation).await,
        Command::Deploy(arguments) => arguments.run(invocation).await,
        Command::Rollback(arguments) => arguments.run(invocation).await,
        Command::Maintenance(arguments) => arguments.run(invocation).await,
        Command::Resume(arguments) => arguments.run(invocation).await,
        Command::Abort(arguments) => arguments.run(invocation).await,
        Command::Trust(arguments) => arguments.run(invocation).await,
        Command::Unlock(arguments) => arguments.run(invocation).await,
        Command::Status(arguments) => arguments.run(invocation).await,
        Command::Doctor(arguments) => arguments.run(invocation).await,
        Command::State(arguments) => arguments.run(invocation).await,
        Command::History(arguments) => arguments.run(invocation).await,
        Command::Exec(arguments) => arguments.run(invocation).await,
        Command::Logs(arguments) => arguments.run(invocation).await,
        Command::Hook(arguments) => arguments.run(invocation).await,
        Command::Proxy(arguments) => arguments.run(invocation).await,
        Command::Schema(arguments) => arguments.run(invocation),
        Command::Completions(arguments) => arguments.run(),
        Command::Help(arguments) => arguments.run(invocation),
    }
}
