//! What the program carries inside itself: the hooks that come with it, with the grants that they get by default, the interpreter of scripts, and the
//! helper for hosts. RANK 1.
//!
//! `build.rs` compiles all three; nothing here is downloaded, and no WebAssembly toolchain is needed to use `builtin:NAME`.

mod grants;
pub mod helper;
mod hook;
mod placeholder;
#[cfg(test)]
mod tests;

pub use grants::GrantsFault;
pub use hook::{BundledHook, HOOKS, hook};

/// The component that runs hooks which are scripts.
pub static INTERPRETER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/script.wasm"));
