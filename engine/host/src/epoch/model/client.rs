//! An engine, as far as the protocol goes.

/// Hosts of the model; the first one is the home.
pub(super) const HOSTS: usize = 2;

/// How often an engine is started at most.
pub(super) const LIVES: u8 = 2;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Client {
    pub(super) at: At,
    /// The epoch that it holds, once it does.
    pub(super) epoch: u8,
    /// How often it was started again.
    pub(super) life: u8,
}

/// What it does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// It wants the lock.
    Wants,
    /// It has seen the lock held under this epoch.
    Looked(u8),
    /// It asked for the lock, under this epoch when it takes it over (0: it does not), and got no answer.
    Asked(u8),
    /// It has read the epoch and is about to write the lock (a bug).
    ReadEpoch(u8),
    /// It fences all hosts at once, and reaps on each that is fenced: see [`ShutOut`].
    ShutsOut(ShutOut),
    /// It reads this host.
    Reads(u8),
    /// It changes this host.
    Changes(u8),
    /// It begins a detached operation on the last host.
    Begins,
    /// It frees its lock.
    Frees,
    /// Its last life is over.
    Over,
}

/// How far earlier holders are shut out of each host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct ShutOut {
    pub(super) fenced: [bool; HOSTS],
    pub(super) reaped: [bool; HOSTS],
    /// Whether the plan is made already (a bug).
    pub(super) planned: bool,
}

impl ShutOut {
    /// This host is done with, without having been asked (a bug).
    pub(super) fn but(host: usize) -> Self {
        let mut done = Self::default();
        (done.fenced[host], done.reaped[host]) = (true, true);
        done
    }

    pub(super) fn is_whole(self) -> bool {
        self.reaped == [true; HOSTS]
    }
}

impl Client {
    pub(super) const NEW: Self = Self { at: At::Wants, epoch: 0, life: 0 };

    /// Whether its plan is made of what it has read, so that nobody else may change anything.
    pub(super) const fn relies(self) -> bool {
        matches!(self.at, At::Reads(1..) | At::Changes(_) | At::Begins)
    }

    /// Whether it takes itself for the holder.
    pub(super) const fn holds(self) -> bool {
        matches!(self.at, At::ShutsOut(_) | At::Reads(_) | At::Changes(_) | At::Begins | At::Frees)
    }

    pub(super) const fn goes(self, at: At) -> Self {
        Self { at, ..self }
    }

    /// It ended or died. What is started next is another process.
    pub(super) const fn ended(self, lives: u8) -> Self {
        if self.life + 1 < lives {
            Self { at: At::Wants, epoch: 0, life: self.life + 1 }
        } else {
            Self { at: At::Over, epoch: 0, life: self.life }
        }
    }
}
