//! What holds behind each router alike; the tests of each bring the router.

use test_support::{Behaviour, Test};

/// Where `v1` is live on blue: a release that becomes sick under traffic is switched back.
pub(crate) fn assert_sick_is_switched_back(test: &mut Test) {
    test.configure("watch = \"2s\"", "watch = \"60s\"");
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::SickAfterVisits(1000)).expect(10);
    assert_eq!(test.live(), "v1 blue");
    load.wait_for(50);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(tally.order.len(), 2, "the new release got no request: {:?}", tally.order);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

/// Where somebody has moved the traffic back to blue by hand: a deployment is refused, until it is told to take that over.
pub(crate) fn assert_moved_is_adopted(test: &Test) {
    let refused = test.deploy("v3", Behaviour::Sound);
    assert!([11, 40].contains(&refused.status), "{refused:?}");
    assert!((refused.stdout + &refused.stderr).contains("--adopt"));
    let _ = test.cutover(&["deploy", "--adopt"]).expect(0);
    assert_eq!(test.live(), "v3 green");
}

/// Where `v1` is live on blue: in maintenance nobody is served, and afterwards everybody.
pub(crate) fn assert_closes_and_opens(test: &Test) {
    let _ = test.cutover(&["maintenance", "on"]).expect(0);
    assert_eq!(test.front_door("/").status, 503);
    let _ = test.cutover(&["maintenance", "off"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
}
