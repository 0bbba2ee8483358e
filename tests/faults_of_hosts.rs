//! Hosts without room, that may not run programs, that talk at login, that go away in the middle.

use std::fs;
use std::path::Path;

use test_support::{Behaviour, Machine, Test};

use crate::{fleet, with_v1};

fn run(machine: &Machine, words: &[&str]) {
    let ran = machine.command(words[0], Path::new("/")).args(&words[1..]).output().unwrap();
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// Fails before anything is changed, and says where and why.
fn fails_on_web1(test: &Test, words: &[&str]) {
    let failed = test.deploy("v2", Behaviour::Sound);
    assert!([10, 11].contains(&failed.status), "{failed:?}");
    let text = failed.stdout + &failed.stderr;
    for word in [&["web1", "hint: "], words].concat() {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_host_without_room() {
    let Some(test) = with_v1(fleet()) else { return };
    run(test.machine("web1"), &["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/srv/shop/releases"]);
    fails_on_web1(&test, &["no space left on device"]);
    run(test.machine("web1"), &["umount", "/srv/shop/releases"]);
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
}

#[test]
fn a_home_that_programs_may_not_run_from() {
    let Some(test) = with_v1(fleet()) else { return };
    run(test.machine("web1"), &["mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", "/root/.cache"]);
    fails_on_web1(&test, &["helper-directory"]);
}

#[test]
fn a_login_that_talks_is_no_nonsense() {
    let Some(test) = with_v1(fleet()) else { return };
    fs::write(test.machine("web1").outside("/root/.bashrc"), "echo Welcome to web1; echo careful! >&2\n")
        .unwrap();
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn a_connection_that_breaks_while_the_release_is_sent() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("stage");
    test.hosts[0].1.stop();
    run(&test.hosts[0].0, &["pkill", "-KILL", "sshd"]);
    let ended = running.finish();
    assert!([10, 11, 21, 40].contains(&ended.status), "{ended:?}");
    assert_eq!(test.live(), "v1 blue");
    let (machine, sshd) = &mut test.hosts[0];
    sshd.restart(machine);
    let _ = test.cutover(&["resume"]);
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    load.finish().assert_none_failed();
}
