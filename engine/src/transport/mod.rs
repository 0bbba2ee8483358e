//! How hosts are reached: in this process, or over SSH with the helper program. Operations in, answers and streams out.

mod calls;
mod client_config;
mod connection;
mod console;
#[cfg(test)]
mod cut_tests;
mod failure;
mod fetch;
#[cfg(test)]
mod fetch_tests;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod halt;
mod held_directory;
mod helper;
mod host_key;
mod host_link;
mod link;
mod links;
mod local;
mod pinned_keys;
mod presented_key;
mod ssh;
#[cfg(test)]
mod ssh_tests;
mod ssh_words;
#[cfg(test)]
mod sshd;
mod upload;

pub use console::Console;
pub use failure::Failure;
pub use fetch::{Tree, fetch};
#[cfg(debug_assertions)]
pub use halt::halt_at;
pub(crate) use halt::reach_action;
pub use held_directory::HeldDirectory;
pub use helper::HelperPrograms;
pub use link::{Chunk, Flow, Link, LinkFuture};
pub use links::{Links, TransportSettings};
pub use local::local_link;
pub use pinned_keys::{PinFault, PinnedKeys};
pub use presented_key::PresentedKey;
pub use ssh::SshSettings;
pub use upload::{Stand, stage};
