//! What people and tools see: sinks for [`crate::model::Event`], and renderers for [`crate::model::view`].
//!
//! All that decides about looks is pure: [`Story`] turns events into [`Line`]s, one renderer a view does the same, and only
//! [`Terminal`] and [`JsonLines`] write, to writers that they are given; an [`Outlet`] is one that may stall. Every text is escaped on its way into a line, so that no
//! host, hook or commit message can move the cursor, recolor the screen or talk to a CI runner.

mod against;
mod check;
mod conformance;
mod doctor;
mod escape;
mod history;
mod hook;
mod hook_run;
mod hook_test;
mod json;
mod line;
mod notes;
mod outlet;
mod plan;
mod problem;
mod quantity;
mod running;
mod setup;
mod state;
mod status;
mod story;
mod switched;
mod table;
mod terminal;
mod trust;
mod words;

#[cfg(test)]
pub(crate) mod golden;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use against::against;
pub use check::check;
pub use conformance::conformance;
pub use doctor::doctor;
pub use history::history;
pub use hook::{added, built, component, fetched, lock};
pub use hook_run::hook_run;
pub use hook_test::hook_test;
pub use json::{JsonLines, json_line};
pub use line::{Line, Tone};
pub use outlet::Outlet;
pub use plan::plan;
pub use problem::{faults, problem, settings};
pub use quantity::Quantity;
pub use setup::setup;
pub use state::{moved, recovered, recovery, state};
pub use status::status;
pub use story::{Story, Told, Verbosity};
pub use switched::switched;
pub use terminal::{Screen, Terminal};
pub use trust::{trust, trusted};
