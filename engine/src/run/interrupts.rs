//! Signals, as data: how many came, and which was the first.

use crate::model::Trouble;

/// Code of the error that a signal is.
pub(crate) const INTERRUPTED: &str = "deploy/interrupted";

/// Signals that have come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interrupts {
    /// How many.
    pub count: u32,
    /// Name of the first one: `Ctrl-C`, `SIGTERM`, `SIGHUP`.
    pub first: &'static str,
}

impl Interrupts {
    /// Whether one has come.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.count > 0
    }

    /// Number of the first one, as it is the same on all machines.
    pub(crate) fn number(&self) -> i32 {
        match self.first {
            "SIGHUP" => 1,
            "SIGTERM" => 15,
            _ => 2,
        }
    }

    /// As the error that turns a deployment back.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        Trouble::new(INTERRUPTED, format!("interrupted by {}", self.first))
    }
}
