//! Who gets the lock, and who waits for it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_host::operation::{Answer, Call, Facts, Fault, FaultKind, Lock, LockHolder, Operation};
use tokio::sync::watch;

use super::{Claimant, Lease, Waiting, is_abandoned};
use crate::model::{HostName, Name, Timestamp};
use crate::run::execute::deaf::Deaf;
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::reporter::Reporter;
use crate::store::{Home, StateDirectory, StoreFault};
use crate::transport::{Failure, Flow, Link, LinkFuture};

fn held(epoch: u64, who: &str) -> Lock {
    let process = who.split_once('@').map(|(_, process)| process.replace(" pid", ""));
    let holder = LockHolder { who: who.into(), deployment: "d".into(), command: "deploy".into(), process };
    Lock { version: 1, epoch, holder: Some(holder), ..Lock::default() }
}

fn claimant() -> Claimant {
    Claimant {
        holder: LockHolder {
            who: "me@here pid 2".into(),
            deployment: "d".into(),
            command: "resume".into(),
            process: Some("here 2".into()),
        },
        place: Some("here".into()),
        is_alive: |pid| pid == 1,
    }
}

/// A home that is nothing but its lock.
#[derive(Debug)]
struct LockAlone {
    name: HostName,
    has_clock: bool,
    lock: Mutex<Lock>,
    /// What others make of the lock before each try to take it; the last comes first.
    others: Mutex<Vec<Lock>>,
}

impl Link for LockAlone {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn perform(&self, call: Call) -> LinkFuture<'_, Answer> {
        let mut lock = self.lock.lock().expect("no test panicked");
        let fault = |kind| Err(Failure::Fault(Fault::new(kind, "no")));
        #[expect(clippy::wildcard_enum_match_arm, reason = "a lock hears no others")]
        let answer = match call.operation {
            Operation::Facts { paths } if paths.is_empty() && !self.has_clock => {
                Err(Failure::Broken("the connection broke".into()))
            }
            Operation::Facts { .. } => {
                Ok(Answer::Facts(Facts { home: "/home/me".into(), ..Facts::default() }))
            }
            Operation::ReadLock { .. } => Ok(Answer::Lock(lock.clone())),
            Operation::TakeLock { holder, steal, .. } => {
                if let Some(other) = self.others.lock().expect("no test panicked").pop() {
                    *lock = other;
                }
                if lock.holder.is_some() && steal != Some(lock.epoch) {
                    fault(FaultKind::Held)
                } else {
                    *lock = Lock { epoch: lock.epoch + 1, holder: Some(holder), ..lock.clone() };
                    Ok(Answer::Lock(lock.clone()))
                }
            }
            _ => fault(FaultKind::NotFound),
        };
        Box::pin(std::future::ready(answer))
    }

    fn open(&self, _: Call) -> LinkFuture<'_, Flow> {
        Box::pin(std::future::ready(Err(Failure::Broken("it has no streams".into()))))
    }
}

async fn home(has_clock: bool, lock: Lock, others: Vec<Lock>) -> (Arc<LockAlone>, Home) {
    let name = Name::new("lb1").expect("a name");
    let host =
        LockAlone { name: name.clone(), has_clock, lock: Mutex::new(lock), others: Mutex::new(others) };
    let host = Arc::new(host);
    let found = StateDirectory::find(Arc::clone(&host) as Arc<dyn Link>, &name, None, &[]).await;
    (host, Home::new(found.expect("found").directory))
}

fn reporter() -> Reporter {
    Reporter::new(Arc::new(Deaf), Arc::new(Deaf))
}

#[test]
fn only_a_holder_that_is_gone_loses_its_lock() {
    let claimant = claimant();
    let lock = |who: &str, renewed_ms| Lock { renewed_ms, ..held(1, who) };
    let now = Some(Timestamp(100_000));
    assert!(!is_abandoned(&lock("a@here pid 1", 90_000), &claimant, now), "it is alive");
    assert!(is_abandoned(&lock("a@here pid 7", 90_000), &claimant, now), "it is dead");
    assert!(!is_abandoned(&lock("a@there pid 7", 90_000), &claimant, now), "who knows, over there");
    assert!(is_abandoned(&lock("a@there pid 7", 39_000), &claimant, now), "it lapsed");
    assert!(!is_abandoned(&lock("a@there pid 7", 40_000), &claimant, now), "not yet");
    assert!(
        !is_abandoned(&lock("a@there pid 7", 160_000), &claimant, now),
        "clocks are read at their own moments"
    );
    assert!(is_abandoned(&lock("a@there pid 7", 86_500_000), &claimant, now), "the clock was put back a day");
    assert!(!is_abandoned(&lock("a@there pid 7", 0), &claimant, None), "nobody knows what time it is");
}

#[tokio::test]
async fn whoever_was_faster_at_an_abandoned_lock_is_waited_for() {
    let free = Lock { holder: None, ..held(4, "") };
    // At the third try the one that was faster has freed it.
    let others = vec![free, held(3, "b@there pid 1"), held(2, "a@here pid 7")];
    // A clock that can't be read does not end the wait either.
    let (_, home) = home(false, held(2, "a@here pid 7"), others).await;
    let (claimant, reporter) = (claimant(), reporter());
    let (_signals, interrupts) = watch::channel(Interrupts::default());
    let waiting = Waiting::new(&claimant, Duration::from_secs(3600), &reporter, interrupts);
    let lease = Lease::take(&home, waiting).await.expect("taken");
    assert_eq!(lease.lock().epoch(), 5);
}

#[tokio::test]
async fn who_only_waits_takes_nothing_over() {
    let (claimant, reporter) = (claimant(), reporter());
    let (_signals, interrupts) = watch::channel(Interrupts::default());
    let pass = async |home: &Home| {
        let waiting = Waiting::new(&claimant, Duration::ZERO, &reporter, interrupts.clone());
        waiting.pass(home).await
    };
    let (host, abandoned) = home(true, held(2, "a@here pid 7"), Vec::new()).await;
    assert_eq!(pass(&abandoned).await, Ok(()));
    assert_eq!(*host.lock.lock().expect("no test panicked"), held(2, "a@here pid 7"));
    let (_, alive) = home(true, held(2, "a@here pid 1"), Vec::new()).await;
    assert!(matches!(pass(&alive).await, Err(StoreFault::Locked { .. })));
}
