//! The host helper.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// An architecture that a host may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelperTarget {
    /// Linux on x86-64.
    X86_64,
    /// Linux on 64-bit ARM.
    Aarch64,
}

impl HelperTarget {
    /// All that the program carries a helper for.
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Aarch64];

    /// By what `uname -m` says; none for an architecture without a helper.
    #[must_use]
    pub fn of_machine(machine: &str) -> Option<Self> {
        match machine {
            "x86_64" | "amd64" => Some(Self::X86_64),
            "aarch64" | "arm64" => Some(Self::Aarch64),
            _ => None,
        }
    }
}

/// A static program, ready to be uploaded.
#[derive(Debug, Clone, Copy)]
pub struct HelperProgram {
    /// The file.
    pub bytes: &'static [u8],
    /// Its SHA-256 in 64 hexadecimal digits.
    pub sha256: &'static str,
}

/// The helper for an architecture.
#[must_use]
pub fn helper(target: HelperTarget) -> HelperProgram {
    static DIGESTS: LazyLock<[String; 2]> = LazyLock::new(|| [digest(X86_64), digest(AARCH64)]);
    match target {
        HelperTarget::X86_64 => HelperProgram { bytes: X86_64, sha256: &DIGESTS[0] },
        HelperTarget::Aarch64 => HelperProgram { bytes: AARCH64, sha256: &DIGESTS[1] },
    }
}

const X86_64: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/helper-x86_64-unknown-linux-musl"));
const AARCH64: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/helper-aarch64-unknown-linux-musl"));

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
