//! The only place that joins the parts: plan, journal, hosts and hooks.

mod check_hosts;
mod interrupts;
mod needs;
mod performed;
mod reporter;
mod runner;
mod setup;
#[cfg(test)]
mod simulation;
mod step_report;

pub use check_hosts::check_hosts;
pub use interrupts::Interrupts;
pub use needs::{NeededDirectory, NeededFile, Needs};
pub use reporter::{Clock, Reporter, SystemClock};
pub use setup::host_setup;
