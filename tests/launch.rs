//! A release is started as it was deployed, whatever `cutover.toml` says by now.

use std::fs;

use test_support::{Behaviour, Test, get};

use crate::{local, with_v1};

const START: &str = "start = [\"bin/shop\", \"--listen\", \"{listen}\", \"--port\", \"{port}\"]";

/// Command lines of the processes that listen on a port, as they were started.
fn words(test: &Test, port: u16) -> Vec<String> {
    let list = "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $file; echo; done";
    let ended = test.cutover(&["exec", "--", "sh", "-c", list]).expect(0);
    let is_it = |line: &&str| line.contains("bin/shop ") && line.contains(&format!("--port {port}"));
    ended.stdout.lines().filter(is_it).map(|line| line.trim_end().to_owned()).collect()
}

fn greeting(test: &Test) -> String {
    test.cutover(&["exec", "--", "printenv", "GREETING"]).expect(0).stdout
}

#[test]
fn what_was_warm_is_warm_again_by_its_own_words() {
    let Some(mut test) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let warm = words(&test, test.ports().0);
    let visits = get("127.0.0.1", test.ports().0, "/").unwrap();
    // What starts v3 is wrong for v1 too: without a port it ends at once.
    test.configure(START, "start = [\"bin/shop\"]");
    let again = format!("release 1 warm again on :{}", test.ports().0);
    let _ = test.deploy("v3", Behaviour::Sound).expect(10).expect_text(&again);
    assert_eq!(words(&test, test.ports().0), warm);
    let after = get("127.0.0.1", test.ports().0, "/").unwrap();
    assert_eq!(visits.header("x-release"), after.header("x-release"));
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_warm_release_that_does_not_come_back_is_told_of() {
    let Some(test) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let release = get("127.0.0.1", test.ports().0, "/").unwrap().header("x-release").to_owned();
    let file = test.desk.outside(&format!("/srv/shop/releases/{release}/behaviour"));
    fs::write(file, Behaviour::ExitsAtOnce.file("v1")).unwrap();
    let failed = test.deploy("v3", Behaviour::ExitsAtOnce).expect(10);
    let text = test.normalise(&(failed.stdout + &failed.stderr));
    let told = |start: &str| text.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or(&text);
    assert_eq!(
        told("undo"),
        "undo  local  warning  blue stopped; local: release 1 started again on :BLUE, not yet healthy: ended by itself: exit status 3; release 3 kept"
    );
    assert_eq!(
        told("idle"),
        "  idle  blue, release 1, started again, not healthy on local: 127.0.0.1:BLUE from `local`: connection refused"
    );
    assert_eq!(told("traffic"), "  traffic  green, release 2, healthy on local; never touched");
}

#[test]
fn a_rollback_starts_a_release_as_it_was_deployed() {
    let Some(mut test) = local() else { return };
    test.configure(START, &format!("{START}\nenv = {{ GREETING = \"one {{color}}\" }}"));
    test.configure("watch = \"2s\"", "watch = \"2s\"\nretire = \"stop\"");
    let Some(mut test) = with_v1(Some(test)) else { return };
    let new = START.replace("\"{port}\"]", "\"{port}\", \"--new\"]");
    test.configure(START, &new).configure("GREETING = \"one", "GREETING = \"two");
    for version in ["v2", "v3"] {
        let _ = test.deploy(version, Behaviour::Sound).expect(0);
    }
    assert_eq!(greeting(&test), "two blue\n");
    assert!(words(&test, test.ports().0)[0].ends_with(" --new"));
    // It was never green before.
    let note = "starts as release 1 was deployed: `env`, `start` differ from cutover.toml";
    let _ = test.cutover(&["rollback", "--to", "1", "--dry-run"]).expect(0).expect_text(note);
    let _ = test.cutover(&["rollback", "--to", "1"]).expect(0).expect_text(note);
    assert_eq!(test.live(), "v1 green");
    assert_eq!(greeting(&test), "one green\n");
    assert!(!words(&test, test.ports().1)[0].contains("--new"));
    // To deploy it is another thing: with the configuration of now.
    let _ = test.cutover(&["rollback", "--to", "3"]).expect(0);
    let _ = test.cutover(&["deploy", "--release", "1"]).expect(0);
    assert_eq!(greeting(&test), "two green\n");
}

/// Files that tell how releases are started.
fn kept(test: &Test) -> Vec<String> {
    let entries = fs::read_dir(test.desk.outside("/srv/shop/env")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn words_that_do_not_hold_replace_none_that_did() {
    let Some(mut test) = local() else { return };
    test.configure(START, &format!("{START}\nenv = {{ GREETING = \"one {{color}}\" }}"));
    let Some(mut test) = with_v1(Some(test)) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let (warm, files) = (words(&test, test.ports().0), kept(&test));
    let again = format!("release 1 warm again on :{}", test.ports().0);
    // Without a port it ends at once.
    test.configure(START, "start = [\"bin/shop\"]").configure("GREETING = \"one", "GREETING = \"two");
    for _ in 0..2 {
        let _ = test.cutover(&["deploy", "--release", "1"]).expect(10).expect_text(&again);
        assert_eq!(test.live(), "v2 green");
        assert_eq!(words(&test, test.ports().0), warm);
    }
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    assert_eq!(words(&test, test.ports().0), warm);
    assert_eq!(greeting(&test), "one blue\n");
    // Started anew it starts so, too.
    test.configure("watch = \"2s\"", "watch = \"2s\"\nretire = \"stop\"");
    for number in ["2", "1"] {
        let _ = test.cutover(&["rollback", "--to", number]).expect(0);
    }
    assert_eq!((test.live().as_str(), greeting(&test).as_str()), ("v1 blue", "one blue\n"));
    assert_eq!(kept(&test), files, "what failed has left nothing");
    // Words that hold are the release's own from then on.
    let good = START.replace("\"{port}\"]", "\"{port}\", \"--new\"]");
    test.configure("start = [\"bin/shop\"]", &good);
    let _ = test.cutover(&["deploy", "--release", "2"]).expect(0);
    assert_eq!(greeting(&test), "two green\n");
    for number in ["1", "2"] {
        let _ = test.cutover(&["rollback", "--to", number]).expect(0);
    }
    assert!(words(&test, test.ports().1)[0].ends_with(" --new"));
    assert_eq!(greeting(&test), "two green\n");
    assert_eq!(kept(&test).len(), files.len());
}

#[test]
fn what_is_warm_and_answers_nobody_is_started_anew() {
    let Some(test) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let own = format!("/srv/shop/releases/*\" --port {} \"*", test.ports().0);
    let stop = format!(
        "for file in /proc/[0-9]*/cmdline; do case $(tr '\\0' ' ' < $file) in {own}) \
         kill -STOP $(echo $file | cut -d/ -f3);; esac; done"
    );
    let _ = test.cutover(&["exec", "--", "sh", "-c", &stop]).expect(0);
    let note = "release 1 runs and is not taken as it is";
    let _ = test.cutover(&["rollback"]).expect(0).expect_text(note);
    assert_eq!(test.live(), "v1 blue");
}
