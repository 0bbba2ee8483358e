//! Hooks: WebAssembly components that are asked one question at a time.
//!
//! ```text
//! HookPool::load ── is it a component? compile (in a sandbox of its own, or from the cache) · right kind? imports known and granted?
//!       │
//! LoadedHook::apply, observe, … ── question ──▶ sandbox (child process: empty environment, one socket) ── fresh guest
//!       │                                            │ import
//!       └── Answered { result, denials }   broker ◀──┘  Grants::check, then hosts over their links, HTTP by our own client
//! ```
//!
//! What a hook may use stands in its table `limits` ([`crate::model::Limit`]): those of memory and code are kept in the sandbox, those of what
//! it asks for by the broker and the HTTP client, and the time by both. Each that is broken is an outcome that names the key.
//!
//! A guest that traps, loops, floods or takes its sandbox down is that hook's failure, and nothing else's.

mod access;
mod broker;
mod cache;
mod child;
mod contract;
mod contract_version;
mod convert;
mod downloads;
mod failure;
mod fitting;
mod format;
mod host_error;
pub mod http;
mod interface;
mod limits;
mod loaded;
mod masked;
mod meddler;
mod memory;
mod outside;
mod pool;
mod recorder;
mod rehearsal;
mod runtime;
mod sandbox;
mod script;
mod scripted;
mod secret_use;
mod template;
mod wire;

pub use access::{Access, Between, Groups, Hosts, Observer};
pub use cache::{CacheFault, CodeCache};
pub use child::SandboxProgram;
pub use contract_version::ContractVersion;
pub use downloads::{Downloads, LARGEST_COMPONENT, component_digest, read_component};
pub use failure::{Answered, HookFailure, HookFault, MissingGrant};
pub use interface::{INTERFACES, Import, exported_kind, is_spoken};
pub use loaded::LoadedHook;
pub use meddler::{Meddler, Memory, Place};
pub use pool::{HookPool, UnsupportedProcessor};
pub use recorder::{Heard, Recorder, masked};
pub use sandbox::{Confinement, sandbox_main};
pub use script::script_exports;
pub use scripted::Scripted;
pub use wire::{Anatomy, Description};

/// The word that makes the program a sandbox: its only argument.
pub const SANDBOX_WORD: &str = "hook-sandbox";
