//! Caddy and its file matcher as the router.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use test_support::{Behaviour, Caddy, Tally, Test, assert_golden};

use crate::every_router::{assert_moved_is_adopted, assert_sick_is_switched_back};
use crate::{fleet, local};

/// A world whose front door is Caddy, set up by what `cutover setup` prints, with `v1` live.
pub(crate) fn with_v1(world: Option<Test>) -> Option<(Test, Caddy)> {
    let mut test = world?;
    let mut caddy = Caddy::new(test.scratch(), test.router())?;
    test.route_by("builtin:caddy", &caddy.settings(), caddy.port());
    test.set_up();
    caddy.start(test.router());
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v1 blue");
    Some((test, caddy))
}

/// What a person reads, with a name for Caddy's status port.
fn told(test: &Test, caddy: &Caddy, text: &str) -> String {
    test.normalise(text).replace(&caddy.status_port().to_string(), "STATUS")
}

#[test]
fn two_machines_are_switched_and_switched_back_under_load() {
    let Some((test, mut caddy)) = with_v1(fleet()) else { return };
    let load = test.load();
    let deployed = test.deploy("v2", Behaviour::Sound).expect(0);
    let of_old = |tally: &Tally| tally.answers.get(&("v1".to_owned(), "blue".to_owned())).copied();
    let after = of_old(&load.so_far());
    load.wait_for(100);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(of_old(&tally), after, "answers of the old colour after the end: {:?}", tally.answers);
    assert_golden("caddy-deployment.txt", &told(&test, &caddy, &(deployed.stdout + &deployed.stderr)));

    caddy.stop();
    caddy.start(test.router());
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);

    let load = test.load();
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_sick_release_is_switched_back() {
    let Some((mut test, _caddy)) = with_v1(local()) else { return };
    assert_sick_is_switched_back(&mut test);
}

#[test]
fn a_flag_that_somebody_has_removed_is_told_and_taken_over_when_asked() {
    let Some((test, caddy)) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    fs::remove_file(caddy.flags().join("green")).unwrap();
    assert_eq!(test.live(), "v1 blue");
    let status = test.cutover(&["status", "--check"]).expect(70);
    assert_golden("caddy-by-hand.txt", &told(&test, &caddy, &(status.stdout + &status.stderr)));
    assert_moved_is_adopted(&test);
}

#[test]
fn a_caddy_that_can_not_be_asked_says_why_and_nothing_is_changed() {
    let Some((test, mut caddy)) = with_v1(local()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut said = String::new();
    let mut refused = |caddy: &Caddy| {
        let failed = test.cutover(&["deploy"]).expect(11);
        said.push_str(&told(&test, caddy, &failed.stderr));
    };
    let good = fs::read_to_string(caddy.import()).unwrap();
    let green = format!("127.0.0.1:{}", test.ports().1);
    let other = good.replace(&green, &green.replace("127.0.0.1", "127.0.0.9"));
    let nothing = good.replace("http://cutover-shop:", "http://cutover-blog:");
    for bad in [other, nothing] {
        assert_ne!(bad, good);
        fs::write(caddy.import(), bad).unwrap();
        caddy.stop();
        caddy.start(test.router());
        refused(&caddy);
    }
    fs::write(caddy.import(), good).unwrap();
    caddy.stop();
    refused(&caddy);
    caddy.start(test.router());
    fs::set_permissions(caddy.flags(), fs::Permissions::from_mode(0o700)).unwrap();
    refused(&caddy);
    fs::set_permissions(caddy.flags(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_golden("caddy-refused.txt", &said);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
}
