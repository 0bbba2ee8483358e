//! The state in an object store, of each kind that there is a server for.

use test_support::{Behaviour, Dialect, Ended, ObjectStore, Test, assert_golden};

use crate::{fleet, with_v1};

/// Tests of each kind of store.
macro_rules! with_each {
    ($($test:ident),+ $(,)?) => {
        mod s3 {
            $(#[test] fn $test() { super::$test(test_support::Dialect::S3); })+
        }
        mod azure {
            $(#[test] fn $test() { super::$test(test_support::Dialect::Azure); })+
        }
    };
}

with_each!(
    keeps_lock_journal_and_history,
    one_that_ignores_conditions_is_refused_before_anything_is_changed,
    one_that_does_not_answer_is_named,
    the_state_is_brought_there_and_back,
    one_that_was_lost_is_rebuilt_from_the_hosts,
);

/// A fleet whose state is in a bucket.
fn with_bucket(dialect: Dialect) -> Option<(Test, ObjectStore)> {
    let mut test = fleet()?;
    let store = ObjectStore::start(dialect, test.scratch())?;
    test.configure("name = \"shop\"\n", &format!("name = \"shop\"\nstate = \"{}\"\n", store.url("deploy")));
    test.variables = store.variables();
    Some((test, store))
}

/// What a person reads, of whichever store.
fn told(test: &Test, store: &ObjectStore, ended: Ended) -> String {
    test.normalise(&(ended.stdout + &ended.stderr)).replace(&store.url("deploy"), "STORE")
}

fn keeps_lock_journal_and_history(dialect: Dialect) {
    let Some((mut test, _store)) = with_bucket(dialect) else { return };
    test.set_up();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);

    test.repository.push("v3", Behaviour::Sound);
    test.configure("watch = \"2s\"", "watch = \"30s\"");
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("watch");
    let locked = test.cutover(&["deploy"]).expect(30);
    assert!(locked.stderr.contains("on `object-store`"), "{}", locked.stderr);
    let _ = first.kill();
    test.configure("watch = \"30s\"", "watch = \"2s\"");
    let _ = test.cutover(&["resume"]).expect(10);
    let _ = test.cutover(&["rollback"]).expect(0);
    load.finish().assert_none_failed();
    assert_eq!(test.live(), "v1 blue");
    let history = test.cutover(&["history"]).expect(0);
    let ends = history.stdout.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    assert_eq!(ends.count(), 4, "{}", history.stdout);

    let kept = |host: &str| {
        let find = ["/var/lib/cutover", "-name", "*.json*"];
        let found =
            test.machine(host).command("find", std::path::Path::new("/")).args(find).output().unwrap();
        String::from_utf8(found.stdout).unwrap()
    };
    for host in ["web1", "web2", "lb1"] {
        assert!(!kept(host).contains("journal") && !kept(host).contains("lock.json"), "{}", kept(host));
    }
}

fn one_that_ignores_conditions_is_refused_before_anything_is_changed(dialect: Dialect) {
    let Some((mut test, store)) = with_bucket(dialect) else { return };
    test.set_up();
    test.variables = store.careless();
    let refused = test.deploy("v1", Behaviour::Sound).expect(11);
    assert_golden("bucket-without-conditions.txt", &told(&test, &store, refused));
}

fn one_that_does_not_answer_is_named(dialect: Dialect) {
    let Some((mut test, store)) = with_bucket(dialect) else { return };
    test.set_up();
    test.repository.push("v1", Behaviour::Sound);
    let (variables, nobody) = store.silent();
    test.variables = variables;
    let recover = test.cutover(&["state", "recover"]).expect(11);
    let told_of = |test: &Test, ended| told(test, &store, ended).replace(&nobody.to_string(), "PORT");
    assert_golden("bucket-silent-recover.txt", &told_of(&test, recover));
    let _ = test.cutover(&["doctor"]).expect(70).expect_text("object-store");
    let _ = test.cutover(&["state", "show"]).expect(0).expect_text("object-store");
    let refused = test.cutover(&["deploy"]).expect(11);
    assert_golden("bucket-silent.txt", &told_of(&test, refused));
}

fn the_state_is_brought_there_and_back(dialect: Dialect) {
    let Some(mut test) = with_v1(fleet()) else { return };
    let Some(store) = ObjectStore::start(dialect, test.scratch()) else { return };
    let on_a_host = test.config.clone();
    let url = store.url("deploy");
    test.configure("name = \"shop\"\n", &format!("name = \"shop\"\nstate = \"{url}\"\n"));
    test.variables = store.variables();
    let _ = test.cutover(&["deploy"]).expect(40).expect_text("`cutover state move`");
    let _ = test.cutover(&["state", "move"]).expect(0).expect_text("object-store");
    let _ = test.cutover(&["state", "move"]).expect(0);
    let _ = test.cutover(&["state", "show"]).expect(0).expect_text("object-store");
    let _ = test.cutover(&["doctor"]).expect(0);
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);

    let in_bucket = std::mem::replace(&mut test.config, on_a_host);
    let moved = test.cutover(&["deploy"]).expect(40);
    assert!(moved.stderr.contains("cutover state move --from URL"), "{moved:?}");
    let _ = test.cutover(&["state", "move", "--from", &url]).expect(0).expect_text("lb1");
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    let _ = test.cutover(&["doctor"]).expect(0);
    assert_eq!(test.live(), "v3 blue");
    let history = test.cutover(&["history", "--json"]).expect(0);
    assert_eq!(history.last_event()["entries"].as_array().map(Vec::len), Some(3), "{}", history.stdout);

    test.config = in_bucket;
    let _ = test.cutover(&["deploy"]).expect(40).expect_text("`cutover state move`");
}

fn one_that_was_lost_is_rebuilt_from_the_hosts(dialect: Dialect) {
    let Some((mut test, store)) = with_bucket(dialect) else { return };
    test.set_up();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    // What was there is not there any more.
    test.configure(&store.url("deploy"), &store.url("anew"));
    let lost = test.deploy("v3", Behaviour::Sound).expect(40);
    assert_golden("bucket-lost.txt", &told(&test, &store, lost));
    let recovered = test.cutover(&["state", "recover", "-y"]).expect(0);
    assert!((recovered.stdout + &recovered.stderr).contains("object-store"));
    let _ = test.cutover(&["status", "--check"]).expect(0);
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v3 green");
    let _ = test.cutover(&["doctor"]).expect(0);
}
