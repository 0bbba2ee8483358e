//! Bugs on purpose, to show that the search finds them.

/// A rule of the protocol that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutation {
    /// Hosts do not compare epochs.
    NoFenceCheck,
    /// Taking the lock does not raise the home's fence: that is done when the plan is made.
    FenceOutsideAcquire,
    /// The lock is read in one critical section and written in another.
    EpochOutsideAcquire,
    /// A fence is set to what is asked for, even if it is lower.
    FenceFalls,
    /// The world is read, and the plan made, before the hosts are fenced.
    PlanBeforeFence,
    /// What earlier holders left running goes on.
    NoReap,
    /// Unlocking frees whatever lock there is.
    UnconditionalUnlock,
    /// Taking over takes whatever lock there is.
    UnconditionalSteal,
    /// After a lost answer, a lock that is held is taken for one's own.
    LostAnswerIsMine,
    /// Unlocking leaves the epoch as it is.
    UnlockKeepsEpoch,
    /// Raising a fence does not wait for what was let in and runs outside the mutex.
    FenceDoesNotWait,
}

impl Mutation {
    /// Every one.
    pub(super) const ALL: [Self; 11] = [
        Self::NoFenceCheck,
        Self::FenceOutsideAcquire,
        Self::EpochOutsideAcquire,
        Self::FenceFalls,
        Self::PlanBeforeFence,
        Self::NoReap,
        Self::UnconditionalUnlock,
        Self::UnconditionalSteal,
        Self::LostAnswerIsMine,
        Self::UnlockKeepsEpoch,
        Self::FenceDoesNotWait,
    ];
}
