//! Holding the lock: taken for a run, renewed while it lasts, taken over when its holder is gone.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_host::operation::{Lock, LockHolder};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant as Moment, sleep, timeout};

use super::turns::waiting_words;
use crate::model::{EventKind, HostName, Record, Timestamp};
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::reporter::Reporter;
use crate::run::execute::standing::Standing;
use crate::store::{HeldLock, Home, ReadJournal, StoreFault};

/// Between two renewals.
const RENEW: Duration = Duration::from_secs(15);

/// After a renewal that did not work.
const RENEW_AGAIN: Duration = Duration::from_secs(1);

/// A lock that was not renewed for so long belongs to no one. A holder that is not gone all the same does no harm: the fence keeps it out.
pub(crate) const LAPSED: Duration = Duration::from_secs(60);

/// The step that who waits for a turn reads of its holder.
pub(crate) const SWITCH: &str = "switch";

/// Between two tries while waiting for a lock.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The same while waiting for a turn at a router, which lasts for seconds.
const TRY_SOON: Duration = Duration::from_millis(250);

/// The lock, renewed until it is freed.
#[derive(Debug)]
pub(crate) struct Lease {
    home: Home,
    lock: HeldLock,
    step: Arc<Mutex<String>>,
    renewed: watch::Receiver<Moment>,
    renewing: JoinHandle<()>,
}

/// Who we are, as the lock names us.
pub(crate) struct Claimant {
    pub(crate) holder: LockHolder,
    /// See [`crate::run::Operator::place`].
    pub(crate) place: Option<String>,
    /// Whether a process of this place is alive.
    pub(crate) is_alive: fn(u32) -> bool,
}

/// Waiting for a lock that another one holds: for so long at most, or until a signal.
pub(crate) struct Waiting<'a> {
    claimant: &'a Claimant,
    /// The router whose turn it is about; none for the lock of the application.
    router: Option<HostName>,
    give_up: Moment,
    reporter: &'a Reporter,
    /// None where signals are heard elsewhere.
    interrupts: Option<watch::Receiver<Interrupts>>,
    told: bool,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(
        claimant: &'a Claimant,
        wait: Duration,
        reporter: &'a Reporter,
        interrupts: watch::Receiver<Interrupts>,
    ) -> Self {
        let interrupts = Some(interrupts);
        Self { claimant, router: None, give_up: Moment::now() + wait, reporter, interrupts, told: false }
    }

    /// For the turn at a router. The runner hears of signals, and ends the wait or lets it go on.
    pub(crate) fn at_router(
        claimant: &'a Claimant,
        router: HostName,
        wait: Duration,
        reporter: &'a Reporter,
    ) -> Self {
        let give_up = Moment::now() + wait;
        Self { claimant, router: Some(router), give_up, reporter, interrupts: None, told: false }
    }

    /// Waits until nobody holds the lock, or whoever does is gone.
    ///
    /// # Errors
    /// [`StoreFault::Locked`] when it is still held then.
    pub(crate) async fn pass(mut self, home: &Home) -> Result<(), StoreFault> {
        loop {
            let lock = home.read_lock().await?;
            if is_abandoned(&lock, self.claimant, home.now().await.ok()) {
                return Ok(());
            }
            if !self.goes_on(&lock).await {
                return Err(locked(home, lock));
            }
        }
    }

    /// Waits a moment; whether to look again after it.
    async fn goes_on(&mut self, lock: &Lock) -> bool {
        let signalled = |interrupts: &watch::Receiver<Interrupts>| interrupts.borrow().count > 0;
        if Moment::now() >= self.give_up || self.interrupts.as_ref().is_some_and(signalled) {
            return false;
        }
        if !self.told {
            self.told = true;
            let who = lock.holder.as_ref().map(|holder| holder.who.clone()).unwrap_or_default();
            let text = match &self.router {
                Some(router) => waiting_words(router, lock),
                None => format!("waiting for the lock, held by {who}"),
            };
            self.reporter.tell(EventKind::Warning { text, hint: None });
        }
        match &mut self.interrupts {
            Some(interrupts) => tokio::select! {
                () = sleep(TRY_AGAIN) => {}
                Ok(_) = interrupts.wait_for(|interrupts| interrupts.count > 0) => {}
            },
            None => sleep(TRY_SOON).await,
        }
        true
    }
}

impl Lease {
    /// Takes the lock, waiting while it is held.
    ///
    /// # Errors
    /// [`StoreFault::Locked`] when it is still held then.
    pub(crate) async fn take(home: &Home, mut waiting: Waiting<'_>) -> Result<Self, StoreFault> {
        let holder = &waiting.claimant.holder;
        let mut abandoned = None;
        let (lock, taken) = loop {
            let asked = Moment::now();
            let (host, directory, lock) = match home.take(holder.clone(), abandoned).await {
                Ok(lock) => break (lock, asked),
                Err(StoreFault::Locked { host, directory, lock }) => (host, directory, lock),
                Err(fault) => return Err(fault),
            };
            // Who is faster at taking over an abandoned lock holds it now: then that one is waited for.
            let is_new = abandoned != Some(lock.epoch);
            if is_new && is_abandoned(&lock, waiting.claimant, home.now().await.ok()) {
                abandoned = Some(lock.epoch);
            } else if !waiting.goes_on(&lock).await {
                return Err(StoreFault::Locked { host, directory, lock });
            }
        };
        let step = Arc::new(Mutex::new(if waiting.router.is_some() { SWITCH } else { "lock" }.to_owned()));
        let (told, renewed) = watch::channel(taken);
        let renewing = tokio::spawn(renew(home.clone(), lock.clone(), Arc::clone(&step), told));
        Ok(Self { home: home.clone(), lock, step, renewed, renewing })
    }

    /// Whether the lock is still surely ours, while it is held.
    pub(crate) fn standing(&self) -> Standing {
        Standing::new(self.renewed.clone())
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

/// Renews again and again; tells when each renewal that worked was asked for, since its home counts from then or later.
async fn renew(home: Home, lock: HeldLock, step: Arc<Mutex<String>>, renewed: watch::Sender<Moment>) {
    let mut pause = RENEW;
    loop {
        sleep(pause).await;
        let step = step.lock().map(|step| step.clone()).unwrap_or_default();
        let asked = Moment::now();
        // One that hangs is given up, so that the next one finds a new connection.
        match timeout(RENEW, home.renew(&lock, &step)).await {
            Ok(Ok(())) => {
                renewed.send_replace(asked);
                pause = RENEW;
            }
            // Another one has it: there is nothing to renew.
            Ok(Err(StoreFault::Fenced { .. })) => return,
            Ok(Err(_)) | Err(_) => pause = RENEW_AGAIN,
        }
    }
}

/// That the lock is held, when it is by one who may be at work.
pub(crate) async fn occupied(home: &Home, lock: Lock, claimant: &Claimant) -> Option<StoreFault> {
    let is_free = lock.holder.is_none() || is_abandoned(&lock, claimant, home.now().await.ok());
    (!is_free).then(|| locked(home, lock))
}

fn locked(home: &Home, lock: Lock) -> StoreFault {
    let (host, directory) = (home.directory().host().clone(), home.directory().path().to_owned());
    StoreFault::Locked { host, directory, lock: Box::new(lock) }
}

/// A lock with the step that its holder is at by the journal: the lock itself is told of it now and then only.
pub(crate) fn at_step(lock: Lock, open: Option<&ReadJournal<Record>>) -> Lock {
    let held = |open: &&ReadJournal<Record>| {
        lock.holder.as_ref().is_some_and(|holder| holder.deployment == open.deployment)
    };
    let step = open.filter(held).and_then(|open| {
        let Some((_, Record::Planned { plan, .. })) = open.records.first() else { return None };
        open.records.iter().rev().find_map(|(_, record)| record.step(plan))
    });
    match step {
        Some(step) => Lock { step: step.to_string(), ..lock },
        None => lock,
    }
}

/// Why a lock's holder is not at work any more, as whoever only looks can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Its process was one of this place, and is not alive.
    Ended,
    /// It has given no sign of life for so long.
    Silent(Duration),
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended => f.write_str("its process is gone"),
            Self::Silent(time) => write!(f, "no sign of life for {}", time_words(*time)),
        }
    }
}

/// Whether a lock's holder is not at work any more; `now` is by the home's clock, `is_dead` what [`is_dead`] says of the holder.
pub(crate) fn gone(lock: &Lock, now: Timestamp, is_dead: bool) -> Option<Gone> {
    lock.holder.as_ref()?;
    let silent = silent(lock, now);
    if is_dead { Some(Gone::Ended) } else { (silent > LAPSED).then_some(Gone::Silent(silent)) }
}

/// A time in the one unit that says most.
pub(crate) fn time_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} m", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// Whether a lock's holder is gone: it lapsed, or was a process of this place that is not alive any more, or is what an earlier try of
/// ours has left that was broken off. Without the time, who knows whether it lapsed.
fn is_abandoned(lock: &Lock, claimant: &Claimant, now: Option<Timestamp>) -> bool {
    let Some(holder) = &lock.holder else { return true };
    *holder == claimant.holder
        || now.is_some_and(|now| silent(lock, now) > LAPSED)
        || is_dead(holder, claimant.place.as_deref(), claimant.is_alive)
}

/// How long the holder of a lock has given no sign of life; `now` is by the home's clock. A sign at a time that this clock has yet to
/// reach was given before it was put back: so far off counts the same, or nobody could take the lock until then.
pub(crate) fn silent(lock: &Lock, now: Timestamp) -> Duration {
    Duration::from_millis(now.0.abs_diff(lock.renewed_ms.max(lock.acquired_ms)))
}

/// Whether a holder was a process of this place that is not alive any more.
pub(crate) fn is_dead(holder: &LockHolder, place: Option<&str>, is_alive: fn(u32) -> bool) -> bool {
    process_here(holder, place).is_some_and(|pid| !is_alive(pid))
}

/// The number of a holder's process, when it is one of this place.
pub(crate) fn process_here(holder: &LockHolder, place: Option<&str>) -> Option<u32> {
    let (there, pid) = holder.process.as_deref()?.rsplit_once(' ')?;
    (Some(there) == place).then(|| pid.parse().ok())?
}

#[cfg(test)]
mod tests;
