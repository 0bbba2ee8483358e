//! A release that becomes sick under traffic is switched back by itself.

use test_support::{Behaviour, assert_golden};

use crate::{local, with_v1};

#[test]
fn a_sick_release_is_switched_back() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"60s\"");
    let load = test.load();
    let failed = test.deploy("v2", Behaviour::SickAfterVisits(1500)).expect(10);
    assert_eq!(test.live(), "v1 blue");
    load.wait_for(50);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(tally.order.len(), 2, "the new release got no request: {:?}", tally.order);
    assert_golden("watch-failed.txt", &test.normalise(&(failed.stdout + &failed.stderr)));
    let _ = test.cutover(&["status", "--check"]).expect(0);
}
