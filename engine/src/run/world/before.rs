//! What a look at the routers is for.

/// What comes after a look at the routers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Something that moves them: one that is known to refuse it says so now.
    Switch,
    /// Anything else: they only say what they do.
    Else,
}

impl Before {
    /// What routers' hooks are told of it.
    pub(crate) fn fact(self) -> Option<(String, String)> {
        (self == Self::Switch).then(|| ("switch-ahead".to_owned(), "yes".to_owned()))
    }
}
