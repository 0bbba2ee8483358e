//! Hooks in their sandboxes, driven through the library: each fault ends in an outcome of its own, and the engine goes on.

mod adversary;
mod contract;
mod faults;
mod grants;
mod json_api;
mod languages;
mod load;
mod login;
mod sandboxes;
mod secrets;
pub(crate) mod stage;
mod tcp_health;

pub(crate) use languages::of_template;
pub(crate) use stage::stranger;
