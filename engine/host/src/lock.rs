//! The lock of an application and environment at its home: a document that is changed by compare-and-set and never deleted.

use serde::Deserialize;

use crate::account::Account;
use crate::clock::now_ms;
use crate::document;
use crate::fence::{self, Mutex, fenced};
use crate::operation::{Fault, FaultKind, Lock, LockHolder};
use crate::place::absolute;
use crate::scope::Scope;

/// What the lock has to know of the file `lineage`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Membership {
    moved_to: Option<String>,
}

/// See [`crate::operation::Operation::TakeLock`].
pub(crate) fn take(
    account: &Account,
    state: &str,
    holder: &LockHolder,
    steal: Option<u64>,
    scope: &Scope<'_>,
) -> Result<Lock, Fault> {
    let state = absolute(account, state)?;
    document::make_private(&state)?;
    change(&state, scope, |lock, fence| {
        if let Some(to) = document::load::<Membership>(&format!("{state}/lineage"))?.and_then(|m| m.moved_to)
        {
            return Err(Fault::new(
                FaultKind::Moved,
                format!("`{state}` was moved to `{}`", to.escape_debug()),
            ));
        }
        if let Some(holder) = &lock.holder
            && steal != Some(lock.epoch)
            && lock.epoch >= fence
        {
            let message = format!(
                "the lock is held by {} ({}, deployment {}, epoch {}, at step `{}`)",
                holder.who, holder.command, holder.deployment, lock.epoch, lock.step
            );
            return Err(Fault::new(FaultKind::Held, message));
        }
        let now = now_ms();
        Ok(Some(Lock {
            version: 1,
            epoch: next(lock.epoch.max(fence))?,
            holder: Some(holder.clone()),
            acquired_ms: now,
            renewed_ms: now,
            step: String::new(),
        }))
    })
}

/// See [`crate::operation::Operation::FreeLock`]. Freeing what was freed under the same epoch is success.
pub(crate) fn free(account: &Account, state: &str, epoch: u64, scope: &Scope<'_>) -> Result<Lock, Fault> {
    let state = absolute(account, state)?;
    change(&state, scope, |lock, fence| match &lock.holder {
        Some(_) if lock.epoch == epoch => Ok(Some(Lock {
            epoch: next(lock.epoch.max(fence))?,
            holder: None,
            step: String::new(),
            ..lock.clone()
        })),
        None if epoch.checked_add(1) == Some(lock.epoch) => Ok(None),
        _ => Err(fenced(&state, lock.epoch, epoch)),
    })
}

/// See [`crate::operation::Operation::RenewLock`].
pub(crate) fn renew(
    account: &Account,
    state: &str,
    epoch: u64,
    step: &str,
    scope: &Scope<'_>,
) -> Result<Lock, Fault> {
    let state = absolute(account, state)?;
    change(&state, scope, |lock, fence| {
        if lock.holder.is_none() || lock.epoch != epoch || fence != epoch {
            return Err(fenced(&state, lock.epoch.max(fence), epoch));
        }
        Ok(Some(Lock { renewed_ms: now_ms(), step: step.to_owned(), ..lock.clone() }))
    })
}

/// See [`crate::operation::Operation::ReadLock`]. Where nobody ever took it, it is free under epoch 0.
pub(crate) fn read(account: &Account, state: &str) -> Result<Lock, Fault> {
    load(&absolute(account, state)?)
}

fn load(state: &str) -> Result<Lock, Fault> {
    Ok(document::load(&format!("{state}/lock.json"))?.unwrap_or(Lock { version: 1, ..Lock::default() }))
}

/// Reads, decides, writes under the mutex. The fence goes first: a crash in between keeps everybody out but whoever unlocks.
fn change(
    state: &str,
    scope: &Scope<'_>,
    decide: impl FnOnce(&Lock, u64) -> Result<Option<Lock>, Fault>,
) -> Result<Lock, Fault> {
    let _mutex = Mutex::hold(state, scope)?;
    let (lock, fence) = (load(state)?, fence::epoch(state)?);
    let Some(changed) = decide(&lock, fence)? else { return Ok(lock) };
    if changed.epoch != fence {
        fence::raise(state, changed.epoch)?;
    }
    document::save(&format!("{state}/lock.json"), &changed)?;
    Ok(changed)
}

fn next(epoch: u64) -> Result<u64, Fault> {
    epoch.checked_add(1).ok_or_else(|| crate::fault::failed("the epoch can't be raised any more"))
}
