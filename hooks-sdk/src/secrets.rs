//! Use of a secret without seeing it, and, apart from it, its plain text.

pub use crate::bindings::imports::cutover::hook::secrets::SecretError;
use crate::wire;

/// HMAC-SHA-256 of `data`. The first key is `prefix` followed by the secret; each text of `chain` makes the next key out of the one
/// before, inside the engine.
///
/// # Errors
/// When the name, prefix or chain is not granted.
pub fn hmac_sha256(name: &str, prefix: &str, chain: &[String], data: &[u8]) -> Result<Vec<u8>, SecretError> {
    wire::secrets::hmac_sha256(name, prefix, chain, data)
}

/// Plain text of a secret. A component that calls this shows it in its imports.
///
/// # Errors
/// When it is not granted.
pub fn reveal(name: &str) -> Result<String, SecretError> {
    wire::secret_text::reveal(name)
}
