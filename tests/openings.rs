//! Runs that can't begin: what a person reads then, whole.

use std::fs;

use test_support::{Behaviour, Ended, Test, assert_golden};

use crate::{fleet, local, with_v1};

/// What a person reads.
fn told(test: &Test, ended: Ended) -> String {
    test.normalise(&(ended.stdout + &ended.stderr))
}

#[test]
fn hosts_that_can_not_be_reached() {
    let Some(mut test) = fleet() else { return };
    test.repository.push("v1", Behaviour::Sound);
    test.hosts[0].1.stop();
    let failed = test.cutover(&["deploy"]).expect(11);
    assert_golden("opening-one-unreachable.txt", &told(&test, failed));
    test.hosts[1].1.stop();
    let failed = test.cutover(&["deploy"]).expect(11);
    assert_golden("opening-two-unreachable.txt", &told(&test, failed));

    // A key that nobody knows is worse than a host that is down.
    let (machine, sshd) = &mut test.hosts[2];
    sshd.change_host_key(machine);
    let refused = test.cutover(&["deploy"]).expect(60);
    assert_golden("opening-wrong-key.txt", &told(&test, refused));
}

#[test]
fn a_lock_that_another_deployment_holds() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("watch = \"2s\"", "watch = \"60s\"");
    test.repository.push("v2", Behaviour::Sound);
    let mut first = test.start(&["deploy", "--json"]);
    first.wait_for_step("watch");
    let refused = test.cutover(&["deploy"]).expect(30);
    assert_golden("opening-locked.txt", &told(&test, refused));
    first.press_ctrl_c();
    let _ = first.finish().expect(20);
}

#[test]
fn hooks_that_can_not_be_used() {
    let Some(mut test) = local() else { return };
    test.repository.push("v1", Behaviour::Sound);
    fs::write(test.directory().join("no-component.wasm"), "never compiled").unwrap();
    test.configure("hook = \"builtin:http-smoke\"", "hook = \"no-component.wasm\"");
    let refused = test.cutover(&["deploy"]).expect(50);
    assert_golden("opening-no-component.txt", &told(&test, refused));

    // A fault that a hook finds in its settings has a place in the file, and there is nothing but events with --json.
    test.configure("hook = \"no-component.wasm\"", "hook = \"builtin:http-smoke\"");
    test.configure("path = \"/checkout\"", "path = \"checkout\"");
    let refused = test.cutover(&["deploy"]).expect(50);
    assert_golden("opening-settings.txt", &told(&test, refused));
    let refused = test.cutover(&["deploy", "--json"]).expect(50);
    let events: Vec<_> = refused.events().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(events, ["started", "step-started", "step-ended", "ended"]);
    let error = refused.last_event()["error"].to_string();
    assert!(error.contains("requests[0].path") && error.contains("cutover.toml:"), "{error}");
}

#[test]
fn a_build_that_was_forgotten_is_told_as_what_it_lacks() {
    let Some(mut test) = local() else { return };
    test.config = "name = \"shop\"\n\
                   [app]\nstart = [\"bin/shop\"]\nblue = { port = 4001 }\ngreen = { port = 4002 }\n\
                   [router]\nfront-door = [\"https://shop.example.com/up\"]\n"
        .to_owned();
    let refused = test.cutover(&["check"]).expect(50);
    assert_golden("build-forgotten.txt", &refused.stderr);
}
