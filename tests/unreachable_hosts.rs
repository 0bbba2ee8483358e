//! Hosts that can't be reached, or that may not be who they say.

use test_support::{Behaviour, Sshd};

use crate::{fleet, with_v1};

#[test]
fn a_changed_host_key_is_refused() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let (machine, sshd) = &mut test.hosts[1];
    sshd.change_host_key(machine);
    let refused = test.deploy("v2", Behaviour::Sound).expect(60);
    assert!(refused.stderr.contains("web2") && refused.stderr.contains("key"), "{}", refused.stderr);
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_host_that_is_down_changes_nothing() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.hosts[0].1.stop();
    let failed = test.deploy("v2", Behaviour::Sound).expect(11);
    assert!(failed.stderr.contains("web1"), "{}", failed.stderr);
    assert_eq!(test.live(), "v1 blue");
    let (machine, sshd) = &mut test.hosts[0];
    sshd.restart(machine);
    let _ = test.cutover(&["deploy"]).expect(0);
}

#[test]
fn a_login_that_is_refused_is_told_from_a_host_that_is_down() {
    let Some(test) = fleet() else { return };
    let other = Sshd::make_key(&test.scratch().join("other-key"));
    test.hosts[0].1.authorize(&other);
    let failed = test.cutover(&["check", "--hosts"]);
    assert_ne!(failed.status, 0);
    let text = failed.stdout + &failed.stderr;
    assert!(text.contains("web1") && text.contains("ermission denied"), "{text}");
}
