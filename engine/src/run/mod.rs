//! The only place that joins the parts: plan, journal, hosts and hooks. Its folders stand one above the other, in this order.

mod authoring;
mod conformance;
mod deployment;
mod execute;
mod home;
mod look;
mod ready;
#[cfg(test)]
mod simulation;
mod supply;
mod world;

pub use authoring::call::{WantedCall, run_hook};
pub use authoring::replay::{TestedHook, replay};
pub use conformance::conformance;
pub use deployment::deploy::{deploy, maintenance, rollback};
pub use deployment::early_exit::early_exit_code as exit_code;
pub use deployment::opening::{Opening, end_refused};
pub use deployment::plan::{plan, plan_maintenance, plan_rollback};
pub use deployment::recover::recover;
pub use execute::interrupts::Interrupts;
pub use execute::reporter::{Clock, Reporter, SystemClock};
pub use home::state_move::move_state;
pub use home::state_recover::StateRecovery;
pub use look::around::{check, doctor, history, setup, state, status};
pub use look::attend::{NO_PROGRAM, OpenConsole, console_ended, exec_in, logs, open_console};
pub use look::exec::exec;
pub use look::history::history_view;
pub use look::instance_choice::{ChosenInstance, choose, past};
pub use look::logs::{HostLine, LogSource, follow_logs, tail_logs};
pub use look::status::status_view;
pub use look::status_facts::StatusFacts;
pub use look::trust::Trusting;
pub use look::unlock::Unlocking;
pub use ready::check_hosts::check_hosts;
pub use ready::needs::{NeededBuild, NeededDirectory, NeededFile, Needs};
pub use ready::setup::host_setup;
pub use supply::copies::replace;
pub use supply::docker_config::DockerConfig;
pub use supply::supplier::{Supplier, lock_view};
pub use supply::wanted::Wanted;
pub use world::components::lock_name;
pub use world::hooks::Refused;
pub use world::host_sight::{HostSight, InstanceSight};
pub use world::lease::Gone;
pub use world::recording::{Recording, write_new};
pub use world::session::{Operator, Session, Setting};
