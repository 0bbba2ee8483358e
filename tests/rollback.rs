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
