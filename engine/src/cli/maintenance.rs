//! `cutover maintenance`.

use clap::{Args, ValueEnum};

use super::invocation::Invocation;
use super::lock_wait::LockWaitFlag;
use super::locked::LockFlag;
use super::record::RecordFlag;
use super::{Ended, engine, pipeline, plan};
use crate::model::Maintenance;
use crate::model::request::MaintenanceRequest;

/// Let no request get to the application, and let them in again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover maintenance on -m \"moving the database\"
  cutover maintenance off
  cutover maintenance on --dry-run      its plan: changes nothing

`on` moves every router to no colour, makes sure of it at the front doors, which then answer as the routers do by themselves (503, as a \
rule), and waits for the requests that are under way as `pipeline.drain` says. What is live goes on running. `off` looks whether it is \
healthy, moves the routers back to it, and proves that at the front doors. Either does nothing where it is so already.

Meanwhile `deploy` and `rollback` do all but move the routers: what they put in place gets no requests until `off`.

A router that can't have no colour is refused beforehand. One that was cut off: `cutover resume` finishes it, `cutover abort` puts it back.")]
pub(super) struct Arguments {
    /// `on` or `off`
    #[arg(value_name = "on|off", hide_possible_values = true)]
    wanted: Wanted,
    /// Text for the history
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    waiting: LockWaitFlag,
    #[command(flatten)]
    recording: RecordFlag,
    /// Show the plan and change nothing
    #[arg(long, conflicts_with = "record")]
    dry_run: bool,
    #[command(flatten)]
    lock: LockFlag,
}

/// Whether it begins or ends.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    On,
    Off,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let loaded = invocation.load()?;
        self.lock.demand(&loaded)?;
        let wanted = match self.wanted {
            Wanted::On => Maintenance::On,
            Wanted::Off => Maintenance::Off,
        };
        let request = MaintenanceRequest { wanted, message: self.message, lock_wait: self.waiting.lock_wait };
        if self.dry_run {
            let view = engine::plan_maintenance(&loaded, request, invocation.output.remarks()).await?;
            return Ok(plan::print(invocation, &view));
        }
        let recording = self.recording.begin()?;
        invocation.confirm(&loaded.deployment, wanted.command())?;
        pipeline::maintenance(&loaded, request, recording, &invocation.output).await
    }
}
