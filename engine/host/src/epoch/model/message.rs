//! What engines ask of hosts.

/// A message. It may arrive long after its sender has given it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Message {
    /// `TakeLock` by this holder; over, when the lock is held under this epoch (0: not).
    Take { holder: u8, steal: u8 },
    /// `FreeLock`.
    Free { epoch: u8 },
    /// `Fence`.
    Fence { host: u8, epoch: u8 },
    /// `Reap`, guarded.
    Reap { host: u8, epoch: u8 },
    /// Any guarded change.
    Change { host: u8, epoch: u8 },
    /// `Begin`, guarded: something that goes on by itself.
    Begin { host: u8, epoch: u8 },
    /// `Run`, guarded: let in under the mutex, then outside of it for as long as it takes.
    Run { host: u8, epoch: u8 },
}

impl Message {
    pub(super) const fn host(self) -> u8 {
        match self {
            Self::Take { .. } | Self::Free { .. } => 0,
            Self::Fence { host, .. }
            | Self::Reap { host, .. }
            | Self::Change { host, .. }
            | Self::Begin { host, .. }
            | Self::Run { host, .. } => host,
        }
    }
}
