//! The only place that joins the parts: plan, journal, hosts and hooks.

mod interrupts;
mod performed;
mod reporter;
mod runner;
#[cfg(test)]
mod simulation;
mod step_report;

pub use interrupts::Interrupts;
pub use reporter::{Clock, Reporter, SystemClock};
