//! What the kernel of this machine has to confine a sandbox with, beside wasmtime.

use super::{calls, confine};

/// Fences around a sandbox that not every kernel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confinement {
    /// Landlock: no file, port or process of the system.
    pub landlock: bool,
    /// seccomp: no system call but those that it takes to compute and to answer.
    pub seccomp: bool,
}

impl Confinement {
    /// Asks the kernel. Gives nothing up.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self { landlock: confine::can_be_renounced(), seccomp: calls::can_be_filtered() }
    }

    /// Names of those that are missing.
    #[must_use]
    pub fn missing(self) -> Vec<&'static str> {
        let all = [(self.landlock, "Landlock"), (self.seccomp, "seccomp")];
        all.into_iter().filter(|(has, _)| !has).map(|(_, name)| name).collect()
    }
}
