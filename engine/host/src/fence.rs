//! The mutex under which a host changes, and the fence that keeps holders of older epochs out.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

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
struct Fence {
    version: u32,
    epoch: u64,
}

/// The mutex of a state directory, held until dropped.
#[derive(Debug)]
pub(crate) struct Mutex {
    _file: File,
}

impl Mutex {
    /// Waits for the mutex within the operation's bounds.
    pub(crate) fn hold(state: &str, scope: &Scope<'_>) -> Result<Self, Fault> {
        let path = format!("{state}/mutex");
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(&path)
            .map_err(|error| fault::io("open", &path, error))?;
        let mut pause = Duration::from_millis(1);
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(Errno::WOULDBLOCK | Errno::INTR) => scope.pause(pause)?,
                Err(error) => return Err(fault::io("lock", &path, error)),
            }
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

/// Leave to make a change: the mutex is held, and the fence held the right epoch when it was taken.
#[derive(Debug)]
pub(crate) struct Leave {
    _mutex: Option<Mutex>,
}

impl Leave {
    /// Takes the mutex and compares the fence. Without a guard there is nothing to take.
    pub(crate) fn take(account: &Account, guard: Option<&Guard>, scope: &Scope<'_>) -> Result<Self, Fault> {
        let Some(guard) = guard else { return Ok(Self { _mutex: None }) };
        let state = absolute(account, &guard.state)?;
        let mutex = match Mutex::hold(&state, scope) {
            // No state directory: nobody ever raised a fence here.
            Err(fault) if fault.kind == FaultKind::NotFound => {
                return Err(refused(&state, &Refusal::Fenced { now: 0, asked: guard.epoch }));
            }
            held => held?,
        };
        rules::admit(epoch(&state)?, guard.epoch).map_err(|refusal| refused(&state, &refusal))?;
        Ok(Self { _mutex: Some(mutex) })
    }
}

/// The epoch of a state directory's fence; 0 when it has none.
pub(crate) fn epoch(state: &str) -> Result<u64, Fault> {
    Ok(document::load::<Fence>(&format!("{state}/fence"))?.map_or(0, |fence| fence.epoch))
}

/// Raises the fence; the mutex must be held.
pub(crate) fn raise(state: &str, epoch: u64) -> Result<(), Fault> {
    document::save(&format!("{state}/fence"), &Fence { version: 1, epoch })
}

/// See [`crate::operation::Operation::Fence`].
pub(crate) fn fence(account: &Account, state: &str, epoch: u64, scope: &Scope<'_>) -> Result<(), Fault> {
    let state = absolute(account, state)?;
    document::make_private(&state)?;
    let _mutex = Mutex::hold(&state, scope)?;
    let now = self::epoch(&state)?;
    match rules::raise(now, epoch) {
        Ok(raised) if raised == now => Ok(()),
        Ok(raised) => raise(&state, raised),
        Err(refusal) => Err(refused(&state, &refusal)),
    }
}

/// A rule that was not followed, as a fault of the state directory.
pub(crate) fn refused(state: &str, refusal: &Refusal) -> Fault {
    match refusal {
        Refusal::Fenced { .. } => Fault::new(FaultKind::Fenced, format!("`{state}` is fenced: {refusal}")),
        Refusal::Held => Fault::new(FaultKind::Held, refusal.to_string()),
        Refusal::Exhausted => fault::failed(refusal.to_string()),
    }
}
