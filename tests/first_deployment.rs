//! A fresh host gets its first release.

use test_support::{Behaviour, assert_golden, get};

use crate::local;

#[test]
fn a_plan_touches_nothing_and_a_deployment_does_what_it_says() {
    let Some(mut test) = local() else { return };
    test.set_up();
    test.repository.push("v1", Behaviour::Sound);
    assert_eq!(test.front_door("/").status, 503, "no colour gets requests yet");

    let plan = test.cutover(&["plan"]).expect(0);
    assert_golden("first-plan.txt", &test.normalise(&plan.stdout));
    assert!(!test.desk.outside("/srv/shop/releases").exists(), "the plan has brought something");
    assert!(get("127.0.0.1", test.ports().0, "/up").is_err(), "the plan has started something");

    let deployed = test.cutover(&["deploy", "-m", "the first"]).expect(0);
    assert_golden("first-deployment.txt", &test.normalise(&(deployed.stdout + &deployed.stderr)));
    assert_eq!(test.live(), "v1 blue");

    let status = test.cutover(&["status"]).expect(0);
    assert_golden("first-status.txt", &test.normalise(&status.stdout));
    let _ = test.cutover(&["status", "--check"]).expect(0);
    let history = test.cutover(&["history"]).expect(0);
    assert_golden("first-history.txt", &test.normalise(&history.stdout));
}

#[test]
fn a_first_deployment_that_fails_leaves_no_instance_and_no_routing() {
    let Some(mut test) = local() else { return };
    test.set_up();
    let failed = test.deploy("v1", Behaviour::FailsSmokeTest).expect(10);
    assert_golden("first-failed.txt", &test.normalise(&(failed.stdout + &failed.stderr)));
    assert_eq!(test.front_door("/").status, 503);
    assert!(get("127.0.0.1", test.ports().0, "/up").is_err(), "the failed release still runs");
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 blue");
}
