//! The only place that joins the parts: hosts, hooks, record and plan.

mod needs;
mod setup;

pub use needs::{NeededDirectory, NeededFile, Needs};
pub use setup::host_setup;
