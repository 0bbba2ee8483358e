//! Deployments and rollbacks under load lose no request.

use test_support::Behaviour;

use crate::{fleet, local, with_v1};

#[test]
fn no_request_is_lost_on_one_machine() {
    let Some(test) = with_v1(local()) else { return };
    let load = test.load();
    for (version, live) in [("v2", "v2 green"), ("v3", "v3 blue")] {
        let _ = test.deploy(version, Behaviour::Sound).expect(0);
        assert_eq!(test.live(), live);
    }
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    load.wait_for(50);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(tally.order.len(), 3, "{:?}", tally.order);
}

#[test]
fn no_request_is_lost_on_two_machines_behind_a_third() {
    let Some(test) = with_v1(fleet()) else { return };
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
    load.wait_for(50);
    let tally = load.finish();
    tally.assert_none_failed();
    let colors: Vec<&str> = tally.order.iter().map(|(_, color)| color.as_str()).collect();
    assert_eq!(colors, ["blue", "green"]);
}
