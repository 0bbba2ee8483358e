//! The only place that joins the parts: plan, journal, hosts and hooks.

mod artifact;
mod check_hosts;
mod deploy;
mod ending;
mod hooks;
mod interrupts;
mod journal_log;
mod lease;
mod moment;
mod needs;
mod observe;
mod perform;
mod performed;
mod performer;
mod plan;
mod probe;
mod recover;
mod reporter;
mod runner;
mod session;
mod setup;
#[cfg(test)]
mod simulation;
mod site;
mod step_report;

pub use check_hosts::check_hosts;
pub use deploy::{deploy, rollback};
pub use interrupts::Interrupts;
use moment::{compact_utc, four_letters, is_alive, random};
pub use needs::{NeededDirectory, NeededFile, Needs};
pub use plan::plan;
pub use recover::recover;
pub use reporter::{Clock, Reporter, SystemClock};
pub use session::{Operator, Session, Setting};
pub use setup::host_setup;
