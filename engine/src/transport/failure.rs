//! Why an operation on a host has no answer.

use cutover_host::operation::Fault;

/// Why an operation on a host has no answer. What is known about its effect differs, and decides what comes next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The host answered that it did not do it.
    #[error("{0}")]
    Fault(Fault),
    /// The host could not be reached; nothing was done.
    #[error("{0}")]
    Unreachable(String),
    /// The host's key is unknown or has changed; nothing was sent.
    #[error("{0}")]
    Untrusted(String),
    /// The connection broke: it is not known whether the operation took effect.
    #[error("{0}")]
    Broken(String),
    /// The host answered what makes no sense; it is not known what it did.
    #[error("{0}")]
    Nonsense(String),
}

impl Failure {
    /// Whether the operation may have taken effect.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Nonsense(_))
    }
}
