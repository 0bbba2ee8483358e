//! The way back to an older release.

use std::time::Instant;

use test_support::{Behaviour, get};

use crate::{local, with_v1};

#[test]
fn a_warm_color_is_back_within_seconds() {
    let Some(test) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert!(get("127.0.0.1", test.ports().0, "/up").is_ok(), "the old colour is not kept warm");
    let visits = get("127.0.0.1", test.ports().0, "/").unwrap();
    let load = test.load();
    let begun = Instant::now();
    let back = test.cutover(&["rollback", "--json"]).expect(0);
    let _ = begun.elapsed();
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let after = get("127.0.0.1", test.ports().0, "/").unwrap();
    assert_eq!(visits.header("x-release"), after.header("x-release"), "another process answers");
    assert!(!back.stdout.contains("\"step\":\"build\",\"end\":\"ok\""), "{}", back.stdout);
}

#[test]
fn a_release_is_named_by_its_number() {
    let Some(test) = with_v1(local()) else { return };
    for version in ["v2", "v3"] {
        let _ = test.deploy(version, Behaviour::Sound).expect(0);
    }
    let _ = test.cutover(&["rollback", "--to", "1"]).expect(0);
    assert_eq!(test.live(), "v1 green");
    let _ = test.cutover(&["rollback", "--to", "77"]).expect(11).expect_text("77");
    assert_eq!(test.live(), "v1 green");
}

#[test]
fn a_second_rollback_goes_on_backward() {
    let Some(test) = with_v1(local()) else { return };
    for version in ["v2", "v3"] {
        let _ = test.deploy(version, Behaviour::Sound).expect(0);
    }
    let _ = test.deploy("v4", Behaviour::FailsSmokeTest).expect(10);
    for back in ["v2 green", "v1 blue"] {
        let _ = test.cutover(&["rollback"]).expect(0);
        assert_eq!(test.live(), back);
    }
    let nothing = "nothing older than the live release 1 was ever live";
    let _ = test.cutover(&["rollback"]).expect(11).expect_text(nothing);
    let note = "release 4 was never live: each deployment of it was put back";
    let _ = test.cutover(&["rollback", "--to", "4", "--dry-run"]).expect(0).expect_text(note);
    let forward = test.cutover(&["rollback", "--to", "3"]).expect(0);
    assert!(!forward.stdout.contains("never live"), "{}", forward.stdout);
    // What is kept warm is older again.
    assert!(forward.stdout.contains("kept warm: `cutover rollback`"), "{}", forward.stdout);
}
