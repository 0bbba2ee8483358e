//! The ways in which an action goes wrong.

/// How one action goes wrong.
///
/// A hook's verdict against, its trap, a grant that it lacks and a host's refusal are [`Fault::FailsBefore`] or, when they come after
/// the effect, [`Fault::FailsAfter`]; so is a hook's or operation's own timeout. How each of them becomes one of the three outcomes is
/// tested where it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// It fails, and nothing was done.
    FailsBefore,
    /// It fails, and was done all the same.
    FailsAfter,
    /// The answer is lost, and nothing was done.
    UnknownDidNot,
    /// The answer is lost, and it was done.
    UnknownDid,
    /// The answer is lost however often it is tried, and nothing was done.
    NeverKnown,
    /// The answer is lost however often it is tried, and it was done.
    NeverKnownDid,
    /// It is done twice, as by a try that took effect late.
    Twice,
    /// A signal comes while it is under way, before its effect.
    Signal,
    /// A signal comes while it is under way, after its effect.
    SignalAfter,
    /// It does not end, and the time of the whole deployment does.
    Hangs,
    /// From before it on, the last host can't be reached until the engine is gone. What runs there is as well as ever.
    HostLost,
    /// Someone moves every router to the colour that is filled, before it.
    Moved,
    /// Two signals come while it is under way, after its effect: the run is left at once.
    TwoSignals,
    /// The time of the whole deployment was over before it, where that ends nothing any more.
    Overdue,
}

impl Fault {
    /// Every one.
    pub(super) const ALL: [Self; 14] = [
        Self::FailsBefore,
        Self::FailsAfter,
        Self::UnknownDidNot,
        Self::UnknownDid,
        Self::NeverKnown,
        Self::NeverKnownDid,
        Self::Twice,
        Self::Signal,
        Self::SignalAfter,
        Self::Hangs,
        Self::HostLost,
        Self::Moved,
        Self::TwoSignals,
        Self::Overdue,
    ];

    /// Kinds of actions before which someone may move the routers, as in [`super::action_kind::NAMES`].
    pub(super) const MOVED_BEFORE: [&str; 4] = ["stage", "configure", "migrate", "require-unrouted"];

    /// Whether a deployment goes on as if nothing had been.
    pub(super) const fn passes(self) -> bool {
        matches!(self, Self::Twice | Self::UnknownDid | Self::UnknownDidNot | Self::Overdue)
    }

    /// Whether it comes from outside.
    pub(super) const fn is_signal(self) -> bool {
        matches!(self, Self::Signal | Self::SignalAfter | Self::TwoSignals)
    }

    /// Whether the time of the deployment is over from the beginning of the run on, in which it comes.
    pub(super) const fn is_late(self) -> bool {
        matches!(self, Self::Hangs | Self::Overdue)
    }

    /// Whether it happens each time that the action is tried.
    pub(super) const fn stays(self) -> bool {
        matches!(self, Self::NeverKnown | Self::NeverKnownDid)
    }
}
