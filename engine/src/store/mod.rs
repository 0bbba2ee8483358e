//! The state of an application and environment: lock, lineage, live record, journals, history.
//!
//! All of it lies in one directory on one host, the home, and is read and changed by operations on that host; every other
//! host has a directory of the same name with its part (lineage, fence, detached operations). An object store can be the home
//! instead: [`Bucket`] takes the same operations.
//!
//! | file | what | changed by |
//! |---|---|---|
//! | `mutex`, `fence`, `lock.json` | who may change anything | the host side, see [`HeldLock`] |
//! | `lineage` | which line of deployments this is, and whether this is its home | by the first one; rename, when the home moves |
//! | `live.json` | what is live, with a generation | rename |
//! | `open.json` | the deployment whose journal is not closed | rename, removal |
//! | `journal/ULID.jsonl` | one deployment, record by record | append at a known length |
//! | `history.jsonl` | one line for each ended deployment | append at a known length |
//!
//! Files are 0600 in 0700 directories and carry the version of their format. Nothing is changed without the lock: each
//! change is performed under its epoch and refused by the host once a later holder was there.
//!
//! A connection can break at any time, which leaves it open whether an operation took effect. All of them are such that
//! this is settled by doing it again (whole files, removals) or by reading (the lock names its holder, a log its lines).

mod bucket;
mod chain;
#[cfg(test)]
pub(crate) mod fake_host;
mod fault;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod history;
mod home;
mod journal;
mod lineage;
mod lock;
mod log;
mod misplaced;
mod precedence;
#[cfg(test)]
mod proof;
mod release_number;
mod sight;
mod state_directory;
#[cfg(test)]
mod tests;
mod transfer;
mod versioned;

pub use bucket::Bucket;
pub use fault::{StoreFault, turn_words};
pub use home::{Home, HomeState};
pub use journal::{Journal, ReadJournal};
pub use lineage::{Lineage, Membership, Said, disagreements};
pub use lock::HeldLock;
pub use misplaced::Misplaced;
pub use precedence::Precedence;
pub use release_number::next_release_number;
pub use sight::{StateSight, journal_file};
pub use state_directory::{Found, StateDirectory, place, system_path, turn_path};
