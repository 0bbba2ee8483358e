//! A release that fails its smoke test gets no traffic, and the old one is never touched.

use test_support::{Behaviour, assert_golden, get};

use crate::{local, with_v1};

#[test]
fn a_failed_smoke_test_leaves_the_old_color_untouched() {
    let Some(test) = with_v1(local()) else { return };
    let load = test.load();
    let failed = test.deploy("v2", Behaviour::FailsSmokeTest).expect(10);
    assert_golden("smoke-failed.txt", &test.normalise(&(failed.stdout + &failed.stderr)));
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(tally.order.len(), 1, "the failed release got a request: {:?}", tally.order);
    assert_eq!(test.live(), "v1 blue");
    assert!(get("127.0.0.1", test.ports().1, "/up").is_err(), "the failed release still runs");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_release_that_failed_can_be_tried_again_without_building() {
    let Some(mut test) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::FailsSmokeTest).expect(10);
    test.configure("path = \"/checkout\"", "path = \"/up\"");
    let deployed = test.cutover(&["deploy", "--release", "2", "--json"]).expect(0);
    let steps: Vec<String> = deployed
        .events()
        .iter()
        .filter(|event| event["event"] == "step-ended")
        .map(|event| format!("{} {}", event["step"].as_str().unwrap(), event["end"].as_str().unwrap()))
        .collect();
    assert!(!steps.iter().any(|step| step == "build ok"), "{steps:?}");
    assert_eq!(test.live(), "v2 green");
}
