//! The command line, as clap reads it.

use camino::Utf8PathBuf;
use clap::{ArgAction, Args, Parser, Subcommand};

use super::output::ColorWish;
use super::{
    abort, check, completions, config, deploy, doctor, exec, help, history, hook, init, logs, maintenance,
    plan, proxy, resume, rollback, schema, setup, state, status, trust, unlock,
};

/// Puts a new release live on your own hosts, with no lost request and a way back.
#[derive(Debug, Parser)]
#[command(name = "cutover", version, disable_help_subcommand = true, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) everywhere: Everywhere,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(super) struct Everywhere {
    /// Configuration [default: cutover.toml here or in a parent]
    #[arg(short, long = "config", value_name = "FILE", global = true, help_heading = "Everywhere")]
    pub(super) config: Option<Utf8PathBuf>,
    /// Environment of the configuration; also CUTOVER_ENV
    #[arg(
        short,
        long,
        value_name = "NAME",
        env = "CUTOVER_ENV",
        hide_env = true,
        global = true,
        help_heading = "Everywhere"
    )]
    pub(super) environment: Option<String>,
    /// Answer yes instead of being asked
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub(super) yes: bool,
    /// Tell only problems, of what a command does; what it is asked to show is shown
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Everywhere")]
    pub(super) quiet: bool,
    /// Tell what hooks and programs of the deployment say too; -vv: also what is for authors of hooks
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Everywhere")]
    pub(super) verbose: u8,
    /// Print JSON, one value a line; errors too
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) json: bool,
    /// Colours: auto, always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true,
        global = true,
        help_heading = "Everywhere"
    )]
    pub(super) color: ColorWish,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Init(init::Arguments),
    Check(check::Arguments),
    Trust(trust::Arguments),
    Setup(setup::Arguments),
    Config(config::Arguments),
    Plan(plan::Arguments),
    Deploy(deploy::Arguments),
    Rollback(rollback::Arguments),
    Maintenance(maintenance::Arguments),
    Resume(resume::Arguments),
    Abort(abort::Arguments),
    Unlock(unlock::Arguments),
    State(state::Arguments),
    Status(status::Arguments),
    Doctor(doctor::Arguments),
    History(history::Arguments),
    Logs(logs::Arguments),
    Exec(exec::Arguments),
    Hook(hook::Arguments),
    Proxy(proxy::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Help(help::Arguments),
}
