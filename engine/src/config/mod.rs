//! `cutover.toml` becomes a [`Deployment`](crate::model::Deployment): all faults together, each at its place in the file.
//!
//! ```text
//! text ──node──▶ tree ──check──▶ known keys, types, formats of all that is written (each overlay too)
//!                 │ environment, overlay
//!                 ▼
//!           merged tree ──check.required──▶ what must be there
//!                 │ resolve: one file a table
//!                 ▼
//!           Deployment, warnings, every value with its origin
//! ```
//!
//! What may be written is data (`shape`): the key tables, one beside each reader, are the one source of faults, defaults, the JSON Schema
//! and `cutover config`. Nothing here touches the world: files and bundled hooks are asked about through [`Surroundings`].

mod app;
mod build;
mod bundled;
mod case;
mod case_grants;
mod check;
mod driver;
mod environment;
mod fault;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod grants;
mod health_check;
mod hook;
mod hook_settings;
mod hosts;
mod known_router;
mod limits;
mod loaded;
mod lock_text;
mod node;
mod origins;
mod overlay;
mod own_files;
mod pipeline;
mod reader;
mod resolve;
mod root;
mod router;
mod schema;
mod secret_grants;
mod secrets;
mod setting;
mod shape;
mod sharing;
mod smoke_test;
mod source;
mod spare;
mod starter;
mod strategy;

pub use case::{ReadCase, read_case, write_case};
pub use environment::environments;
pub(crate) use fault::closest;
pub use fault::{Choices, Excerpt, Fault, Faults, Severity};
pub(crate) use format::parse_duration;
pub use hook::{is_javascript, not_a_hook};
pub use known_router::KnownRouter;
pub use loaded::{Input, Loaded, Surroundings, load, load_to_look};
pub use lock_text::{LockFault, read_lock, write_lock};
pub use origins::{Origin, Setting, render};
pub use schema::schema;
pub use starter::{Facts, Project, starter};

#[cfg(test)]
mod tests;
