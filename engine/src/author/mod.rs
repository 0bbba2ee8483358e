//! For authors of hooks: a directory to begin with (`cutover hook new`), and a component out of it (`cutover hook build`).
//!
//! ```text
//! Wish ── files ──▶ what is written, as data      templates/LANGUAGE/…, the contract, the world
//!
//! hook.toml ──▶ Manifest ── steps ──▶ what is run, as data ── build ──▶ a component
//! ```
//! A hook's directory holds everything that its language's own tools need, so that none of it asks for cutover but the last step. Where a
//! compiler knows nothing of components, as those of C and Go, what it has made is `encode`d as one. What is in a component is looked at by whoever
//! called: that is no matter of this module.

mod build;
mod contract;
mod encode;
mod language;
mod manifest;
mod need;
mod steps;
mod templates;
mod wish;
mod world;

pub use build::{BuildFault, build};
pub use contract::contract;
pub use encode::EncodeFault;
pub use language::Language;
pub use manifest::{MANIFEST, Manifest, ManifestFault};
pub use need::Need;
pub use wish::{HookName, HookNameFault, Wish};
