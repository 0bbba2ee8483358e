//! The mutex under which a host changes, and the fence that keeps holders of older epochs out.

use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::document;
use crate::epoch::{self as rules, Refusal};
use crate::fault;
use crate::operation::{Fault, FaultKind, Guard};
use crate::place::absolute;
use crate::scope::Scope;

/// Content of the file `fence`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Fence {
    version: u32,
    pub(crate) epoch: u64,
}

/// The mutex of a state directory, held until dropped.
#[derive(Debug)]
pub(crate) struct Mutex {
    _file: File,
}

impl Mutex {
    /// Waits for the mutex within the operation's bounds.
    pub(crate) fn hold(state: &str, scope: &Scope<'_>) -> Result<Self, Fault> {
        let file = lock(&format!("{state}/mutex"), FlockOperation::NonBlockingLockExclusive, scope)?;
        Ok(Self { _file: file })
    }
}

/// Waits for the lock of a file, which is made when it is absent, within the operation's bounds.
fn lock(path: &str, kind: FlockOperation, scope: &Scope<'_>) -> Result<File, Fault> {
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)
        .map_err(|error| fault::io("open", path, error))?;
    let mut pause = Duration::from_millis(1);
    loop {
        match flock(&file, kind) {
            Ok(()) => return Ok(file),
            Err(Errno::WOULDBLOCK | Errno::INTR) => scope.pause(pause)?,
            Err(error) => return Err(fault::io("lock", path, error)),
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Leave to make a change: each mutex is held, and each fence held the right epoch when it was taken.
#[derive(Debug)]
pub(crate) struct Leave {
    under: Vec<(Mutex, String, u64)>,
}

impl Leave {
    /// Takes the mutex of the application, then that of the turn, and compares the fences. Without a guard there is nothing to take.
    pub(crate) fn take(account: &Account, guard: Option<&Guard>, scope: &Scope<'_>) -> Result<Self, Fault> {
        let mut under = Vec::new();
        if let Some(Guard { state, epoch, turn }) = guard {
            under.push(enter(account, state, *epoch, scope)?);
            if let Some(turn) = turn {
                under.push(enter(account, &turn.state, turn.epoch, scope)?);
            }
        }
        Ok(Self { under })
    }

    /// Lets go of each mutex, and stays. None without a guard.
    pub(crate) fn stay(self, scope: &Scope<'_>) -> Result<Option<Stay>, Fault> {
        if self.under.is_empty() {
            return Ok(None);
        }
        let mut at = Vec::new();
        for (mutex, state, epoch) in self.under {
            let file = lock(&format!("{state}/stays"), FlockOperation::NonBlockingLockShared, scope)?;
            drop(mutex);
            at.push((state, epoch, file));
        }
        Ok(Some(Stay { at, outdated: Cell::default() }))
    }
}

/// Takes the mutex of a state directory whose fence has to hold this epoch.
fn enter(
    account: &Account,
    state: &str,
    asked: u64,
    scope: &Scope<'_>,
) -> Result<(Mutex, String, u64), Fault> {
    let state = absolute(account, state)?;
    let mutex = match Mutex::hold(&state, scope) {
        // No state directory: nobody ever raised a fence here.
        Err(fault) if fault.kind == FaultKind::NotFound => {
            return Err(refused(&state, &Refusal::Fenced { now: 0, asked }));
        }
        held => held?,
    };
    rules::admit(epoch(&state)?, asked).map_err(|refusal| refused(&state, &refusal))?;
    Ok((mutex, state, asked))
}

/// Leave that outlasts the mutex, for what may take long: whoever raises a fence waits until it is dropped. In return its holder looks
/// at the fences again and again, and ends soon after one was raised.
#[derive(Debug)]
pub(crate) struct Stay {
    at: Vec<(String, u64, File)>,
    outdated: Cell<Option<Instant>>,
}

impl Stay {
    /// Between two looks at the fences.
    pub(crate) const LOOK: Duration = Duration::from_millis(100);

    /// After a fence was raised: what is nearly done is better done than cut off.
    const GRACE: Duration = Duration::from_secs(3);

    /// Goes on while each fence holds the epoch of this leave, and for a moment after that.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        for (state, asked, _) in &self.at {
            let now = epoch(state)?;
            if now == *asked {
                continue;
            }
            let since = self.outdated.get().unwrap_or_else(Instant::now);
            self.outdated.set(Some(since));
            if since.elapsed() >= Self::GRACE {
                return Err(refused(state, &Refusal::Fenced { now, asked: *asked }));
            }
        }
        Ok(())
    }
}

/// Waits until nobody stays under an older epoch. The fence must be raised. Not under the mutex: one try of raising it may come late, when
/// those stay whom it let in.
fn wait_for_stays(state: &str, scope: &Scope<'_>) -> Result<(), Fault> {
    lock(&format!("{state}/stays"), FlockOperation::NonBlockingLockExclusive, scope).map(drop)
}

/// The epoch of a state directory's fence; 0 when it has none.
pub(crate) fn epoch(state: &str) -> Result<u64, Fault> {
    Ok(document::load::<Fence>(&format!("{state}/fence"))?.map_or(0, |fence| fence.epoch))
}

/// Goes on only while no later holder of the lock than that of `epoch` was here.
pub(crate) fn require_no_later(state: &str, epoch: u64) -> Result<(), Fault> {
    rules::raise(self::epoch(state)?, epoch).map(drop).map_err(|refusal| refused(state, &refusal))
}

/// Raises the fence; the mutex must be held.
pub(crate) fn raise(state: &str, epoch: u64) -> Result<(), Fault> {
    document::save(&format!("{state}/fence"), &Fence { version: 1, epoch })
}

/// See [`crate::operation::Operation::Fence`].
pub(crate) fn fence(account: &Account, state: &str, epoch: u64, scope: &Scope<'_>) -> Result<(), Fault> {
    let state = absolute(account, state)?;
    document::make_private(&state)?;
    let mutex = Mutex::hold(&state, scope)?;
    let now = self::epoch(&state)?;
    match rules::raise(now, epoch) {
        // Taking the lock raised it, at the home.
        Ok(raised) if raised == now => {}
        Ok(raised) => raise(&state, raised)?,
        Err(refusal) => return Err(refused(&state, &refusal)),
    }
    drop(mutex);
    wait_for_stays(&state, scope)
}

/// A rule that was not followed, as a fault of the state directory.
pub(crate) fn refused(state: &str, refusal: &Refusal) -> Fault {
    match refusal {
        Refusal::Fenced { .. } => Fault::new(FaultKind::Fenced, format!("`{state}` is fenced: {refusal}")),
        Refusal::Held => Fault::new(FaultKind::Held, refusal.to_string()),
        Refusal::Exhausted => fault::failed(refusal.to_string()),
    }
}
