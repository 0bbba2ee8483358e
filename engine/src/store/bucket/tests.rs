//! The whole store over a bucket in memory.

use std::sync::Arc;

use cutover_host::operation::{FaultKind, LockHolder};
use futures_util::future::join_all;
use object_store::memory::InMemory;
use ulid::Ulid;

use super::objects::Objects;
use super::*;
use crate::model::{Name, Timestamp};
use crate::store::fake_host::FakeHost;
use crate::store::tests::{DEPLOYMENT, app, deploy, entry, first_live, holder, home_of};
use crate::store::{Home, Journal, Lineage, StateDirectory, StateSight, StoreFault};

/// A bucket in memory, and the home in it for one who deploys.
fn home(store: &Arc<InMemory>) -> Home {
    Home::new(StateDirectory::in_bucket(bucket(store), &app(), Some(&name("production"))))
}

fn bucket(store: &Arc<InMemory>) -> Arc<Bucket> {
    let objects = Objects::of(Arc::clone(store) as _, "deploy");
    Arc::new(Bucket { name: name("object-store"), objects, keeps_conditions: OnceCell::new() })
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

async fn names(store: &InMemory) -> Vec<String> {
    use futures_util::TryStreamExt as _;
    use object_store::ObjectStore as _;
    let found: Vec<_> = store.list(None).try_collect().await.expect("lists");
    let mut names: Vec<String> = found.into_iter().map(|meta| meta.location.to_string()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_whole_deployment_leaves_these_objects() {
    let store = Arc::new(InMemory::new());
    let home = home(&store);
    let (lock, _) = deploy(&home).await;
    for number in 1..=3 {
        let entry = entry(&format!("01HF00000000000000000000A{number}"), number);
        home.remember(&lock, Timestamp(3), &entry).await.expect("remembers");
    }

    let open = home.open_journal::<String>().await.expect("reads").expect("is open");
    let told: Vec<_> = open.records.iter().map(|(_, record)| record.as_str()).collect();
    assert_eq!(told, ["plan", "ended"]);
    home.close(&lock, DEPLOYMENT).await.expect("closes");
    home.free(lock).await.expect("ours");
    let state = home.read_all::<String>().await.expect("reads");
    assert_eq!((state.open, state.history.len()), (None, 3));
    assert_eq!(state.live.map(|live| live.generation), Some(1));
    assert_eq!((state.lock.epoch, state.lock.holder), (2, None));

    let names = names(&store).await;
    let below: Vec<_> =
        names.iter().map(|name| name.strip_prefix("deploy/shop/production/").expect("ours")).collect();
    let journal = format!("journal/{DEPLOYMENT}.jsonl");
    assert_eq!(below[0], "conditions");
    assert_eq!(below[1], "history.jsonl");
    assert_eq!(below[2], format!("{journal}/00000000000000000000"));
    assert!(below[3].starts_with(&format!("{journal}/0000000000000000")), "{below:?}");
    assert_eq!(below[4..], ["lineage", "live.json", "lock.json", "open.json"]);
}

#[tokio::test]
async fn of_many_who_take_the_lock_at_once_one_has_it() {
    let store = Arc::new(InMemory::new());
    let homes: Vec<_> = (0..16).map(|who| (home(&store), format!("ann pid {who}"))).collect();
    let taken = join_all(homes.iter().map(|(home, who)| home.take(holder(who), None))).await;
    let held: Vec<_> = taken.iter().filter_map(|taken| taken.as_ref().ok()).collect();
    assert_eq!(held.len(), 1, "{taken:?}");
    assert!(
        taken.iter().filter_map(|taken| taken.as_ref().err()).all(|fault| fault.code() == "state/locked"),
        "{taken:?}"
    );
}

#[tokio::test]
async fn whoever_was_overtaken_changes_nothing() {
    let store = Arc::new(InMemory::new());
    let (ann, bob) = (home(&store), home(&store));
    let sleeper = ann.take(holder("ann"), None).await.expect("free");
    let mut journal =
        Journal::create(&ann, &sleeper, DEPLOYMENT, Timestamp(1), &"plan".to_owned()).await.expect("creates");
    let lock = bob.take(holder("bob"), Some(sleeper.epoch())).await.expect("stolen");

    let fenced = |result: Result<(), StoreFault>| {
        assert!(matches!(result, Err(StoreFault::Fenced { .. })), "{result:?}");
    };
    fenced(journal.append(Timestamp(2), &"late".to_owned()).await);
    fenced(ann.set_live(&sleeper, first_live()).await.map(drop));
    fenced(ann.remember(&sleeper, Timestamp(2), &entry(DEPLOYMENT, 1)).await);
    fenced(ann.close(&sleeper, DEPLOYMENT).await);
    fenced(ann.renew(&sleeper, "late").await);
    fenced(ann.free(sleeper).await);

    let (mut journal, read) =
        Journal::<String>::reopen(&bob, &lock, DEPLOYMENT).await.expect("goes on from what was there");
    assert_eq!(read.records.len(), 1);
    journal.append(Timestamp(3), &"recovered".to_owned()).await.expect("appends");
}

#[tokio::test]
async fn a_place_in_a_journal_is_taken_once() {
    let store = Arc::new(InMemory::new());
    let objects = Objects::of(store as _, "");
    let path = "shop/default/journal/01.jsonl";
    assert!(journal::append(&objects, path, 0, b"first\n".to_vec()).await.is_ok());
    let late = journal::append(&objects, path, 0, b"other\n".to_vec()).await;
    assert!(is_fault(&late, FaultKind::Conflict), "{late:?}");
    assert!(journal::append(&objects, path, 6, b"second\n".to_vec()).await.is_ok());
    assert_eq!(journal::read(&objects, path, 100).await, Ok(b"first\nsecond\n".to_vec()));
    assert!(is_fault(&journal::read(&objects, path, 10).await, FaultKind::TooLarge));

    assert!(journal::append(&objects, path, 20, b"after a hole\n".to_vec()).await.is_ok());
    assert_eq!(journal::read(&objects, path, 100).await, Ok(b"first\nsecond\nafter a hole\n".to_vec()));
    // Overtaken after the first one that goes, which is the last line.
    let left = std::cell::Cell::new(1);
    let may = || {
        let may = if left.replace(0) == 0 { Err(fault(FaultKind::Fenced, "overtaken")) } else { Ok(()) };
        std::future::ready(may)
    };
    assert!(is_fault(&journal::remove(&objects, path, may).await, FaultKind::Fenced));
    assert_eq!(journal::read(&objects, path, 100).await, Ok(b"first\nsecond\n".to_vec()));
    journal::remove(&objects, path, || std::future::ready(Ok(()))).await.expect("removes");
    assert!(is_fault(&journal::read(&objects, path, 100).await, FaultKind::NotFound));
}

#[tokio::test]
async fn a_journal_with_a_hole_is_broken_and_can_be_set_aside() {
    let store = Arc::new(InMemory::new());
    let home = home(&store);
    let (lock, _) = deploy(&home).await;
    let (mut journal, _) = Journal::<String>::reopen(&home, &lock, DEPLOYMENT).await.expect("is open");
    journal.append(Timestamp(4), &"once more".to_owned()).await.expect("appends");
    let objects = Objects::of(Arc::clone(&store) as _, "deploy/shop/production");
    let path = format!("journal/{DEPLOYMENT}.jsonl");
    let lines = objects.list(&path).await.expect("lists");
    let [_, (second, _), _] = lines.as_slice() else { panic!("three lines: {lines:?}") };
    objects.remove(&format!("{path}/{second}")).await.expect("removes");

    let broken = home.open_journal::<String>().await.expect_err("a line is missing");
    assert_eq!(broken.code(), "state/journal-broken", "{broken}");
    home.set_aside(&lock, &path).await.expect("all that is left");
    assert!(names(&store).await.iter().any(|name| name.contains(&format!("{DEPLOYMENT}.jsonl.aside-"))));
}

fn is_fault<T>(result: &Result<T, Failure>, kind: FaultKind) -> bool {
    matches!(result, Err(Failure::Fault(fault)) if fault.kind == kind)
}

#[tokio::test]
async fn it_does_nothing_that_a_host_does() {
    let store = Arc::new(InMemory::new());
    let bucket = Bucket {
        name: name("object-store"),
        objects: Objects::of(store as _, ""),
        keeps_conditions: OnceCell::new(),
    };
    let ask = |guard, operation: Operation| bucket.perform(operation.call().under(guard));
    let path = "shop/default/live.json".to_owned();
    let write = Operation::Write { path, beneath: None, content: Vec::new().into(), mode: None };
    assert!(is_fault(&ask(None, write).await, FaultKind::NotAllowed));
    assert!(is_fault(
        &ask(None, Operation::Reap { state: "s".into(), epoch: 1 }).await,
        FaultKind::NotAllowed
    ));
    let nobody =
        LockHolder { who: String::new(), deployment: String::new(), command: String::new(), process: None };
    let take = Operation::TakeLock { state: "shop/default".into(), holder: nobody, steal: Some(9) };
    assert!(ask(None, take).await.is_ok(), "a free lock is taken by whoever comes");
}

/// As `state move` does: under the old home's lock, every place fenced.
async fn bring(from: &Home, to: &Home) -> Result<(), StoreFault> {
    let lock = from.take(holder("mover"), None).await?;
    to.directory().fence(lock.epoch()).await?;
    from.copy_to(to, &lock).await?;
    from.give_to(&lock, to.directory().host()).await?;
    to.arrive(from).await
}

#[tokio::test]
async fn the_state_comes_and_goes_whole() {
    let host = FakeHost::new("lb1", true);
    let on_host = home_of(&host, None).await.expect("found");
    let store = Arc::new(InMemory::new());
    let in_bucket = home(&store);
    let lock = on_host.take(holder("ann"), None).await.expect("free");
    on_host.settle_lineage(&lock, &[], Lineage::new(Ulid(7))).await.expect("settles");
    let mut journal = Journal::create(&on_host, &lock, DEPLOYMENT, Timestamp(1), &"plan".to_owned())
        .await
        .expect("creates");
    journal.append(Timestamp(2), &"ended".to_owned()).await.expect("appends");
    on_host.set_live(&lock, first_live()).await.expect("first");
    on_host.remember(&lock, Timestamp(3), &entry(DEPLOYMENT, 1)).await.expect("remembers");
    on_host.close(&lock, DEPLOYMENT).await.expect("closes");
    on_host.free(lock).await.expect("frees");
    let before = on_host.read_all::<String>().await.expect("reads");

    for (from, to) in [(&on_host, &in_bucket), (&in_bucket, &on_host), (&on_host, &in_bucket)] {
        bring(from, to).await.expect("moves");
        to.arrive(from).await.expect("changes nothing");
        let refused = from.take(holder("bob"), None).await.expect_err("nobody takes the lock there");
        assert_eq!(refused.code(), "state/moved", "{refused}");
        let state = to.read_all::<String>().await.expect("reads");
        assert_eq!((&state.live, &state.history), (&before.live, &before.history));
        let read = to.read_journal::<String>(DEPLOYMENT).await.expect("reads");
        assert_eq!(read.records.len(), 2);
        let next = to.take(holder("next"), None).await.expect("whoever brought it holds nothing there");
        to.free(next).await.expect("frees");
    }
    let (app, environment) = (app(), name("production"));
    let looked = StateSight::<String>::look_in_bucket(bucket(&store), &app, Some(&environment)).await;
    let [sight] = &looked.expect("looks")[..] else { panic!("one state") };
    assert_eq!(sight.fence, sight.lock.as_ref().map(|lock| lock.epoch).map_err(Clone::clone));
    assert_eq!(sight.membership.as_ref().map(|own| own.as_ref().map(|own| own.home)), Ok(Some(true)));
}

#[tokio::test]
async fn a_raised_epoch_frees_the_lock_and_shuts_its_holder_out() {
    let store = Arc::new(InMemory::new());
    let home = home(&store);
    let lock = home.take(holder("ann"), None).await.expect("free");
    home.directory().fence(lock.epoch()).await.expect("it is at that");
    home.renew(&lock, "stage").await.expect("still ours");
    home.directory().fence(9).await.expect("raises");
    assert!(matches!(home.renew(&lock, "late").await, Err(StoreFault::Fenced { .. })));
    assert!(matches!(home.directory().fence(3).await, Err(StoreFault::Fenced { .. })));
    assert_eq!(home.take(holder("bob"), None).await.map(|lock| lock.epoch()), Ok(10));
}

#[tokio::test]
async fn no_version_comes_back() {
    let store = Arc::new(InMemory::new());
    let objects = Objects::of(Arc::clone(&store) as _, "");
    let path = "shop/default/open.json";
    let seen = async || objects.get(path, 100).await.expect("reads").expect("is there");
    let raw = async || {
        use object_store::ObjectStoreExt as _;
        let found = store.get(&object_store::path::Path::from(path)).await.expect("is there");
        found.bytes().await.expect("reads").to_vec()
    };
    assert_eq!(objects.put(path, Vec::new(), None).await, Ok(true));
    let removed = (seen().await, raw().await);
    assert_eq!(removed.0.content, b"");
    assert_eq!(objects.names("shop/default").await, Ok(Vec::new()), "what was removed is not there");
    for content in [&b"{}\n"[..], b""] {
        let over = Some(seen().await.version);
        assert_eq!(objects.put(path, content.to_vec(), over).await, Ok(true));
        assert_eq!(seen().await.content, content);
    }
    assert_ne!(raw().await, removed.1, "a store that names versions by content names this one anew");
    assert_eq!(objects.put(path, b"late".to_vec(), Some(removed.0.version)).await, Ok(false));

    // One that an earlier build has written goes on.
    let old = object_store::path::Path::from("shop/default/live.json");
    object_store::ObjectStoreExt::put(store.as_ref(), &old, b"{\"version\":1}\n".to_vec().into())
        .await
        .expect("writes");
    let found = objects.get("shop/default/live.json", 100).await.expect("reads").expect("is there");
    assert_eq!(found.content, b"{\"version\":1}\n");
}

#[tokio::test]
async fn what_can_not_be_read_is_set_aside() {
    let store = Arc::new(InMemory::new());
    let home = home(&store);
    let (lock, _) = deploy(&home).await;
    let journal = format!("journal/{DEPLOYMENT}.jsonl");
    for file in [journal.as_str(), "open.json", "live.json", "never.json"] {
        for _ in 0..2 {
            home.set_aside(&lock, file).await.expect("done again, it is done");
        }
    }
    let state = home.read_all::<String>().await.expect("reads");
    assert_eq!((state.open, state.live), (None, None));
    let below = names(&store).await;
    let aside: Vec<_> = below.iter().filter(|name| name.contains(".aside-1")).collect();
    let lines = aside.iter().filter(|name| name.contains("/journal/")).count();
    assert_eq!((lines, aside.len()), (2, 4), "{below:?}");
    assert!(!below.iter().any(|name| name.contains(&format!("{journal}/"))), "{below:?}");

    let later = home.take(holder("bob"), Some(lock.epoch())).await.expect("stolen");
    let late = home.set_aside(&lock, "lineage").await;
    assert!(matches!(late, Err(StoreFault::Fenced { .. })), "{late:?}");
    home.free(later).await.expect("ours");
}
