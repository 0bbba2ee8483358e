//! The value of a secret.

use std::fmt;

/// The value of a secret. It can't be printed or written by accident; [`Secret::expose`] marks each place that uses it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Bytes of the shortest secret: anything shorter would be masked all over, or not at all.
    pub const SHORTEST: usize = 4;

    /// Takes a value in; none when it is too short to be masked.
    #[must_use]
    pub fn new(value: String) -> Option<Self> {
        (value.len() >= Self::SHORTEST).then_some(Self(value))
    }

    /// The value itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
