//! Hosts that are strange from the first word on, or run out of something: each ends clearly, with nothing lost and nothing left.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use test_support::{Behaviour, Ended, Machine, Test, assert_golden};

use crate::{fleet, with_v1};

fn run(machine: &Machine, words: &[&str]) {
    let ran = machine.command(words[0], Path::new("/")).args(&words[1..]).output().unwrap();
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// Names in a directory of a machine, in order.
fn names(machine: &Machine, directory: &str) -> Vec<String> {
    let ran = machine.command("ls", Path::new("/")).args(["-A", directory]).output().unwrap();
    assert!(ran.status.success(), "{directory}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Puts a script in the place of a program of a machine.
fn replace_program(test: &Test, host: &str, program: &str, script: &str) {
    let file = test.scratch().write(format!("{host}-{}", program.replace('/', "-")), script);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    run(test.machine(host), &["mount", "--bind", file.to_str().unwrap(), program]);
}

fn compare(test: &Test, name: &str, ended: &Ended) {
    let mut text = test.normalise(&format!("{}{}", ended.stdout, ended.stderr));
    // The part of a release is named after its deployment.
    for token in text.clone().split(".partial-").skip(1).map(|rest| &rest[..26]) {
        text = text.replace(token, "DEPLOYMENT");
    }
    assert_golden(name, &text);
}

/// Deploys onto a file system that is too small, which is mounted where releases lie on web1.
fn too_small(options: &str, golden: &str) {
    let Some(test) = with_v1(fleet()) else { return };
    let load = test.load();
    run(test.machine("web1"), &["mount", "-t", "tmpfs", "-o", options, "tmpfs", "/srv/shop/releases"]);
    let failed = test.deploy("v2", Behaviour::Sound).expect(11);
    compare(&test, golden, &failed);
    assert_eq!(names(test.machine("web1"), "/srv/shop/releases"), Vec::<String>::new(), "no part is left");
    assert_eq!(names(test.machine("web2"), "/srv/shop/releases").len() % 3, 0, "whole releases only");
    run(test.machine("web1"), &["umount", "/srv/shop/releases"]);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["status", "--check"]).expect(0);
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    load.finish().assert_none_failed();
}

#[test]
fn a_host_whose_disk_fills_up() {
    too_small("size=256k", "host-disk-fills-up.txt");
}

#[test]
fn a_host_without_inodes() {
    too_small("size=64m,nr_inodes=6", "host-without-inodes.txt");
}

/// The state's files are refused one after the other: so many pages of 4 KiB are left at their home when a deployment begins.
#[test]
fn a_home_whose_disk_fills_up() {
    let Some(test) = with_v1(fleet()) else { return };
    let on_home = |script: &str| run(test.machine("lb1"), &["sh", "-euc", script, "/var/lib/cutover/shop"]);
    on_home("cp -a \"$0\" /root/state; mount -t tmpfs -o size=1m tmpfs \"$0\"; cp -a /root/state/. \"$0\"");
    let load = test.load();
    let mut ends = BTreeSet::new();
    for pages in [0, 1, 2, 4, 8] {
        let before = test.live();
        on_home(&format!(
            "dd if=/dev/zero of=\"$0/filler\" bs=4k 2>/dev/null || true; truncate -s -$((4096 * {pages})) \"$0/filler\""
        ));
        let ended = test.deploy(&format!("with-{pages}"), Behaviour::Sound);
        ends.insert(ended.status);
        if ended.status != 0 {
            assert!(ended.stderr.contains("no space left on device"), "{ended:?}");
        }
        on_home("rm \"$0/filler\"");
        let resumed = test.cutover(&["resume"]);
        assert!([0, 10, 11].contains(&resumed.status), "{pages}: {ended:?}, {resumed:?}");
        assert!(
            [before, format!("with-{pages}")].iter().any(|live| test.live().starts_with(live)),
            "{pages}"
        );
        let _ = test.cutover(&["status", "--check"]).expect(0);
    }
    assert!(ends.len() > 1, "it always ended alike: {ends:?}");
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    load.finish().assert_none_failed();
}

#[test]
fn a_host_of_a_foreign_architecture() {
    let Some(test) = with_v1(fleet()) else { return };
    replace_program(
        &test,
        "web2",
        "/usr/bin/uname",
        "#!/bin/sh\ncase $1 in -s) echo Linux ;; *) echo riscv64 ;; esac\n",
    );
    let failed = test.deploy("v2", Behaviour::Sound).expect(11);
    compare(&test, "host-foreign-architecture.txt", &failed);
    assert_eq!(test.live(), "v1 blue");
    let checked = test.cutover(&["check", "--hosts"]);
    assert_ne!(checked.status, 0);
    assert!(checked.stdout.contains("riscv64"), "{checked:?}");
}

#[test]
fn a_host_that_answers_nonsense() {
    let Some(test) = with_v1(fleet()) else { return };
    let key = fs::read_to_string(test.desk.outside("/root/.ssh/id_ed25519.pub")).unwrap();
    test.hosts[0]
        .1
        .authorize(&format!("command=\"echo; echo cutover-helper-1; echo what; yes no | head -n 9\" {key}"));
    let failed = test.deploy("v2", Behaviour::Sound).expect(11);
    compare(&test, "host-answers-nonsense.txt", &failed);
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_host_that_says_it_is_ready_and_speaks_no_frames() {
    let Some(test) = with_v1(fleet()) else { return };
    let key = fs::read_to_string(test.desk.outside("/root/.ssh/id_ed25519.pub")).unwrap();
    let words = "echo; echo cutover-helper-1; echo Linux x86_64; echo start; head -c 100000 /dev/zero";
    test.hosts[0].1.authorize(&format!("command=\"{words}\" {key}"));
    let failed = test.deploy("v2", Behaviour::Sound).expect(11);
    compare(&test, "host-speaks-no-frames.txt", &failed);
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn instances_that_the_router_can_not_reach() {
    // One host: here the loopback address is one and the same for all of them, and two programs can't both have a port of it.
    let Some(mut test) = Test::fleet_of(env!("CARGO_BIN_EXE_cutover"), "root", 1) else { return };
    test.configure("listen = \"{address}\"", "listen = \"127.0.0.1\"");
    test.set_up();
    let failed = test.deploy("v1", Behaviour::Sound).expect(10);
    compare(&test, "router-reaches-no-instance.txt", &failed);
    assert_eq!(test.front_door("/").status, 503, "no colour is routed to");
}
