//! Where the state is kept: shown, told apart from any other place, moved, and rebuilt when it is lost.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use test_support::{Behaviour, Test, assert_golden};

use crate::{fleet, with_v1};

/// The state directory of a machine, from outside.
fn state(test: &Test, machine: &str) -> PathBuf {
    test.machine(machine).outside("/var/lib/cutover/shop/default")
}

/// Both streams of a command that ends so.
fn told(test: &Test, args: &[&str], status: i32) -> String {
    let ended = test.cutover(args).expect(status);
    test.normalise(&(ended.stdout + &ended.stderr))
}

/// `doctor` finds just this, by its codes, each with something to type.
fn assert_found(test: &Test, codes: &[&str]) {
    let ended = test.cutover(&["doctor", "--json"]).expect(if codes.is_empty() { 0 } else { 70 });
    let view = ended.last_event();
    let findings = view["findings"].as_array().unwrap();
    let found: Vec<&str> = findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(found, codes, "{view:#}");
    assert!(
        findings.iter().all(|finding| finding["fix"].as_str().is_some_and(|fix| !fix.is_empty())),
        "{view:#}"
    );
}

#[test]
fn a_sound_state_is_shown_and_nothing_is_found() {
    let Some(test) = with_v1(fleet()) else { return };
    assert_golden("state-show.txt", &told(&test, &["state", "show"], 0));
    assert_golden("doctor-well.txt", &told(&test, &["doctor"], 0));
    let view = test.cutover(&["state", "show", "--json"]).expect(0).last_event();
    assert_eq!((&view["home"], &view["kept"]["live"]["generation"]), (&Value::from("lb1"), &Value::from(1)));
}

#[test]
fn a_host_of_another_line_is_told_apart() {
    let Some(test) = with_v1(fleet()) else { return };
    let file = state(&test, "web2").join("lineage");
    let own = fs::read(&file).unwrap();
    fs::write(&file, "{\"version\":1,\"lineage\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}\n").unwrap();
    test.repository.push("v2", Behaviour::Sound);
    assert_golden("state-foreign-deploy.txt", &told(&test, &["deploy"], 40));
    assert_golden("state-foreign-doctor.txt", &told(&test, &["doctor"], 70));
    // What only looks goes on.
    let _ = test.cutover(&["history"]).expect(0).expect_text("live");
    fs::write(&file, own).unwrap();
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_found(&test, &[]);
}

#[test]
fn a_host_that_is_ahead_of_its_home_is_told_apart() {
    let Some(test) = with_v1(fleet()) else { return };
    let file = state(&test, "web2").join("fence");
    let kept = fs::read(&file).unwrap();
    fs::write(&file, b"{\"version\":1,\"epoch\":999}").unwrap();
    test.repository.push("v2", Behaviour::Sound);
    assert_golden("state-behind-deploy.txt", &told(&test, &["deploy"], 60));
    assert_golden("state-behind-doctor.txt", &told(&test, &["doctor"], 70));
    assert_eq!(test.live(), "v1 blue");
    // The lock was given back.
    fs::write(&file, kept).unwrap();
    let _ = test.cutover(&["deploy"]).expect(0);
}

#[test]
fn a_fence_that_nobody_gave_is_refused_in_the_middle_of_a_run() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.configure("healthy-after = 2", "healthy-after = 20");
    test.repository.push("v2", Behaviour::Sound);
    let forged = |host: &str| {
        let mut running = test.start(&["deploy", "--json"]);
        running.wait_for_step("health");
        let file = state(&test, host).join("fence");
        let kept = fs::read(&file).unwrap();
        fs::write(&file, b"{\"version\":1,\"epoch\":999}").unwrap();
        let ended = running.finish().expect(60);
        let said = format!("`{host}` was fenced under an epoch that its home `lb1` never gave out");
        assert!(ended.stdout.contains(&said), "{}", ended.stdout);
        fs::write(&file, kept).unwrap();
        ended.last_event()
    };
    // The home itself: the journal can't go on, and nothing more is done.
    let ended = forged("lb1");
    assert_eq!((&ended["code"], &ended["outcome"]), (&json!("state/behind"), &json!("unfinished")));
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["abort"]).expect(0);
    // A host that is not changed again before the pivot.
    let ended = forged("web1");
    assert_eq!(ended["outcome"], "deployed");
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn a_second_home_is_told_apart() {
    let Some(test) = with_v1(fleet()) else { return };
    // A backup of the home, put back on another host.
    let (from, to) = (state(&test, "lb1"), state(&test, "web1"));
    for file in ["lineage", "live.json"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    test.repository.push("v2", Behaviour::Sound);
    assert_golden("state-second-deploy.txt", &told(&test, &["deploy"], 40));
    assert_golden("state-second-doctor.txt", &told(&test, &["doctor"], 70));
}

#[test]
fn a_torn_journal_is_explained_and_resumed() {
    let Some(test) = with_v1(fleet()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("start");
    let _ = running.kill();
    let journal = state(&test, "lb1").join(format!("journal/{}.jsonl", open_deployment(&test)));
    let mut text = fs::read_to_string(&journal).unwrap();
    text.push_str("{\"version\":1,\"seq\":");
    fs::write(&journal, &text).unwrap();
    let found = test.cutover(&["doctor"]).expect(70).stdout;
    assert!(found.contains("is torn") && found.contains("cutover resume"), "{found}");
    let _ = test.cutover(&["resume"]).expect(10);
    assert_eq!(test.live(), "v1 blue");
    assert_found(&test, &[]);
}

/// The deployment that has no end.
fn open_deployment(test: &Test) -> String {
    let open: Value =
        serde_json::from_slice(&fs::read(state(test, "lb1").join("open.json")).unwrap()).unwrap();
    open["deployment"].as_str().unwrap().to_owned()
}

/// Spoils the second line of the open journal.
fn spoil_journal(test: &Test) {
    let journal = state(test, "lb1").join(format!("journal/{}.jsonl", open_deployment(test)));
    let text = fs::read_to_string(&journal).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    fs::write(&journal, format!("{first}\n{}", rest.replacen("\"seq\":1", "\"seq\":9", 1))).unwrap();
}

#[test]
fn a_broken_journal_is_set_aside_and_the_record_rebuilt() {
    let Some(test) = with_v1(fleet()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    let _ = running.kill();
    // A journal that is whole is for `resume`.
    let _ = test.cutover(&["state", "recover", "--yes"]).expect(40).expect_text("cutover resume");
    spoil_journal(&test);
    for command in ["deploy", "resume", "abort", "rollback"] {
        let _ = test.cutover(&[command]).expect(40).expect_text("cutover state recover");
    }
    let found = test.cutover(&["doctor"]).expect(70).stdout;
    assert!(found.contains("line 2 of"), "{found}");
    let proposed = told(&test, &["state", "recover"], 2).replace(&open_deployment(&test), "DEPLOYMENT");
    assert_golden("state-recover-broken.txt", &proposed);
    let _ = test.cutover(&["state", "recover", "--yes"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);
    assert_found(&test, &[]);
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v3 blue");
    assert_golden("state-recover-history.txt", &told(&test, &["history"], 0));
    let aside = fs::read_dir(state(&test, "lb1").join("journal")).unwrap().flatten();
    let aside = aside.filter(|entry| entry.file_name().to_string_lossy().contains(".jsonl.aside-"));
    assert_eq!(aside.count(), 1, "what can't be read is kept");
}

#[test]
fn a_lost_home_is_rebuilt_and_refused_when_it_turns_up_again() {
    let Some(test) = with_v1(fleet()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let home = state(&test, "lb1");
    let backup = test.scratch().join("backup");
    fs::rename(&home, &backup).unwrap();
    test.repository.push("v3", Behaviour::Sound);
    assert_golden("state-lost-deploy.txt", &told(&test, &["deploy"], 40));
    assert_golden("state-lost-doctor.txt", &told(&test, &["doctor"], 70));
    assert!(!home.exists(), "nothing was begun there");
    assert_golden("state-lost-recover.txt", &told(&test, &["state", "recover"], 2));
    let _ = test.cutover(&["state", "recover", "--yes"]).expect(0);
    let again = test.cutover(&["state", "recover", "--yes"]).expect(0);
    assert!(again.stdout.contains("nothing is to be recovered"), "{again:?}");
    assert_found(&test, &[]);
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v3 blue");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    // The home that was lost, from a backup: older than what every host knows now.
    fs::remove_dir_all(&home).unwrap();
    fs::rename(&backup, &home).unwrap();
    let _ = test.cutover(&["deploy"]).expect(40);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn hosts_that_contradict_each_other_are_not_guessed_over() {
    let Some(test) = with_v1(fleet()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    fs::remove_dir_all(state(&test, "lb1")).unwrap();
    let other = state(&test, "web2").join("lineage");
    let own = fs::read(&other).unwrap();
    fs::write(&other, "{\"version\":1,\"lineage\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}\n").unwrap();
    let refused = told(&test, &["state", "recover", "--yes"], 40);
    assert_golden("state-contradiction.txt", &refused);
    assert!(!state(&test, "lb1").join("live.json").exists());
    fs::write(&other, own).unwrap();
    let _ = test.cutover(&["state", "recover", "--yes"]).expect(0);
}

/// Two routers, the first of which is the home.
fn two_routers() -> Option<Test> {
    let mut test = Test::two_routers(env!("CARGO_BIN_EXE_cutover"))?;
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    test.configure("hosts = [\"lb1\", \"lb2\"]", "hosts = [\"lb2\", \"lb1\"]");
    Some(test)
}

#[test]
fn the_state_is_moved_and_the_old_home_refused() {
    let Some(mut test) = two_routers() else { return };
    test.repository.push("v2", Behaviour::Sound);
    assert_golden("state-elsewhere-deploy.txt", &told(&test, &["deploy"], 40));
    assert_golden("state-elsewhere-doctor.txt", &told(&test, &["doctor"], 70));
    let _ = test.cutover(&["unlock", "--epoch", "2"]).expect(40);
    assert_golden("state-move.txt", &told(&test, &["state", "move"], 0));
    let _ = test.cutover(&["state", "move"]).expect(0).expect_text("already");
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_found(&test, &[]);
    assert_golden("state-moved-show.txt", &told(&test, &["state", "show"], 0));
    // Who still has the old configuration.
    test.configure("hosts = [\"lb2\", \"lb1\"]", "hosts = [\"lb1\", \"lb2\"]");
    assert_golden("state-moved-deploy.txt", &told(&test, &["deploy"], 40));
    // And back.
    let _ = test.cutover(&["state", "move"]).expect(0);
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    assert_found(&test, &[]);
    let history = test.cutover(&["history", "--json"]).expect(0).last_event();
    assert_eq!(history["entries"].as_array().unwrap().len(), 3, "{history:#}");
}

#[test]
fn a_move_that_was_cut_off_is_finished_by_the_same_command() {
    let Some(mut test) = two_routers() else { return };
    let _ = test.cutover(&["state", "move"]).expect(0);
    // As after the write before the last one: given away, and not arrived.
    let file = state(&test, "lb2").join("lineage");
    let arrived = fs::read_to_string(&file).unwrap();
    fs::write(&file, arrived.replace(",\"home\":true", "")).unwrap();
    test.repository.push("v2", Behaviour::Sound);
    assert_golden("state-under-way-deploy.txt", &told(&test, &["deploy"], 40));
    let _ = test.cutover(&["state", "recover", "--yes"]).expect(40).expect_text("cutover state move");
    test.configure("hosts = [\"lb2\", \"lb1\"]", "hosts = [\"lb1\", \"lb2\"]");
    let _ = test.cutover(&["deploy"]).expect(40).expect_text("was moved from `lb1` to `lb2`");
    test.configure("hosts = [\"lb1\", \"lb2\"]", "hosts = [\"lb2\", \"lb1\"]");
    let _ = test.cutover(&["state", "move"]).expect(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), arrived);
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_found(&test, &[]);
}
