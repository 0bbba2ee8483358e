//! The only place that joins the parts: plan, journal, hosts and hooks.

mod artifact;
mod attend;
mod check_hosts;
mod deploy;
mod ending;
mod exec;
mod history;
mod hooks;
mod host_sight;
mod instance_choice;
mod interrupts;
mod journal_log;
mod lease;
mod logs;
mod look;
mod moment;
mod needs;
mod observe;
mod opening;
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

pub use attend::{exec_in, logs};
pub use check_hosts::check_hosts;
pub use deploy::{deploy, rollback};
pub use ending::early_exit_code as exit_code;
pub use interrupts::Interrupts;
use moment::{compact_utc, four_letters, is_alive, random};
mod status;

pub use exec::exec;
pub use history::history_view;
pub use hooks::Refused;
pub use host_sight::{HostSight, InstanceSight};
pub use instance_choice::{ChosenInstance, choose};
pub use logs::{HostLine, LogSource, follow_logs, tail_logs};
pub use look::{check, history, setup, status, unlock};
pub use needs::{NeededDirectory, NeededFile, Needs};
pub use opening::{Opening, end_refused};
pub use plan::plan;
pub use recover::recover;
pub use reporter::{Clock, Reporter, SystemClock};
pub use session::{Operator, Session, Setting};
pub use setup::host_setup;
pub use status::{StatusFacts, status_view};
