//! The two sets of instances that take turns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// The colour of a first deployment.
    Blue,
    /// The other one.
    Green,
}

impl Color {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Blue, Self::Green];

    /// The colour that takes turns with this one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// `blue` or `green`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
