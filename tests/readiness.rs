//! What can be known beforehand is refused beforehand: nothing is built, and nothing was changed.

use std::fs;
use std::path::Path;

use test_support::{Behaviour, Test, assert_golden};

use crate::{local, with_v1};

/// What is refused, and how `check --hosts` tells of it.
fn compare(test: &Test, name: &str, refused: &[&str]) {
    let mut told = String::new();
    for command in [refused, &["check", "--hosts"]] {
        let ended = test.cutover(command).expect(11);
        // Rooms of file systems and digests of hooks differ from one machine and build to the next.
        let steady =
            |line: &&str| !line.contains("  room ") && !line.contains(" free") && !line.contains("  hook ");
        let text = test.normalise(&format!("{}{}", ended.stdout, ended.stderr));
        let lines: Vec<&str> = text.lines().filter(steady).collect();
        told.push_str(&format!("$ cutover {}\n{}\n", command.join(" "), lines.join("\n")));
    }
    assert_golden(name, &told);
}

#[test]
fn a_front_door_that_leads_elsewhere() {
    let Some(mut test) = with_v1(local()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let config = fs::read_to_string(test.nginx.config()).unwrap();
    let (before, _) = config.split_once("location / {").unwrap();
    test.nginx.stop();
    fs::write(test.nginx.config(), format!("{before}location / {{ return 200 \"It works!\"; }}\n  }}\n}}\n"))
        .unwrap();
    test.start_nginx();
    compare(&test, "front-door-elsewhere.txt", &["deploy"]);
    let plan = test.cutover(&["plan"]).expect(11);
    assert!(
        plan.stdout.contains("into green") && plan.stdout.contains("error[deploy/front-door]"),
        "{plan:?}"
    );
    test.nginx.stop();
    fs::write(test.nginx.config(), config).unwrap();
    test.start_nginx();
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["check", "--hosts"]).expect(0);
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn a_live_colour_that_is_sick_keeps_nobody_from_mending_it() {
    let Some(mut test) = local() else { return };
    test.set_up();
    let _ = test.deploy("v1", Behaviour::SickAfterVisits(40)).expect(0);
    for _ in 0..50 {
        let _ = test.front_door("/");
    }
    assert_ne!(test.front_door("/up").status, 200, "it became sick");
    let deployed = test.deploy("v2", Behaviour::Sound).expect(0);
    assert!(deployed.stdout.contains("blue itself is not healthy"), "{}", deployed.stdout);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn flags_that_the_deploy_user_can_not_write() {
    let Some(mut test) = Test::fleet_as(env!("CARGO_BIN_EXE_cutover"), "deploy") else { return };
    test.set_up();
    test.repository.push("v1", Behaviour::Sound);
    let flags = test.nginx.flags().display().to_string();
    let chown = |owner: &str| {
        let ran =
            test.machine("lb1").command("chown", Path::new("/")).args([owner, &flags]).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    chown("root");
    compare(&test, "flags-not-writable.txt", &["deploy"]);
    chown("deploy");
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_port_that_somebody_else_holds() {
    let Some(mut test) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    // The warm colour of the old place holds the port of the new one.
    test.configure("directory = \"/srv/shop\"", "directory = \"/srv/other\"");
    compare(&test, "port-taken.txt", &["deploy"]);
    assert!(!test.desk.outside("/srv/other").exists(), "something was made");
    test.configure("directory = \"/srv/other\"", "directory = \"/srv/shop\"");
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["rollback", "--dry-run"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    // What runs as green listens where it did, and another where it will have to.
    let door = test.config.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next());
    let (green, door) = (test.ports().1, door.unwrap().to_owned());
    test.configure(&format!("green = {{ port = {green} }}"), &format!("green = {{ port = {door} }}"));
    let _ = test
        .cutover(&["check", "--hosts"])
        .expect(11)
        .expect_text(&format!("{door} is for green, and nginx"));
}

#[test]
fn a_check_tells_that_there_is_nothing_to_build_from() {
    let Some(mut test) = local() else { return };
    test.configure(&format!("repository = \"{}\"\n", test.repository.url()), "");
    let checked = test.cutover(&["check"]).expect(0);
    assert!(!(checked.stdout + &checked.stderr).contains("source/none"));
    let _ = test.repository.git(&["remote", "remove", "origin"]);
    let _ = test.cutover(&["check"]).expect(0).expect_text("warning[source/none]");
}

#[test]
fn an_application_directory_that_can_not_be() {
    let Some(mut test) = local() else { return };
    test.set_up();
    test.repository.push("v1", Behaviour::Sound);
    fs::write(test.desk.outside("/srv/file"), "").unwrap();
    test.configure("directory = \"/srv/shop\"", "directory = \"/srv/file/shop\"");
    compare(&test, "directory-below-a-file.txt", &["deploy"]);
}

#[test]
fn a_router_that_does_not_run_hides_no_plan() {
    let Some(mut test) = local() else { return };
    test.set_up();
    test.repository.push("v1", Behaviour::Sound);
    test.nginx.stop();
    let plan = test.cutover(&["plan"]).expect(11);
    assert_golden("plan-without-router.txt", &test.normalise(&(plan.stdout + &plan.stderr)));
}
