//! The one configuration of wasmtime, shared by what compiles, what runs, and what names compiled code in the cache.

use std::hash::{Hash, Hasher};

use cutover_host::bytes::hex;
use sha2::{Digest, Sha256};
use wasmtime::{Config, Engine};

/// The runtime, whose guests have `stack` bytes of stack. Code is the same for all of them.
///
/// # Errors
/// When the processor is none that wasmtime compiles for.
pub(super) fn engine(stack: usize) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.epoch_interruption(true).max_wasm_stack(stack).async_stack_size(stack);
    Engine::new(&config)
}

/// Text that differs whenever compiled code of one runtime must not be run by another.
pub(super) fn compatibility(engine: &Engine) -> String {
    let mut hasher = ShaHasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex(&hasher.0.finalize())
}

/// Standard hashers promise nothing between versions of the compiler; SHA-256 is what it is.
struct ShaHasher(Sha256);

impl Hasher for ShaHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_le_bytes(first)
    }
}
