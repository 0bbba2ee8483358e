//! A deploy user who is not root, on hosts that `cutover setup` has made ready.

use test_support::{Behaviour, Test};

use crate::with_v1;

fn world() -> Option<Test> {
    Test::fleet_as(env!("CARGO_BIN_EXE_cutover"), "deploy")
}

#[test]
fn what_is_missing_is_told_and_setup_makes_it() {
    let Some(mut test) = world() else { return };
    let missing = test.cutover(&["check", "--hosts"]);
    assert_ne!(missing.status, 0);
    let text = missing.stdout + &missing.stderr;
    assert!(text.contains("/srv/shop") && text.contains("cutover setup"), "{text}");
    test.set_up();
    let _ = test.cutover(&["check", "--hosts"]).expect(0);
}

#[test]
fn deploys_and_rolls_back_without_root() {
    let Some(test) = with_v1(world()) else { return };
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let who = test.cutover(&["exec", "--live", "--", "id", "-un"]).expect(0);
    assert_eq!(who.stdout, "deploy\n");
}
