//! The lock of an application and environment, kept at its home.
//!
//! It is a file under a mutex on the home, with an epoch that only grows: taking, freeing and unlocking raise it. Every
//! change on any host is performed under the epoch of its lock, and a host that has seen a later one refuses. So it does
//! no harm that nothing here is freed by going out of scope: freeing is an operation on a host, which can fail.

use cutover_host::operation::{Answer, Fault, FaultKind, Guard, Lock, LockHolder, Operation};

use super::state_directory::TRIES;
use super::versioned::VERSION;
use super::{Home, StateDirectory, StoreFault};
use crate::transport::Failure;

/// The lock, held by us. Must be freed by [`Home::free`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a lock that is not freed stays"]
pub struct HeldLock {
    guard: Guard,
}

impl HeldLock {
    fn new(directory: &StateDirectory, epoch: u64) -> Self {
        Self { guard: directory.guard(epoch) }
    }

    /// The epoch: what every host is fenced with.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.guard.epoch
    }

    /// What changes at the home are performed under. For other hosts: [`StateDirectory::guard`].
    #[must_use]
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }
}

impl Home {
    /// Takes the lock, or takes it over when it is held under exactly the epoch `steal`.
    ///
    /// When the connection breaks, whether we have it is told by the holder that the lock names; so `holder.who` has to
    /// name the process too (`ann@laptop pid 4711`): two `resume` of one deployment must not take each other's lock for
    /// their own.
    ///
    /// # Errors
    /// [`StoreFault::Locked`] with the lock when another one holds it.
    pub async fn take(&self, holder: LockHolder, steal: Option<u64>) -> Result<HeldLock, StoreFault> {
        let directory = self.directory();
        let state = directory.path().to_owned();
        let take = Operation::TakeLock { state: state.clone(), holder: holder.clone(), steal };
        let mut broke = false;
        let mut tries = 1;
        loop {
            match directory.once(None, take.clone()).await {
                Ok(Answer::Lock(lock)) if lock.holder.as_ref() == Some(&holder) => {
                    return Ok(HeldLock::new(directory, lock.epoch));
                }
                Ok(_) => return Err(directory.nonsense()),
                Err(Failure::Fault(Fault { kind: FaultKind::Held, .. })) => {
                    let lock = self.read_lock().await?;
                    if broke && lock.holder.as_ref() == Some(&holder) {
                        return Ok(HeldLock::new(directory, lock.epoch));
                    }
                    // Freed between the two questions: asked for again.
                    if lock.holder.is_some() || tries == TRIES {
                        let host = directory.host().clone();
                        return Err(StoreFault::Locked { host, directory: state, lock: Box::new(lock) });
                    }
                }
                Err(failure) if failure.is_unknown() && tries < TRIES => broke = true,
                Err(failure) => return Err(directory.fault(failure)),
            }
            tries += 1;
        }
    }

    /// Notes in the lock at which step we are, for whoever finds it held.
    ///
    /// # Errors
    /// [`StoreFault::Fenced`] when the lock is no longer ours.
    pub async fn renew(&self, lock: &HeldLock, step: &str) -> Result<(), StoreFault> {
        let directory = self.directory();
        let state = directory.path().to_owned();
        let renew = Operation::RenewLock { state, epoch: lock.epoch(), step: step.to_owned() };
        let answer = directory.repeat(None, renew).await?;
        let ours = matches!(answer, Answer::Lock(now) if now.epoch == lock.epoch());
        if ours { Ok(()) } else { Err(directory.nonsense()) }
    }

    /// The lock as it is now. One that was never taken is free, epoch 0.
    ///
    /// # Errors
    /// What reading may meet.
    pub async fn read_lock(&self) -> Result<Lock, StoreFault> {
        let directory = self.directory();
        match directory.repeat(None, Operation::ReadLock { state: directory.path().to_owned() }).await {
            Ok(Answer::Lock(lock)) if lock.version > VERSION => {
                Err(directory.newer("lock.json", lock.version))
            }
            Ok(Answer::Lock(lock)) => Ok(lock),
            Ok(_) => Err(directory.nonsense()),
            Err(StoreFault::Refused { kind: FaultKind::NotFound, .. }) => Ok(Lock::default()),
            Err(fault) => Err(fault),
        }
    }

    /// Frees our lock.
    ///
    /// # Errors
    /// [`StoreFault::Fenced`] when it was no longer ours.
    pub async fn free(&self, lock: HeldLock) -> Result<(), StoreFault> {
        match self.release(lock.epoch()).await {
            Err(StoreFault::NotHeld { host, epoch, lock, .. }) => {
                let message =
                    format!("the lock is no longer held under epoch {epoch}, but at {}", lock.epoch);
                Err(StoreFault::Fenced { host, message })
            }
            other => other,
        }
    }

    /// Frees a lock that another process holds (`cutover unlock`). The epoch says which one was meant: a lock that was
    /// taken anew since the person looked is left alone. Its holder can change nothing any more.
    ///
    /// # Errors
    /// [`StoreFault::NotHeld`] when it is free or held under another epoch.
    pub async fn unlock(&self, epoch: u64) -> Result<(), StoreFault> {
        self.release(epoch).await
    }

    async fn release(&self, epoch: u64) -> Result<(), StoreFault> {
        let directory = self.directory();
        let free = Operation::FreeLock { state: directory.path().to_owned(), epoch };
        let mut tries = 1;
        loop {
            match directory.once(None, free.clone()).await {
                Ok(Answer::Lock(lock)) if lock.holder.is_none() => return Ok(()),
                Ok(_) => return Err(directory.nonsense()),
                Err(Failure::Fault(Fault { kind, .. })) if is_not_held(kind) => {
                    let lock = self.read_lock().await?;
                    // An earlier try that broke may be what freed it; and if not, it is free of us all the same.
                    if tries > 1 && lock.epoch > epoch {
                        return Ok(());
                    }
                    let (host, state) = (directory.host().clone(), directory.path().to_owned());
                    return Err(StoreFault::NotHeld { host, directory: state, epoch, lock: Box::new(lock) });
                }
                Err(failure) if failure.is_unknown() && tries < TRIES => tries += 1,
                Err(failure) => return Err(directory.fault(failure)),
            }
        }
    }
}

/// How a host says that the lock is not held under the epoch given, or was never taken.
const fn is_not_held(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Fenced | FaultKind::Held | FaultKind::Conflict | FaultKind::NotFound)
}
