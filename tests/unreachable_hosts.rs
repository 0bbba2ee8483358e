//! Hosts that can't be reached, or that may not be who they say.

use std::path::Path;

use test_support::{Behaviour, Sshd, Test, assert_golden};

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

#[test]
fn a_host_that_gets_out_of_reach_under_watch_speaks_for_neither_color() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.configure("watch = \"2s\"", "watch = \"10s\"");
    let wire = test.wire("web1");
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    test.hosts[0].1.stop();
    wire.cut();
    let events = running.finish().expect(0).events();
    assert_eq!(test.live(), "v2 green");
    let told = |event: &serde_json::Value| match event["event"].as_str().unwrap() {
        "warning" => Some(format!("warning: {}\n", event["text"].as_str().unwrap())),
        "step-ended" if event["step"] == "watch" => {
            let note = &event["details"][0];
            let (label, text) = (note["label"].as_str().unwrap(), note["text"].as_str().unwrap());
            Some(format!("watch {}\n{label}: {text}\n", event["end"]))
        }
        "ended" => {
            let facts = event["facts"].as_array().unwrap().iter();
            let facts = facts.map(|fact| format!("{}: {}\n", fact["label"], fact["text"]));
            Some(format!("{}\n{}", event["outcome"], facts.collect::<String>()))
        }
        _ => None,
    };
    let told: String = events.iter().filter_map(told).collect();
    let told = told
        .replace(&wire.address().to_string(), "WIRE")
        .replace(&wire.address().port().to_string(), "WIRE")
        .replace("Connection reset by", "Connection closed by");
    assert_golden("host-lost-under-watch.txt", &test.normalise(&told));
    load.finish().assert_none_failed();
    // It is brought up to date by the next one.
    let (machine, sshd) = &mut test.hosts[0];
    sshd.restart(machine);
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_release_that_is_sick_is_found_out_though_a_host_is_out_of_reach() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.configure("watch = \"2s\"", "watch = \"60s\"");
    let wire = test.wire("web1");
    let load = test.load();
    test.repository.push("v2", Behaviour::SickAfterVisits(1500));
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    test.hosts[0].1.stop();
    wire.cut();
    // Blue can't be asked on one host, so nothing is moved before it can.
    let stuck = running.finish().expect(40).last_event();
    assert!(["watch/sick", "watch/front-door"].contains(&stuck["code"].as_str().unwrap()), "{stuck:#}");
    let facts = stuck["facts"].as_array().unwrap().iter();
    let facts: String = facts.map(|fact| format!("{}: {}\n", fact["label"], fact["text"])).collect();
    let facts = facts
        .replace(&wire.address().to_string(), "WIRE")
        .replace(&wire.address().port().to_string(), "WIRE")
        .replace("Connection reset by", "Connection closed by");
    assert_golden("host-lost-and-sick.txt", &test.normalise(&facts));
    let (machine, sshd) = &mut test.hosts[0];
    sshd.restart(machine);
    let _ = test.cutover(&["resume"]).expect(10);
    assert_eq!(test.live(), "v1 blue");
    drop(load);
}

#[test]
fn who_is_asked_for_by_name_and_silent_is_called_so() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.hosts[1].1.stop();
    let failed = test.cutover(&["exec", "--host", "web2", "--", "ls"]).expect(11);
    assert!(
        failed.stderr.contains("host `web2`") && failed.stderr.contains("can't be reached"),
        "{failed:?}"
    );
    let _ = test.cutover(&["exec", "--host", "web9", "--", "ls"]).expect(11).expect_text("no host");
    for command in [&["logs", "-n", "1"][..], &["exec", "--", "ls"]] {
        let ended = test.cutover(command).expect(0);
        assert!(ended.stderr.contains("warning: left out: host `web2`"), "{ended:?}");
    }
    let _ = test.cutover(&["status", "--check"]).expect(70).expect_text("web2 could not be asked");
    let setup = test.cutover(&["setup", "--host", "web1"]).expect(0);
    assert!(setup.stdout.contains("web1") && !setup.stdout.contains("lb1"), "{}", setup.stdout);
    let _ = test.cutover(&["setup"]).expect(11).expect_text("what `web2` lacks is not known");
    let _ = test.cutover(&["setup", "--host", "web9"]).expect(11).expect_text("there are lb1, ");
}

#[test]
fn whoever_aborts_gets_what_was_asked_for() {
    let Some(test) = with_v1(fleet()) else { return };
    let killed_at = |step: &str| {
        test.repository.push(step, Behaviour::Sound);
        let mut running = test.start(&["deploy", "--json"]);
        running.wait_for_step(step);
        let _ = running.kill();
    };
    killed_at("watch");
    let aborted = test.cutover(&["abort"]).expect(0);
    assert_eq!(aborted.stderr, "");
    assert_golden("abort.txt", &test.normalise(&aborted.stdout));
    killed_at("smoke");
    let resumed = test.cutover(&["resume"]).expect(10);
    assert_golden("resume-back.txt", &test.normalise(&(resumed.stdout + &resumed.stderr)));
    assert_golden("resume-nothing.txt", &test.normalise(&test.cutover(&["resume"]).expect(0).stdout));
}

#[test]
fn a_host_that_burns_down_in_the_middle_leaves_a_way_out() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    let _ = running.kill();
    test.hosts[1].1.stop();
    let killed = test.machine("web2").command("pkill", Path::new("/")).args(["-KILL", "shop"]).status();
    assert!(killed.unwrap().success());

    // Nothing is left out by itself, and what is refused names the way out.
    for (command, golden) in [("resume", "burnt-resume.txt"), ("abort", "burnt-abort.txt")] {
        let refused = test.cutover(&[command]).expect(11);
        assert_golden(golden, &test.normalise(&(refused.stdout + &refused.stderr)));
    }
    let _ = test.cutover(&["abort", "--without", "web1"]).expect(11).expect_text("`web1` answers");
    let whole = test.config.clone();
    test.configure("\"web1\", \"web2\"", "\"web1\"");
    let early = test.cutover(&["abort"]).expect(60);
    let _ = early.expect_text("`cutover abort --without web2` does not need it");
    test.config = whole;

    let aborted = test.cutover(&["abort", "--without", "web2"]).expect(0);
    assert_golden("burnt-abort-without.txt", &test.normalise(&(aborted.stdout + &aborted.stderr)));
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["resume"]).expect(0).expect_text("no deployment");

    test.configure("\"web1\", \"web2\"", "\"web1\"");
    test.nginx.stop();
    test.set_up();
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v3 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_plan_is_shown_with_what_keeps_it_from_being_begun() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let planned = |test: &Test| {
        let ended = test.cutover(&["plan"]);
        (ended.status, test.normalise(&(ended.stdout + &ended.stderr)))
    };
    test.hosts[1].1.stop();
    let (status, text) = planned(&test);
    assert_eq!(status, 11);
    assert_golden("plan-host-away.txt", &text);
    let (machine, sshd) = &mut test.hosts[1];
    sshd.restart(machine);

    // Somebody moves the router.
    std::fs::write(test.nginx.flags().join("green"), "").unwrap();
    let (status, text) = planned(&test);
    assert_eq!(status, 40);
    assert_golden("plan-drift.txt", &text);
}

#[test]
fn what_is_live_for_good_is_finished_without_a_host_that_is_away() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("drain");
    let _ = running.kill();
    test.hosts[1].1.stop();
    let finished = test.cutover(&["resume"]).expect(0);
    let _ = finished.expect_text("warning  web2: disable blue at boot: host `web2`");
    assert_eq!(test.live(), "v2 green");
    let (machine, sshd) = &mut test.hosts[1];
    sshd.restart(machine);
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}
