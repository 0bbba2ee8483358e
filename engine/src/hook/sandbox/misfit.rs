//! An export in another shape than the contract has, as an error that is told apart from every other.

/// How it differs, in the runtime's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misfit(pub(super) String);
