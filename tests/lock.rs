//! Of two deployments at once, one waits outside.

use rustix::process::Signal;
use test_support::{Behaviour, assert_golden};

use crate::{local, with_v1};

#[test]
fn the_second_is_told_who_deploys() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"5s\"");
    test.repository.push("v2", Behaviour::Sound);
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("watch");
    let second = test.cutover(&["deploy"]).expect(30);
    assert!(second.stderr.contains("hint: "), "{}", second.stderr);
    let _ = first.finish().expect(0);
    assert_eq!(test.live(), "v2 green");
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
}

#[test]
fn waits_when_asked_to() {
    let Some(test) = with_v1(local()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("stage");
    test.repository.push("v3", Behaviour::Sound);
    let _ = test.cutover(&["deploy", "--lock-wait", "60s"]).expect(0);
    let _ = first.finish().expect(0);
    assert_eq!(test.live(), "v3 blue");
}

#[test]
fn whoever_resumes_waits_when_asked_to_and_stops_at_once() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"10s\"");
    test.repository.push("v2", Behaviour::Sound);
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("watch");
    let mut impatient = test.start(&["abort", "--lock-wait", "60s", "--json"]);
    impatient.wait_for("word that it waits", |event| {
        event["text"].as_str().is_some_and(|text| text.starts_with("waiting for the lock, held by "))
    });
    impatient.signal(Signal::INT);
    let _ = impatient.finish().expect(20);
    let _ = test.cutover(&["resume", "--lock-wait", "60s"]).expect(0);
    let _ = first.finish().expect(0);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn a_lock_is_not_taken_from_who_is_at_work() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"15s\"");
    test.repository.push("v2", Behaviour::Sound);
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("watch");
    let lock = test.cutover(&["status", "--json"]).last_event()["lock"].clone();
    let epoch = lock["epoch"].as_u64().unwrap().to_string();
    let refused = test.cutover(&["unlock", "--epoch", &epoch]).expect(30);
    let pid = lock["who"].as_str().unwrap().rsplit(' ').next().unwrap();
    let told = refused.stderr.replace(&format!("process {pid}"), "process PID");
    assert_golden("unlock-at-work.txt", &test.normalise(&told));
    let mut asked = test.at_terminal(&["unlock", "--epoch", &epoch]);
    asked.wait_for("free it all the same? [y/N]");
    asked.press("n\n");
    let _ = asked.finish().expect(11);
    assert_eq!(test.cutover(&["status", "--json"]).last_event()["lock"]["state"], "held");
    let mut asked = test.at_terminal(&["unlock", "--epoch", &epoch]);
    asked.wait_for("free it all the same? [y/N]");
    asked.press("y\n");
    let _ = asked.finish().expect(0).expect_text("the lock is free");
    let _ = first.finish().expect(31);
    let _ = test.cutover(&["abort"]);
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn the_lock_of_who_is_gone_is_freed_without_a_question() {
    let Some(test) = with_v1(local()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("stage");
    let _ = first.kill();
    let lock = test.cutover(&["status", "--json"]).last_event()["lock"].clone();
    let epoch = lock["epoch"].as_u64().unwrap();
    let other = (epoch + 1).to_string();
    let _ = test.cutover(&["unlock", "--epoch", &other]).expect(2).expect_text("is not held under epoch");
    let _ =
        test.cutover(&["unlock", "--epoch", &epoch.to_string()]).expect(0).expect_text("the lock is free");
}

#[test]
fn a_plan_is_shown_while_a_colleague_deploys() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"15s\"");
    test.repository.push("v2", Behaviour::Sound);
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("stage");
    first.signal(Signal::STOP);
    let planned = test.cutover(&["plan"]).expect(30);
    let planned = test.normalise(&(planned.stdout + &planned.stderr));
    let (plan, told) = planned.split_once("it would not be begun now").unwrap();
    assert!(plan.contains("plan of deploy") && plan.contains("switch"), "{plan}");
    assert_golden("plan-while-another-deploys.txt", told);
    let dry = test.cutover(&["deploy", "--dry-run", "--json"]).expect(30).last_event();
    assert_eq!(dry["obstacles"][0]["code"], "state/locked", "{dry:#}");
    first.signal(Signal::CONT);
    first.wait_for_step("watch");
    // The router is elsewhere than the record now, so that there is nothing to plan from.
    let refused = test.cutover(&["plan"]).expect(30);
    assert!(refused.stderr.contains("at step `watch`"), "{}", refused.stderr);
    let _ = first.kill();
    let _ = test.cutover(&["plan"]).expect(40).expect_text("cutover resume");
}
