//! The state in an object store.

use test_support::{Behaviour, ObjectStore, Test, assert_golden};

use crate::fleet;

/// A fleet whose state is in a bucket.
fn with_bucket() -> Option<(Test, ObjectStore)> {
    let mut test = fleet()?;
    let store = ObjectStore::start(test.scratch())?;
    test.configure("name = \"shop\"\n", &format!("name = \"shop\"\nstate = \"{}\"\n", store.url("deploy")));
    test.variables = store.variables();
    Some((test, store))
}

#[test]
fn keeps_lock_journal_and_history() {
    let Some((mut test, _store)) = with_bucket() else { return };
    test.set_up();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);

    test.repository.push("v3", Behaviour::Sound);
    test.configure("watch = \"2s\"", "watch = \"30s\"");
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("watch");
    let locked = test.cutover(&["deploy"]).expect(30);
    assert!(locked.stderr.contains("on `object-store` is held"), "{}", locked.stderr);
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

#[test]
fn one_that_ignores_conditions_is_refused_before_anything_is_changed() {
    let Some((mut test, store)) = with_bucket() else { return };
    test.set_up();
    test.variables = store.careless();
    let refused = test.deploy("v1", Behaviour::Sound).expect(11);
    assert_golden("bucket-without-conditions.txt", &test.normalise(&(refused.stdout + &refused.stderr)));
}

#[test]
fn one_that_does_not_answer_is_named() {
    let Some((mut test, _store)) = with_bucket() else { return };
    test.set_up();
    let nobody = test_support::Port::take();
    test.variables[0].1 = format!("http://127.0.0.1:{nobody}");
    for words in [&["doctor"][..], &["state", "show"], &["state", "move"], &["state", "recover"]] {
        let other = test.cutover(words).expect(50);
        assert!(other.stderr.contains("this command looks after states on hosts\n"), "{}", other.stderr);
    }
    let refused = test.deploy("v1", Behaviour::Sound).expect(11);
    assert_golden(
        "bucket-silent.txt",
        &test.normalise(&(refused.stdout + &refused.stderr)).replace(&nobody.to_string(), "PORT"),
    );
}
