//! The switches.

use std::cell::Cell;

thread_local! {
    static ON: Cell<Option<Bug>> = const { Cell::new(None) };
}

macro_rules! bugs {
    ($($(#[doc = $says:literal])+ $bug:ident,)+) => {
        /// A rule that is left out, or turned round.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Bug {
            $($(#[doc = $says])+ $bug,)+
        }

        impl Bug {
            /// Every one.
            pub(crate) const ALL: &[Self] = &[$(Self::$bug,)+];

            /// What is wrong then.
            pub(crate) const fn says(self) -> &'static str {
                match self {
                    $(Self::$bug => concat!($($says),+),)+
                }
            }
        }
    };
}

bugs! {
    /// The old colour is stopped before the switch.
    OldStoppedBeforeSwitch,
    /// The old colour is retired before the pivot.
    RetiredBeforePivot,
    /// Nobody reads the routers before a colour is stopped.
    StopsUnread,
    /// The idle colour is cleared without a look whether it is idle still.
    ClearedUnread,
    /// Traffic is put back without a look at the old colour's health.
    PutBackUnchecked,
    /// Traffic is moved to a colour whose health nobody awaited.
    HealthNotAwaited,
    /// The new colour comes up after a reboot only once it is retired into.
    EnabledAfterPivot,
    /// What was cleared is not started again.
    ClearedForGood,
    /// What a release was started by before is not put back.
    RenewedForGood,
    /// What runs is taken as it is, whether it answers or not.
    UnfitReused,
    /// An effect is begun before the journal says so.
    NoIntent,
    /// A result that is not known counts as a failure.
    UnknownIsFailure,
    /// A migration that is open is run again instead of being asked about.
    OnceTwice,
    /// What is undone is undone in the order in which it was done.
    UndoForward,
    /// Only what is known to be done is undone.
    UndoesDoneOnly,
    /// A failed undo keeps nothing else from being undone.
    UndoNotBlocked,
    /// Of two errors the later one is told.
    LastErrorTold,
    /// A failed watch is a warning.
    WatchIgnored,
    /// Recovery believes the journal instead of asking the routers.
    JournalBelieved,
    /// Recovery does not see that someone moved the routers before the deployment did.
    MoveNotSeen,
    /// A guard that let something through before a crash is not asked again after it.
    GuardsKept,
    /// A switch that was done before a crash is taken for done after it.
    SwitchKept,
    /// Health that was seen before a crash is taken for health after it.
    HealthKept,
    /// What failed once is not tried again by a later run.
    GivenUpForGood,
    /// A drain that failed keeps nobody from stopping the old colour.
    StopsUndrained,
    /// The new colour gets more before it has stood its watch at the share that it has.
    ShareUnwatched,
    /// The way back from a share of the traffic is known only once the new colour has all of it.
    WayBackAtEnd,
    /// Shares begin from the first one again, and take traffic back to a colour that nobody looked at.
    SharesAnew,
    /// Recovery believes the journal about the shares that were watched, whatever the routers show.
    SharesBelieved,
    /// Traffic is shared without a look whether someone has given all of it to the new colour.
    SharedUnread,
    /// What runs on a host is stopped while the routers still point to it.
    StoppedWhileIn,
    /// The next hosts are taken out before the ones before are let in.
    NextBeforeIn,
    /// Only the last batch of hosts is put back.
    BatchesGoneForGood,
    /// Hosts are taken out without a look whether another one answers.
    OthersUnasked,
    /// On the way back a host is let in before it answers.
    LetInUnasked,
    /// A batch that could not be put back keeps nobody from taking the next one out.
    WayBackGoesOn,
    /// After a crash a batch goes on where it stopped.
    BatchKept,
    /// Recovery does not see that someone took a host out.
    OutNotSeen,
    /// A host that was given up in its turn is let in with the others.
    LostLetIn,
    /// A host that was given up in its turn has a part in the way back again, once it answers.
    LostTrusted,
    /// The way back of a batch ends with the host of it that is given up.
    LostEndsBatch,
    /// Maintenance ends without a look at the health of what gets the requests.
    OpenedUnchecked,
    /// A signal only ends the run, and puts nothing back.
    SignalForgets,
    /// A router is moved when its hook says so, whatever the router shows.
    SwitchBelieved,
    /// A router is moved whatever someone has made of it since it was planned.
    EditOverruled,
    /// An answer that names another release is taken for one of the release that is asked.
    OtherReleaseTaken,
}

impl Bug {
    /// Whether it is switched on in this thread.
    pub(crate) fn is_on(self) -> bool {
        ON.get() == Some(self)
    }

    /// Switched on while `work` lasts.
    pub(crate) fn during<T>(self, work: impl FnOnce() -> T) -> T {
        struct Off;
        impl Drop for Off {
            fn drop(&mut self) {
                ON.set(None);
            }
        }
        ON.set(Some(self));
        let _off = Off;
        work()
    }
}
