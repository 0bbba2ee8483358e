//! A limit that a guest broke, as an error that ends it and is told apart from every other.

use crate::model::Limit;

/// Which.
#[derive(Debug, thiserror::Error)]
#[error("the hook exceeds `limits.{0}`")]
pub(super) struct Exceeded(pub(super) Limit);
