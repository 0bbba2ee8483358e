//! The only place that joins the parts: hosts, hooks, record and plan.

mod check_hosts;
mod needs;
mod setup;

pub use check_hosts::check_hosts;
pub use needs::{NeededDirectory, NeededFile, Needs};
pub use setup::host_setup;
