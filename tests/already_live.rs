//! What is live already is deployed again only for a reason.

use std::fs;

use test_support::{Behaviour, Ended, Test, assert_golden};

use crate::{local, with_v1};

fn releases(test: &Test) -> usize {
    let found = fs::read_dir(test.desk.outside("/srv/shop/releases")).unwrap();
    found.flatten().filter(|entry| entry.path().is_dir()).count()
}

/// A deployment that goes on although the revision is live, and what it says of that.
fn again(test: &Test, args: &[&str], because: &str) -> Ended {
    let revision = test.repository.git(&["rev-parse", "HEAD"]);
    let note = format!("main {} is live already, as release", &revision[..7]);
    test.cutover(args).expect(0).expect_text(&note).expect_text(&format!("; deployed again, {because}"))
}

#[test]
fn a_revision_that_is_live_is_not_copied() {
    let Some(mut test) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    // As somebody does who forgot to push.
    test.repository.write("app/forgotten", b"");
    let told = test.cutover(&["deploy"]).expect(0);
    assert_golden("already-live.txt", &test.normalise(&(told.stdout + &told.stderr)));
    assert_eq!((test.live().as_str(), releases(&test)), ("v2 green", 2));
    let told = test.cutover(&["deploy", "--json"]).expect(0).last_event();
    assert_eq!((&told["outcome"], &told["exit_code"]), (&"nothing-changed".into(), &0.into()), "{told}");
    let _ = test
        .cutover(&["plan"])
        .expect(0)
        .expect_text("`cutover deploy --again` does what follows all the same");
    let history = test.cutover(&["history", "--json"]).expect(0).last_event();
    assert_eq!(history["entries"].as_array().unwrap().len(), 2, "{history:#}");

    // What only judges a deployment changes nothing of what is live.
    test.configure("watch = \"2s\"", "watch = \"1s\"");
    let _ = test.cutover(&["deploy"]).expect(0).expect_text("nothing to do");
    let _ = again(&test, &["deploy", "--again"], "as asked");
    assert_eq!((test.live().as_str(), releases(&test)), ("v2 blue", 3));
    test.configure("stop-timeout = \"2s\"", "stop-timeout = \"3s\"\nenv = { DEBUG = \"1\" }");
    let _ = again(&test, &["deploy"], "since `app.env`, `app.stop-timeout` changed");
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["deploy"]).expect(0).expect_text("nothing to do");
    // The one before is live as it was deployed, and that was by another configuration.
    let _ = test.cutover(&["rollback"]).expect(0);
    let _ = again(&test, &["deploy"], "since `app.env`, `app.stop-timeout` changed");
}

#[test]
fn a_revision_that_is_live_and_does_not_run_is_deployed() {
    let Some(test) = with_v1(local()) else { return };
    let kill = "for file in /proc/[0-9]*/cmdline; do \
                if tr '\\0' ' ' < $file | grep -q '[b]in/shop .*--port PORT'; then id=${file#/proc/}; kill -9 ${id%/*}; fi; done";
    let kill = kill.replace("PORT", &test.ports().0.to_string());
    let _ = test.cutover(&["exec", "--", "sh", "-c", &kill]);
    test.wait_until_stopped(test.ports().0);
    let _ = again(&test, &["deploy"], "since it does not run on local");
    assert_eq!(test.live(), "v1 green");
}
