//! The lock of an application and environment at its home: a document that is changed by compare-and-set and never deleted.

use serde::Deserialize;

use crate::account::Account;
use crate::clock::now_ms;
use crate::document;
use crate::epoch::{self, Refusal};
use crate::fence::{self, Mutex, refused};
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
        let membership = document::load::<Membership>(&format!("{state}/lineage"))?;
        if let Some(to) = membership.and_then(|membership| membership.moved_to) {
            let message = format!("`{state}` was moved to `{}`", to.escape_debug());
            return Err(Fault::new(FaultKind::Moved, message));
        }
        match epoch::take(lock, fence, holder, steal, now_ms()) {
            Err(Refusal::Held) => Err(held(lock)),
            taken => taken.map_err(|refusal| refused(&state, &refusal)),
        }
    })
}

/// See [`crate::operation::Operation::FreeLock`].
pub(crate) fn free(account: &Account, state: &str, epoch: u64, scope: &Scope<'_>) -> Result<Lock, Fault> {
    let state = absolute(account, state)?;
    change(&state, scope, |lock, fence| {
        epoch::free(lock, fence, epoch).map_err(|refusal| refused(&state, &refusal))
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
        epoch::renew(lock, fence, epoch, step, now_ms()).map_err(|refusal| refused(&state, &refusal))
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
    decide: impl FnOnce(&Lock, u64) -> Result<Lock, Fault>,
) -> Result<Lock, Fault> {
    let _mutex = Mutex::hold(state, scope)?;
    let (lock, fence) = (load(state)?, fence::epoch(state)?);
    let changed = decide(&lock, fence)?;
    if changed.epoch != fence {
        fence::raise(state, changed.epoch)?;
    }
    document::save(&format!("{state}/lock.json"), &changed)?;
    Ok(changed)
}

fn held(lock: &Lock) -> Fault {
    let (who, command, deployment) = match &lock.holder {
        Some(holder) => (holder.who.as_str(), holder.command.as_str(), holder.deployment.as_str()),
        None => ("nobody", "", ""),
    };
    let message = format!(
        "the lock is held by {who} ({command}, deployment {deployment}, epoch {}, at step `{}`)",
        lock.epoch, lock.step
    );
    Fault::new(FaultKind::Held, message)
}
