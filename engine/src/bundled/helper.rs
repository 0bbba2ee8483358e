//! The host helper: a static program for each architecture that a host may have, ready to be uploaded.

/// For Linux on x86-64.
pub const X86_64: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/helper-x86_64-unknown-linux-musl"));

/// For Linux on 64-bit ARM.
pub const AARCH64: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/helper-aarch64-unknown-linux-musl"));
