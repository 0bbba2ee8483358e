//! The only place that joins the parts: plan, journal, hosts and hooks.

mod check_hosts;
mod exec;
mod history;
mod host_sight;
mod instance_choice;
mod interrupts;
mod logs;
mod needs;
mod performed;
mod reporter;
mod runner;
mod setup;
#[cfg(test)]
mod simulation;
mod status;
mod step_report;

pub use check_hosts::check_hosts;
pub use exec::exec;
pub use history::history_view;
pub use host_sight::{HostSight, InstanceSight};
pub use instance_choice::{ChosenInstance, choose};
pub use interrupts::Interrupts;
pub use logs::{HostLine, LogSource, follow_logs, tail_logs};
pub use needs::{NeededDirectory, NeededFile, Needs};
pub use reporter::{Clock, Reporter, SystemClock};
pub use setup::host_setup;
pub use status::{StatusFacts, status_view};
