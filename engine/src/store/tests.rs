//! Tests of the store as a whole, on hosts in memory.

use cutover_host::operation::{FaultKind, LockHolder};
use ulid::Ulid;

use super::fake_host::{FakeHost, MISHAPS, Mishap};
use super::*;
use crate::model::{Color, HistoryEntry, LiveRecord, LiveRelease, Name, Outcome, Release, Timestamp};

pub(super) const DEPLOYMENT: &str = "01HF00000000000000000000AA";
const OTHER: &str = "01HF00000000000000000000BB";
pub(super) const STATE: &str = "/var/lib/cutover/shop/default";

pub(super) fn app() -> Name {
    Name::new("shop").expect("a name")
}

pub(super) fn holder(who: &str) -> LockHolder {
    LockHolder {
        who: who.to_owned(),
        deployment: DEPLOYMENT.to_owned(),
        command: "deploy".to_owned(),
        process: None,
    }
}

pub(super) async fn home_of(host: &FakeHost, mishap: Option<(usize, Mishap)>) -> Result<Home, StoreFault> {
    let found = StateDirectory::find(host.link(mishap), &app(), None, &[]).await?;
    Ok(Home::new(found.directory))
}

pub(super) async fn home(host: &FakeHost) -> Home {
    home_of(host, None).await.expect("nothing goes wrong")
}

fn release(number: u64) -> Release {
    Release::for_tests(&format!("r{number}"), number)
}

pub(super) fn live(number: u64, color: Color) -> LiveRelease {
    LiveRelease { color, release: release(number), since: Timestamp(number), excluded: Vec::new() }
}

/// The record of a first deployment.
pub(super) fn first_live() -> LiveRecord {
    LiveRecord::following(None, live(1, Color::Blue), None)
}

pub(super) fn entry(deployment: &str, number: u64) -> HistoryEntry {
    HistoryEntry { deployment: deployment.to_owned(), ..HistoryEntry::for_tests(number, Outcome::Deployed) }
}

/// A first deployment up to its live record; its journal is open.
pub(super) async fn deploy(home: &Home) -> (HeldLock, Lineage) {
    let empty = home.read_all::<String>().await.expect("reads");
    assert_eq!((empty.live, empty.open, empty.history), (None, None, vec![]));
    assert_eq!(empty.lock.epoch, 0);
    let lock = home.take(holder("ann"), None).await.expect("free");
    let lineage = Lineage::new(Ulid(7));
    assert_eq!(home.settle_lineage(&lock, &[], lineage.clone()).await.as_ref(), Ok(&lineage));
    let mut journal =
        Journal::create(home, &lock, DEPLOYMENT, Timestamp(1), &"plan".to_owned()).await.expect("creates");
    journal.append(Timestamp(2), &"ended".to_owned()).await.expect("appends");
    home.renew(&lock, "finish").await.expect("still ours");
    home.set_live(&lock, first_live()).await.expect("first");
    (lock, lineage)
}

#[tokio::test]
async fn a_whole_deployment_leaves_these_files() {
    let host = FakeHost::new("lb1", true);
    let home = home(&host).await;
    let (lock, lineage) = deploy(&home).await;
    home.remember(&lock, Timestamp(3), &entry(DEPLOYMENT, 1)).await.expect("remembers");

    let all = home.read_all::<String>().await.expect("reads");
    assert_eq!(all.lock.holder, Some(holder("ann")));
    assert_eq!(all.lock.step, "finish");
    assert_eq!(
        all.open,
        Some(ReadJournal {
            deployment: DEPLOYMENT.to_owned(),
            records: vec![(Timestamp(1), "plan".to_owned()), (Timestamp(2), "ended".to_owned())],
            torn: None
        })
    );
    assert_eq!(next_release_number(&all.history, all.live.as_ref(), [5, u64::MAX]), 6);
    home.close(&lock, DEPLOYMENT).await.expect("closes");
    home.free(lock).await.expect("frees");

    let all = home.read_all::<String>().await.expect("reads");
    assert_eq!((all.open, all.lock.holder), (None, None));
    let membership = home.directory().read_membership().await.expect("reads");
    assert_eq!(membership, Some(Membership::home(lineage)));
    assert_eq!(all.history, [entry(DEPLOYMENT, 1)]);
    assert_eq!(all.live.map(|record| record.generation), Some(1));
    let names: Vec<String> = host.disk().files.keys().map(|path| path.replace(STATE, "")).collect();
    let journal = format!("/journal/{DEPLOYMENT}.jsonl");
    assert_eq!(names, ["/history.jsonl", &journal, "/lineage", "/live.json"]);
    assert_eq!(
        String::from_utf8_lossy(&host.disk().files[&format!("{STATE}/lineage")]),
        "{\"version\":1,\"lineage\":\"00000000000000000000000007\",\"home\":true}\n"
    );
}

#[tokio::test]
async fn an_existing_lineage_decides_the_directory() {
    let host = FakeHost::new("lb1", false);
    let user = "/home/deploy/.local/state/cutover/shop/default";
    assert_eq!(home(&host).await.directory().path(), user);
    let file = b"{\"version\":1,\"lineage\":\"00000000000000000000000007\"}\n".to_vec();
    host.disk().files.insert(format!("{STATE}/lineage"), file.clone());
    assert_eq!(home(&host).await.directory().path(), STATE);
    host.disk().files.insert(format!("{user}/lineage"), file);
    let fault = home_of(&host, None).await.expect_err("both");
    assert_eq!(fault.code(), "state/two-states");
    assert_eq!(
        fault.to_string(),
        format!("`lb1` has two states of this application: `{STATE}` and `{user}`")
    );
}

#[tokio::test]
async fn a_strange_lineage_is_never_guessed_over() {
    let (hub, web1, web2) =
        (FakeHost::new("lb1", true), FakeHost::new("web1", true), FakeHost::new("web2", true));
    let home = home(&hub).await;
    let lock = home.take(holder("ann"), None).await.expect("free");
    let mut hosts = vec![home.directory().clone()];
    for host in [&web1, &web2] {
        let found = StateDirectory::find(host.link(None), &app(), None, &[]).await.expect("finds");
        found.directory.fence(lock.epoch()).await.expect("fences");
        hosts.push(found.directory);
    }
    let path = format!("{STATE}/lineage");
    let file = b"{\"version\":1,\"lineage\":\"00000000000000000000000001\"}\n".to_vec();
    web2.disk().files.insert(path.clone(), file.clone());

    // The host knows a lineage, the home does not: nothing is written.
    let fault = home.settle_lineage(&lock, &hosts, Lineage::new(Ulid(7))).await.expect_err("strange");
    assert_eq!(
        fault.to_string(),
        "`web2` belongs to lineage `00000000000000000000000001`, and the home `lb1` does not keep its state"
    );
    assert_eq!(fault.code(), "state/lost");
    assert!(hub.disk().files.is_empty() && web1.disk().files.is_empty());

    // The home's own one; the new host joins.
    let of_home = b"{\"version\":1,\"lineage\":\"00000000000000000000000001\",\"home\":true}\n".to_vec();
    hub.disk().files.insert(path.clone(), of_home);
    let settled = home.settle_lineage(&lock, &hosts, Lineage::new(Ulid(7))).await;
    assert_eq!(settled, Ok(Lineage::new(Ulid(1))));
    assert_eq!(web1.disk().files[&path], file);

    // Another one than the home's.
    let other = b"{\"version\":1,\"lineage\":\"00000000000000000000000002\"}\n".to_vec();
    web1.disk().files.insert(path, other);
    let fault = home.settle_lineage(&lock, &hosts, Lineage::new(Ulid(7))).await.expect_err("strange");
    assert_eq!(
        fault.to_string(),
        "`web1` belongs to lineage `00000000000000000000000002` (/var/lib/cutover/shop/default/lineage), but the home \
         `lb1` to `00000000000000000000000001`"
    );
}

#[tokio::test]
async fn a_later_format_and_nonsense_are_told_apart() {
    let host = FakeHost::new("lb1", true);
    let home = home(&host).await;
    for (content, code) in [
        (&b"{\"version\":2,\"what\":[]}"[..], "state/newer-version"),
        (b"{\"version\":1}", "state/malformed"),
        (b"", "state/malformed"),
    ] {
        host.disk().files.insert(format!("{STATE}/live.json"), content.to_vec());
        assert_eq!(home.live().await.expect_err("unreadable").code(), code);
    }
    let escape = b"{\"version\":1,\"deployment\":\"../../etc/x\"}".to_vec();
    host.disk().files.insert(format!("{STATE}/open.json"), escape);
    let fault = home.open_journal::<String>().await.expect_err("no identifier");
    assert_eq!(
        fault.to_string(),
        format!("`{STATE}/open.json` on `lb1` makes no sense: `../../etc/x` is no deployment")
    );
    host.disk().locks.entry(STATE.to_owned()).or_default().version = 9;
    assert_eq!(home.read_lock().await.expect_err("newer").code(), "state/newer-version");
}

#[tokio::test]
async fn no_journal_is_begun_while_another_is_open() {
    let host = FakeHost::new("lb1", true);
    let home = home(&host).await;
    let lock = home.take(holder("ann"), None).await.expect("free");
    let first = "plan".to_owned();
    Journal::create(&home, &lock, DEPLOYMENT, Timestamp(1), &first).await.expect("creates");
    let fault = Journal::create(&home, &lock, OTHER, Timestamp(1), &first).await.expect_err("open");
    assert_eq!(
        fault.to_string(),
        format!("deployment `{DEPLOYMENT}` has not ended, says `{STATE}/open.json` on `lb1`")
    );
    assert_eq!(home.close(&lock, OTHER).await.expect_err("not that one").code(), "state/unfinished");
}

#[tokio::test]
async fn a_journal_broken_before_its_end_is_an_error() {
    let host = FakeHost::new("lb1", true);
    let home = home(&host).await;
    let lock = home.take(holder("ann"), None).await.expect("free");
    let mut journal =
        Journal::create(&home, &lock, DEPLOYMENT, Timestamp(1), &"a".to_owned()).await.expect("creates");
    journal.append(Timestamp(2), &"b".to_owned()).await.expect("appends");
    let path = format!("{STATE}/journal/{DEPLOYMENT}.jsonl");
    host.disk().files.get_mut(&path).expect("there")[20] ^= 1;
    let fault = home.open_journal::<String>().await.expect_err("broken");
    assert_eq!(fault.to_string(), format!("line 1 of `{path}` on `lb1` is damaged"));
    assert_eq!(fault.code(), "state/journal-broken");
}

#[tokio::test]
async fn after_a_failed_append_a_journal_must_be_read_again() {
    let host = FakeHost::new("lb1", true);
    let (a, b, c) = ("a".to_owned(), "b".to_owned(), "c".to_owned());
    let lock = home(&host).await.take(holder("ann"), None).await.expect("free");
    let mut journal =
        Journal::create(&home(&host).await, &lock, DEPLOYMENT, Timestamp(1), &a).await.expect("creates");

    // Three calls find the directory, one reads the journal.
    for (mishap, code, again) in [
        (Mishap::Refused(FaultKind::NoSpace), "state/refused", Err("state/uncertain")),
        (Mishap::DiesTorn, "state/unknown", Err("state/uncertain")),
        (Mishap::Unreachable, "state/unreachable", Ok(())),
    ] {
        let home = home_of(&host, Some((4, mishap))).await.expect("found");
        let (mut reopened, read) = Journal::reopen(&home, &lock, DEPLOYMENT).await.expect("reads");
        assert_eq!(read.records, [(Timestamp(1), a.clone())]);
        let fault = reopened.append(Timestamp(2), &b).await.expect_err("goes wrong");
        assert_eq!(fault.code(), code, "{mishap:?}");
        let result = reopened.append(Timestamp(3), &c).await.map_err(|fault| fault.code());
        assert_eq!(result, again, "{mishap:?}");
    }

    let read = home(&host).await.read_journal::<String>(DEPLOYMENT).await.expect("reads");
    assert_eq!((read.records, read.torn), (vec![(Timestamp(1), a), (Timestamp(3), c)], None));
    // The one that was opened first knows nothing of it, and puts nothing over it.
    assert_eq!(journal.append(Timestamp(4), &b).await.expect_err("stale").code(), "state/journal-broken");
}

#[tokio::test]
async fn records_that_are_appended_together_are_there_once_each() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for mishap in MISHAPS {
        let host = FakeHost::new("lb1", true);
        let lock = home(&host).await.take(holder("ann"), None).await.expect("free");
        let first = "a".to_owned();
        let _ = Journal::create(&home(&host).await, &lock, DEPLOYMENT, Timestamp(1), &first)
            .await
            .expect("creates");
        let home_of = home_of(&host, Some((4, mishap))).await.expect("found");
        let (mut journal, _) = Journal::<String>::reopen(&home_of, &lock, DEPLOYMENT).await.expect("reads");
        let mut wanted = words("a b c d");
        if journal.append_all(Timestamp(2), &wanted[1..]).await.is_ok() {
            journal.append(Timestamp(3), &"e".to_owned()).await.expect("appends");
            wanted.push("e".to_owned());
        }
        let read = home(&host).await.read_journal::<String>(DEPLOYMENT).await.expect("reads");
        let found: Vec<String> = read.records.into_iter().map(|(_, word)| word).collect();
        let whole = found == wanted;
        assert!(whole || wanted.len() == 4 && wanted.starts_with(&found), "{mishap:?}: {found:?}");
    }
}

#[tokio::test]
async fn the_live_record_is_changed_only_from_what_was_seen() {
    let host = FakeHost::new("lb1", true);
    let home = home(&host).await;
    let lock = home.take(holder("ann"), None).await.expect("free");
    let (one, two) = (live(1, Color::Blue), live(2, Color::Green));
    let first = home.set_live(&lock, LiveRecord::following(None, one.clone(), None)).await.expect("first");
    assert_eq!(home.set_live(&lock, LiveRecord::following(None, one.clone(), None)).await, Ok(first.clone()));
    let second =
        home.set_live(&lock, LiveRecord::following(Some(first), two.clone(), None)).await.expect("second");
    assert_eq!(second.generation, 2);
    let fault = home
        .set_live(&lock, LiveRecord { live: one, previous: None, ..second.clone() })
        .await
        .expect_err("seen too early");
    assert_eq!(fault.to_string(), "the live record on `lb1` has generation 2, not 1");
    assert_eq!(home.live().await, Ok(Some(second)));
}

#[tokio::test]
async fn a_held_lock_is_refused_taken_over_and_unlocked_by_its_epoch() {
    let host = FakeHost::new("lb1", true);
    let home = home(&host).await;
    let ann = home.take(holder("ann"), None).await.expect("free");
    let Err(StoreFault::Locked { lock, .. }) = home.take(holder("bob"), None).await else {
        panic!("it is held");
    };
    assert_eq!((lock.epoch, lock.holder), (1, Some(holder("ann"))));
    assert!(home.take(holder("bob"), Some(9)).await.is_err(), "another epoch");
    assert_eq!(home.unlock(9).await.expect_err("another epoch").code(), "state/not-held");

    let bob = home.take(holder("bob"), Some(1)).await.expect("taken over");
    assert_eq!(bob.epoch(), 2);
    assert_eq!(home.renew(&ann, "x").await.expect_err("lost").code(), "state/fenced");
    let fault = home.set_live(&ann, first_live()).await.expect_err("lost");
    assert_eq!(fault.code(), "state/fenced");
    assert_eq!(home.free(ann).await.expect_err("lost").code(), "state/fenced");

    home.unlock(2).await.expect("held under it");
    assert_eq!(home.renew(&bob, "x").await.expect_err("unlocked").code(), "state/fenced");
    let carol = home.take(holder("carol"), None).await.expect("free");
    home.free(carol).await.expect("ours");
}

#[test]
fn refusals_name_their_remedy() {
    let host = Name::new("lb1").expect("a name");
    let fault = StoreFault::Refused { host, kind: FaultKind::Permission, message: "no".to_owned() };
    assert_eq!(fault.hint().as_deref(), Some("what the host needs once is printed by: `cutover setup`"));
}

#[tokio::test]
async fn the_oldest_journals_of_ended_deployments_go() {
    let host = FakeHost::new("lb1", true);
    let home = home(&host).await;
    let lock = home.take(holder("ann"), None).await.expect("free");
    assert_eq!(home.forget_journals(&lock).await, Ok(()), "there are none yet");
    let names: Vec<String> =
        (0..journal::KEPT_JOURNALS as u64 + 3).map(|ms| Ulid::from_parts(ms, 1).to_string()).collect();
    for (number, name) in (0..).zip(&names) {
        Journal::create(&home, &lock, name, Timestamp(1), &"plan".to_owned()).await.expect("creates");
        // One whose end nobody remembers.
        if number != 1 {
            home.remember(&lock, Timestamp(2), &entry(name, number)).await.expect("remembers");
        }
        home.close(&lock, name).await.expect("closes");
    }
    for _ in 0..2 {
        home.forget_journals(&lock).await.expect("forgets");
        let mut left: Vec<String> = names.iter().map(|name| format!("{name}.jsonl")).collect();
        left.remove(2);
        left.remove(0);
        assert_eq!(home.directory().list("journal").await, Ok(left));
    }
    assert_eq!(home.history(usize::MAX).await.expect("reads").len(), names.len() - 1, "none of it is lost");
}
