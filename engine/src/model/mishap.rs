//! What goes wrong on purpose with a call that a hook makes, while it is held against its contract.

use std::fmt;

/// How one call of an import goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mishap {
    /// It is not done, and the hook is told so.
    Refused,
    /// It is not done, and the hook is told that there was no answer in time.
    Silent,
    /// It is done, and the hook is told that the connection broke.
    Lost,
    /// It is done, and that is the last thing that the hook does: as when its machine loses power.
    Killed,
    /// It is not done: the hook is told what it would have been told before the last switch.
    Outdated,
    /// It is done, and before the hook goes on, somebody else has moved the traffic to where it came from.
    Overtaken,
}

impl Mishap {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 6] =
        [Self::Refused, Self::Silent, Self::Lost, Self::Killed, Self::Outdated, Self::Overtaken];

    /// Whether the hook can't know better: then its word is not held against it.
    #[must_use]
    pub const fn deceives(self) -> bool {
        matches!(self, Self::Outdated)
    }

    /// Whether it is about traffic that moves, and so about `apply` alone.
    #[must_use]
    pub const fn is_of_moves(self) -> bool {
        matches!(self, Self::Outdated | Self::Overtaken)
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused on purpose",
            Self::Silent => "not answered in time, on purpose",
            Self::Lost => "cut off on purpose after it was done",
            Self::Killed => "killed on purpose",
            Self::Outdated => "answered as before the last switch",
            Self::Overtaken => "overtaken on purpose by somebody who moves traffic back",
        })
    }
}
