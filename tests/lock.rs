//! Of two deployments at once, one waits outside.

use test_support::Behaviour;

use crate::{local, with_v1};

#[test]
fn the_second_is_told_who_deploys() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"5s\"");
    test.repository.push("v2", Behaviour::Sound);
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("watch");
    let second = test.cutover(&["deploy"]).expect(30);
    assert!(second.stderr.contains("hint: "), "{}", second.stderr);
    let _ = first.finish().expect(0);
    assert_eq!(test.live(), "v2 green");
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
}

#[test]
fn waits_when_asked_to() {
    let Some(test) = with_v1(local()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("stage");
    test.repository.push("v3", Behaviour::Sound);
    let _ = test.cutover(&["deploy", "--lock-wait", "60s"]).expect(0);
    let _ = first.finish().expect(0);
    assert_eq!(test.live(), "v3 blue");
}
