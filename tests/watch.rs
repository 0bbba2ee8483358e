//! A release that becomes sick under traffic is switched back by itself.

use test_support::{Behaviour, assert_golden};

use crate::{fleet, local, with_v1};

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

#[test]
fn whoever_looks_during_a_watch_is_told_of_it_and_not_of_drift() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.configure("watch = \"2s\"", "watch = \"60s\"");
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    let said = |words: &[&str], exit: i32| {
        let ended = test.cutover(words).expect(exit);
        test.normalise(&(ended.stdout + &ended.stderr))
    };
    assert_golden("status-under-watch.txt", &said(&["status", "--check"], 0));
    assert_golden("doctor-under-watch.txt", &said(&["doctor"], 0));
    let says = ["--", "sh", "-c", "echo $CUTOVER_COLOR; grep version behaviour"];
    assert_eq!(said(&[&["exec", "--live"], &says[..]].concat(), 0), "green\nversion = v2\n");
    assert_eq!(said(&[&["exec", "--idle"], &says[..]].concat(), 0), "blue\nversion = v1\n");

    let _ = running.kill();
    assert_golden("status-after-kill.txt", &said(&["status", "--check"], 70));
    let _ = test.cutover(&["resume", "--forward"]).expect(0);
    assert_eq!(test.live(), "v2 green");
}
