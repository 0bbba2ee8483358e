//! Exhaustive tests of lock and journal: every order of two clients, and everything that goes wrong at every call.

use std::sync::Arc;

use ulid::Ulid;

use super::fake_host::{FakeHost, FakeLink, MISHAPS, Mishap};
use super::tests::{DEPLOYMENT, STATE, app, entry, holder, home, home_of, live};
use super::*;
use crate::model::{Color, LiveRecord, Timestamp};

/// The records of a deployment; the last one is its end.
const WORK: [&str; 5] = ["plan", "started", "done", "pivot", "ended"];

/// Whatever goes wrong while the lock is taken or freed, what we are told is so.
#[tokio::test]
async fn the_lock_is_as_told_whatever_goes_wrong() {
    for mishap in MISHAPS {
        for at in 0..8 {
            let host = FakeHost::new("lb1", true);
            // The first three calls find the directory.
            let home = home_of(&host, Some((at + 3, mishap))).await.expect("found");
            let case = format!("{mishap:?} at {at}");
            let Ok(lock) = home.take(holder("ann"), None).await else {
                assert!(!is_passing(mishap), "{case}");
                continue;
            };
            let held = host.disk().locks[STATE].clone();
            assert_eq!((held.holder, held.epoch), (Some(holder("ann")), lock.epoch()), "{case}");
            assert_eq!(host.disk().fences[STATE], lock.epoch(), "{case}");
            if home.free(lock).await.is_ok() {
                assert_eq!(host.disk().locks[STATE].holder, None, "{case}");
            }
        }
    }
}

/// Two clients do all there is in every order, five deep: nobody changes anything but the one who has the lock.
#[tokio::test]
async fn only_the_holder_of_the_lock_can_change_anything() {
    let host = FakeHost::new("lb1", true);
    let mut path = Vec::new();
    let mut seen = 0;
    interleave(&host, [None, None], None, &mut path, &mut seen).await;
    assert_eq!(seen, (1..=5).map(|depth| 10_usize.pow(depth)).sum::<usize>());
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Take,
    Steal,
    Free,
    Unlock,
    Change,
}

fn interleave<'a>(
    host: &'a FakeHost,
    locks: [Option<HeldLock>; 2],
    holds: Option<usize>,
    path: &'a mut Vec<(usize, Move)>,
    seen: &'a mut usize,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async move {
        if path.len() == 5 {
            return;
        }
        for client in 0..2 {
            for step in [Move::Take, Move::Steal, Move::Free, Move::Unlock, Move::Change] {
                *seen += 1;
                path.push((client, step));
                let host = host.fork();
                let home = home(&host).await;
                let mut locks = locks.clone();
                let mut holds = holds;
                let epoch = host.disk().locks.get(STATE).map_or(0, |lock| lock.epoch);
                let me = holder(["ann", "bob"][client]);
                match step {
                    Move::Take | Move::Steal => {
                        let steal = matches!(step, Move::Steal).then_some(epoch);
                        let taken = home.take(me, steal).await;
                        assert_eq!(taken.is_ok(), holds.is_none() || steal.is_some(), "{path:?}");
                        if let Ok(lock) = taken {
                            assert!(lock.epoch() > epoch, "{path:?}");
                            locks[client] = Some(lock);
                            holds = Some(client);
                        }
                    }
                    Move::Free => {
                        if let Some(lock) = locks[client].take() {
                            let freed = home.free(lock).await;
                            assert_eq!(freed.is_ok(), holds == Some(client), "{path:?}");
                            holds = holds.filter(|holder| *holder != client);
                        }
                    }
                    Move::Unlock => {
                        assert_eq!(home.unlock(epoch).await.is_ok(), holds.is_some(), "{path:?}");
                        holds = None;
                    }
                    Move::Change => {
                        if let Some(lock) = &locks[client] {
                            let seen = home.live().await.expect("reads").map_or(0, |live| live.generation);
                            let wanted = LiveRecord {
                                generation: seen + 1,
                                live: live(seen, Color::Blue),
                                previous: None,
                                maintenance: None,
                            };
                            let changed = home.set_live(lock, wanted).await;
                            assert_eq!(changed.is_ok(), holds == Some(client), "{path:?}");
                        }
                    }
                }
                interleave(&host, locks, holds, path, seen).await;
                path.pop();
            }
        }
    })
}

/// What one process does: takes the lock (over, if it is held), goes on where the journal ends, ends, frees.
/// `kept` counts the records that any process was told are kept.
async fn session(
    host: &FakeHost,
    who: &str,
    mishap: Option<(usize, Mishap)>,
    kept: &mut usize,
) -> (Result<(), StoreFault>, usize) {
    let link = host.link(mishap);
    let result = work(Arc::clone(&link), who, kept).await;
    (result, link.calls())
}

async fn work(link: Arc<FakeLink>, who: &str, kept: &mut usize) -> Result<(), StoreFault> {
    let found = StateDirectory::find(link, &app(), None, &[]).await?;
    let home = Home::new(found.directory);
    let now = home.read_lock().await?;
    let lock = home.take(holder(who), now.holder.is_some().then_some(now.epoch)).await?;
    home.settle_lineage(&lock, &[], Lineage::new(Ulid(7))).await?;
    let open = home.open_journal::<String>().await?;
    let ended = home.history(9).await?.iter().any(|entry| entry.deployment == DEPLOYMENT);
    if open.is_some() || !ended {
        let at = Timestamp(1);
        let mut next = open.map_or(0, |journal| journal.records.len());
        let mut journal = if next == 0 {
            next = 1;
            Journal::create(&home, &lock, DEPLOYMENT, at, &WORK[0].to_owned()).await?
        } else {
            let (journal, read) = Journal::<String>::reopen(&home, &lock, DEPLOYMENT).await?;
            let records: Vec<&str> = read.records.iter().map(|(_, word)| word.as_str()).collect();
            assert_eq!(records, WORK[..next], "a record twice, or another one");
            assert!(next >= *kept, "a record that was kept is gone");
            journal
        };
        *kept = next.max(*kept);
        for word in &WORK[next..] {
            journal.append(at, &(*word).to_owned()).await?;
            *kept += 1;
        }
        home.remember(&lock, at, &entry(DEPLOYMENT, 1)).await?;
        home.close(&lock, DEPLOYMENT).await?;
    }
    home.free(lock).await
}

async fn check_end(host: &FakeHost, case: &str) {
    let home = home(host).await;
    let journal = home.read_journal::<String>(DEPLOYMENT).await.expect(case);
    let records: Vec<&str> = journal.records.iter().map(|(_, word)| word.as_str()).collect();
    assert_eq!(records, WORK, "{case}");
    let all = home.read_all::<String>().await.expect(case);
    assert_eq!((all.open, all.lock.holder, all.history.len()), (None, None, 1), "{case}");
}

/// Everything goes wrong at every call of one process and again at every call of the process that recovers; a third one
/// always comes to the end, with no record lost or twice, and one line of history.
#[tokio::test]
async fn a_deployment_reaches_its_end_whatever_goes_wrong_twice() {
    let clean = FakeHost::new("lb1", true);
    let (result, calls) = session(&clean, "ann", None, &mut 0).await;
    assert_eq!(result, Ok(()));
    check_end(&clean, "nothing went wrong").await;

    for first in cases(calls) {
        let host = FakeHost::new("lb1", true);
        let mut kept = 0;
        let (result, _) = session(&host, "ann", Some(first), &mut kept).await;
        let case = format!("{first:?}");
        if is_passing(first.1) {
            assert_eq!(result, Ok(()), "{case}: one broken connection is no reason to stop");
        }
        if result.is_ok() {
            check_end(&host, &case).await;
        }
        let (_, calls) = session(&host.fork(), "bob", None, &mut kept.clone()).await;
        for second in cases(calls) {
            let (host, mut kept) = (host.fork(), kept);
            let case = format!("{first:?}, {second:?}");
            let (_, _) = session(&host, "bob", Some(second), &mut kept).await;
            let (result, _) = session(&host, "carol", None, &mut kept).await;
            assert_eq!(result, Ok(()), "{case}");
            check_end(&host, &case).await;
        }
    }
}

/// A connection that breaks once, on a host and with a process that go on.
const fn is_passing(mishap: Mishap) -> bool {
    matches!(mishap, Mishap::BreaksBefore | Mishap::BreaksAfter | Mishap::BreaksLate(_) | Mishap::Torn)
}

fn cases(calls: usize) -> impl Iterator<Item = (usize, Mishap)> {
    (0..calls).flat_map(|at| MISHAPS.into_iter().map(move |mishap| (at, mishap)))
}
