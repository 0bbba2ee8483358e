//! Who may change anything: the rules of lock and fence, as pure functions over what is on the home's and the hosts' disks.
//!
//! The host side applies them under a mutex; the model of the whole protocol (in this module's tests) takes its steps by the very same
//! functions.

use std::fmt;

use crate::operation::{Lock, LockHolder};

#[cfg(test)]
mod model;

/// Why a rule was not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Another one holds the lock.
    Held,
    /// Another epoch is in force.
    Fenced {
        /// The one in force.
        now: u64,
        /// The one that was asked for.
        asked: u64,
    },
    /// Epochs are used up.
    Exhausted,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("the lock is held"),
            Self::Fenced { now, asked } => write!(f, "epoch {now} holds it, not {asked}"),
            Self::Exhausted => f.write_str("the epoch can't be raised any more"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Whether a change under `epoch` is allowed on a host whose fence holds `fence`: only that very epoch is.
///
/// # Errors
/// [`Refusal::Fenced`].
pub const fn admit(fence: u64, epoch: u64) -> Result<(), Refusal> {
    if fence == epoch { Ok(()) } else { Err(Refusal::Fenced { now: fence, asked: epoch }) }
}

/// What a host's fence becomes when it is raised to `epoch`: it never falls.
///
/// # Errors
/// [`Refusal::Fenced`] when a later holder was there.
pub const fn raise(fence: u64, epoch: u64) -> Result<u64, Refusal> {
    if fence > epoch { Err(Refusal::Fenced { now: fence, asked: epoch }) } else { Ok(epoch) }
}

/// The lock after it was taken at the time `now_ms`: a free one, or one that is held under exactly the epoch `steal`. One below the
/// home's fence counts as free: whoever raised that fence shut its holder out. The fence has to be raised to the epoch of the lock in the
/// same critical section.
///
/// # Errors
/// [`Refusal::Held`], [`Refusal::Exhausted`].
pub fn take(
    lock: &Lock,
    fence: u64,
    holder: &LockHolder,
    steal: Option<u64>,
    now_ms: u64,
) -> Result<Lock, Refusal> {
    if lock.holder.is_some() && lock.epoch >= fence && steal != Some(lock.epoch) {
        return Err(Refusal::Held);
    }
    Ok(Lock {
        version: 1,
        epoch: next(lock.epoch.max(fence))?,
        holder: Some(holder.clone()),
        acquired_ms: now_ms,
        renewed_ms: now_ms,
        step: String::new(),
    })
}

/// The lock after it was freed from under `epoch`, which raises the epoch. A lock that was freed already is refused: its holder has to
/// learn that somebody unlocked it, and whoever lost the answer to an earlier try can tell by the epoch that it is free of them.
///
/// # Errors
/// [`Refusal::Fenced`] when it is not, or not any more, held under this epoch; [`Refusal::Exhausted`].
pub fn free(lock: &Lock, fence: u64, epoch: u64) -> Result<Lock, Refusal> {
    if lock.holder.is_none() || lock.epoch != epoch {
        return Err(Refusal::Fenced { now: lock.epoch, asked: epoch });
    }
    let epoch = next(lock.epoch.max(fence))?;
    Ok(Lock { epoch, holder: None, step: String::new(), ..lock.clone() })
}

/// The lock after its holder renewed it at the time `now_ms`, being at `step`.
///
/// # Errors
/// [`Refusal::Fenced`] when it is not, or not any more, the holder's.
pub fn renew(lock: &Lock, fence: u64, epoch: u64, step: &str, now_ms: u64) -> Result<Lock, Refusal> {
    if lock.holder.is_none() || lock.epoch != epoch || fence != epoch {
        return Err(Refusal::Fenced { now: lock.epoch.max(fence), asked: epoch });
    }
    Ok(Lock { renewed_ms: now_ms, step: step.to_owned(), ..lock.clone() })
}

fn next(epoch: u64) -> Result<u64, Refusal> {
    epoch.checked_add(1).ok_or(Refusal::Exhausted)
}
