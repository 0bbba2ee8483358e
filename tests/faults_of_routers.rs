//! Routers that can't switch, or do not show what the record says.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use test_support::Behaviour;

use crate::{local, with_v1};

#[test]
fn nginx_that_does_not_run() {
    let Some(mut test) = with_v1(local()) else { return };
    test.nginx.stop();
    let failed = test.deploy("v2", Behaviour::Sound).expect(11);
    assert!(failed.stderr.contains("nginx") || failed.stderr.contains("router"), "{}", failed.stderr);
    test.start_nginx();
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn flags_that_the_workers_can_not_see() {
    let Some(test) = with_v1(local()) else { return };
    fs::set_permissions(test.nginx.flags(), fs::Permissions::from_mode(0o700)).unwrap();
    let failed = test.deploy("v2", Behaviour::Sound);
    assert!([10, 11, 40].contains(&failed.status), "{failed:?}");
    let text = failed.stdout + &failed.stderr;
    assert!(text.contains("hint: "), "{text}");
    fs::set_permissions(test.nginx.flags(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_router_that_somebody_has_switched_by_hand() {
    let Some(test) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    fs::remove_file(test.nginx.flags().join("green")).unwrap();
    assert_eq!(test.live(), "v1 blue");
    let status = test.cutover(&["status", "--check"]).expect(70);
    assert!((status.stdout + &status.stderr).contains("blue"));
    let refused = test.deploy("v3", Behaviour::Sound);
    assert!([11, 40].contains(&refused.status), "{refused:?}");
    assert!((refused.stdout + &refused.stderr).contains("--adopt"));
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["deploy", "--adopt"]).expect(0).expect_text(" · live: blue, release 1\n");
    assert_eq!(test.live(), "v3 green");
}
