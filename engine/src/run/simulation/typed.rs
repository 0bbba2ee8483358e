//! What a person types once an engine is gone.

use crate::model::Ask;

/// What a person types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Typed {
    Resume,
    ResumeForward,
    Abort,
    /// `abort --without` the host that can't be reached.
    AbortWithout,
}

impl Typed {
    /// All but what gives a host up.
    pub(super) const PLAIN: [Self; 3] = [Self::Resume, Self::ResumeForward, Self::Abort];

    pub(super) const fn ask(self) -> Ask {
        match self {
            Self::Resume => Ask::Resume,
            Self::ResumeForward => Ask::ResumeForward,
            Self::Abort | Self::AbortWithout => Ask::Abort,
        }
    }
}
