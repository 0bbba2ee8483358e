//! The end of a call's time, as an error that ends a guest and is told apart from every other.

/// The call's time is over.
#[derive(Debug, thiserror::Error)]
#[error("the time for this call is over")]
pub(super) struct DeadlinePassed;
