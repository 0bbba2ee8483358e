//! All that cutover does *on* a host.
//!
//! [`operation::Operation`] is the whole vocabulary, [`Host::perform`] does what it says. Both ways to a host speak the same frames
//! ([`frame`]) to the same [`serve`]: the engine to a thread of its own for `local = true`, and to the `cutover-host` program,
//! which it uploads and reaches over one SSH session, everywhere else.

pub mod artifact;
pub mod bytes;
pub mod epoch;
pub mod frame;
pub mod manifest;
pub mod operation;

mod account;
mod cached;
mod clock;
mod console;
mod detached;
mod document;
mod environment;
mod facts;
mod fault;
mod fence;
mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod held;
mod host;
mod identity;
mod launch;
mod links;
mod lock;
mod log_file;
mod output;
mod place;
mod port;
mod process;
mod program;
mod release;
mod scope;
mod sending;
mod serve;
mod session;
mod socket;
mod staging;
mod stream;
mod supervisor;
mod tail;

pub use account::Account;
pub use cached::forget_old_helpers;
pub use console::{MAX_CONSOLE_WORD, console, console_word};
pub use environment::PATH;
pub use host::Host;
pub use serve::serve;
pub use stream::{Flag, Lane, Stream};
pub use supervisor::{STARTING, supervise};
