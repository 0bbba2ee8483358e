//! Holding the lock: taken for a run, renewed while it lasts, taken over when its holder is gone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_host::operation::{Lock, LockHolder};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant as Moment, sleep};

use super::{Interrupts, Reporter};
use crate::model::{EventKind, Timestamp};
use crate::store::{HeldLock, Home, StoreFault};

/// Between two renewals.
const RENEW: Duration = Duration::from_secs(15);

/// A lock that was not renewed for so long belongs to no one: its holder gave up after 45 s without an answer.
pub(super) const LAPSED: Duration = Duration::from_secs(60);

/// Between two tries while waiting for a lock.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The lock, renewed until it is freed.
#[derive(Debug)]
pub(crate) struct Lease {
    home: Home,
    lock: HeldLock,
    step: Arc<Mutex<String>>,
    renewing: JoinHandle<()>,
}

/// Who we are, as the lock names us.
pub(crate) struct Claimant {
    pub(crate) holder: LockHolder,
    /// Name of this machine.
    pub(crate) machine: String,
    /// Whether a process of this machine is alive.
    pub(crate) is_alive: fn(u32) -> bool,
}

impl Lease {
    /// Takes the lock, waiting for at most `wait`, or until a signal, while it is held.
    ///
    /// # Errors
    /// [`StoreFault::Locked`] when it is still held then.
    pub(crate) async fn take(
        home: &Home,
        claimant: &Claimant,
        wait: Duration,
        reporter: &Reporter,
        mut interrupts: watch::Receiver<Interrupts>,
        clock_of_home: impl AsyncFn() -> Result<Timestamp, StoreFault>,
    ) -> Result<Self, StoreFault> {
        let give_up = Moment::now() + wait;
        let mut told = false;
        let lock = loop {
            let locked = match home.take(claimant.holder.clone(), None).await {
                Ok(lock) => break lock,
                Err(StoreFault::Locked { host, directory, lock }) => (host, directory, lock),
                Err(fault) => return Err(fault),
            };
            let (host, directory, lock) = locked;
            if is_abandoned(&lock, claimant, clock_of_home().await?) {
                break home.take(claimant.holder.clone(), Some(lock.epoch)).await?;
            }
            if Moment::now() >= give_up || interrupts.borrow().count > 0 {
                return Err(StoreFault::Locked { host, directory, lock });
            }
            if !told {
                told = true;
                let who = lock.holder.as_ref().map(|holder| holder.who.clone()).unwrap_or_default();
                let text = format!("waiting for the lock, held by {who}");
                reporter.tell(EventKind::Warning { text, hint: None });
            }
            tokio::select! {
                () = sleep(TRY_AGAIN) => {}
                Ok(_) = interrupts.wait_for(|interrupts| interrupts.count > 0) => {}
            }
        };
        let step = Arc::new(Mutex::new("lock".to_owned()));
        let renewing = tokio::spawn(renew(home.clone(), lock.clone(), Arc::clone(&step)));
        Ok(Self { home: home.clone(), lock, step, renewing })
    }

    /// The lock.
    pub(crate) const fn lock(&self) -> &HeldLock {
        &self.lock
    }

    /// Where the step is noted that the next renewal tells.
    pub(crate) fn step(&self) -> Arc<Mutex<String>> {
        Arc::clone(&self.step)
    }

    /// Frees the lock.
    ///
    /// # Errors
    /// [`StoreFault::Fenced`] when it was no longer ours.
    pub(crate) async fn free(self) -> Result<(), StoreFault> {
        self.renewing.abort();
        self.home.free(self.lock.clone()).await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

async fn renew(home: Home, lock: HeldLock, step: Arc<Mutex<String>>) {
    loop {
        sleep(RENEW).await;
        let step = step.lock().map(|step| step.clone()).unwrap_or_default();
        // A lock that is lost is noticed by the next change, which its host refuses.
        if matches!(home.renew(&lock, &step).await, Err(StoreFault::Fenced { .. })) {
            return;
        }
    }
}

/// Whether a lock's holder is gone: it lapsed, or was a process of this machine that is not alive any more.
fn is_abandoned(lock: &Lock, claimant: &Claimant, now: Timestamp) -> bool {
    let Some(holder) = &lock.holder else { return true };
    silent(lock, now) > LAPSED || is_dead(holder, &claimant.machine, claimant.is_alive)
}

/// How long the holder of a lock has given no sign of life; `now` is by the home's clock.
pub(super) fn silent(lock: &Lock, now: Timestamp) -> Duration {
    now.since(Timestamp(lock.renewed_ms.max(lock.acquired_ms)))
}

/// Whether a holder was a process of this machine that is not alive any more.
pub(super) fn is_dead(holder: &LockHolder, machine: &str, is_alive: fn(u32) -> bool) -> bool {
    process_here(&holder.who, machine).is_some_and(|pid| !is_alive(pid))
}

/// The process that `user@machine pid N` names, when it is one of this machine.
fn process_here(who: &str, machine: &str) -> Option<u32> {
    let (who, pid) = who.split_once(" pid ")?;
    let (_, there) = who.rsplit_once('@')?;
    (there == machine).then(|| pid.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_holder_that_is_gone_loses_its_lock() {
        let claimant = Claimant {
            holder: LockHolder {
                who: "me@here pid 2".into(),
                deployment: "d".into(),
                command: "resume".into(),
            },
            machine: "here".into(),
            is_alive: |pid| pid == 1,
        };
        let lock = |who: &str, renewed_ms| Lock {
            holder: Some(LockHolder { who: who.into(), deployment: "d".into(), command: "deploy".into() }),
            renewed_ms,
            ..Lock::default()
        };
        let now = Timestamp(100_000);
        assert!(!is_abandoned(&lock("a@here pid 1", 90_000), &claimant, now), "it is alive");
        assert!(is_abandoned(&lock("a@here pid 7", 90_000), &claimant, now), "it is dead");
        assert!(!is_abandoned(&lock("a@there pid 7", 90_000), &claimant, now), "who knows, over there");
        assert!(is_abandoned(&lock("a@there pid 7", 39_000), &claimant, now), "it lapsed");
        assert!(!is_abandoned(&lock("a@there pid 7", 40_000), &claimant, now), "not yet");
    }
}
