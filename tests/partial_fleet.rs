//! `pipeline.max-excluded`: a deployment goes on without a host that is down, or that fails; and never with what is old there.

use std::path::Path;

use test_support::{Behaviour, Test, get};

/// Three machines for the application, of which one may be left out, with `v1` live on blue.
fn three() -> Option<Test> {
    let mut test = Test::fleet_of(env!("CARGO_BIN_EXE_cutover"), "root", 3)?;
    test.configure("[pipeline]\n", "[pipeline]\nmax-excluded = 1\n")
        .configure("watch = \"2s\"", "watch = \"1s\"");
    test.set_up();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v1 blue");
    Some(test)
}

/// What runs of the application on a machine ends, as with the machine.
fn kill_application(test: &Test, machine: &str) {
    let killed = test.machine(machine).command("pkill", Path::new("/")).args(["-KILL", "shop"]).status();
    assert!(killed.unwrap().success());
}

fn answers(test: &Test, last: u8, color: &str) -> Option<String> {
    let port = if color == "blue" { test.ports().0 } else { test.ports().1 };
    let page = get(&format!("127.0.0.{last}"), port, "/").ok()?;
    page.body.split(' ').next().map(str::to_owned)
}

#[test]
fn a_dead_host_is_left_out_of_deployment_and_rollback_and_catches_up() {
    let Some(mut test) = three() else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
    test.hosts[2].1.stop();

    // Only its SSH server is down: the release before the last still runs there, as the colour that is filled now.
    test.repository.push("v3", Behaviour::Sound);
    let refused = test.cutover(&["deploy"]).expect(10);
    let refused = refused.expect_text("web3 can't be left out: its blue answers lb1, and can't be stopped");
    let _ = refused.expect_text("left out  web3: it could not be reached");
    assert_eq!(test.live(), "v2 green");

    kill_application(&test, "web3");
    let plan = test.cutover(&["plan"]).expect(0);
    let _ = plan.expect_text("up to 1 of 3 hosts are left out if they fail before the switch");
    let deployed = test.cutover(&["deploy"]).expect(0).expect_text("web3 is left out: ");
    let _ = deployed.expect_text("left out  web3: it could not be reached");
    assert_eq!(test.live(), "v3 blue");
    assert_eq!(answers(&test, 11, "blue").as_deref(), Some("v3"));
    let status = test.cutover(&["status"]).expect(0);
    let _ = status.expect_text("web3 was left out when release 4 went live");

    // The machine is still dead, and the release turns out to be bad.
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v2 green");

    let (machine, sshd) = &mut test.hosts[2];
    sshd.restart(machine);
    let caught_up = test.deploy("v4", Behaviour::Sound).expect(0);
    assert!(!(caught_up.stdout + &caught_up.stderr).contains("left out  "), "nobody is");
    assert_eq!(answers(&test, 13, "blue").as_deref(), Some("v4"));
}

#[test]
fn a_host_that_fails_is_left_out_and_stopped() {
    let Some(mut test) = three() else { return };
    test.configure("healthy-after = 2", "healthy-after = 30");
    test.repository.push("v2", Behaviour::Sound);
    let mut run = test.start(&["deploy", "--json"]);
    run.wait_for_step("health");
    kill_application(&test, "web2");
    let ended = run.finish().expect(0).last_event();
    let facts = ended["facts"].as_array().unwrap();
    let left_out = facts.iter().find(|fact| fact["label"] == "left out");
    assert!(left_out.is_some_and(|fact| fact["text"].as_str().unwrap().starts_with("web2: ")), "{ended:#}");
    assert_eq!(test.live(), "v2 green");
    assert_eq!(answers(&test, 12, "green"), None, "no router finds anything there");
    assert_eq!(answers(&test, 13, "green").as_deref(), Some("v2"));

    // One more is one too many.
    test.configure("healthy-after = 30", "healthy-after = 2")
        .configure("max-excluded = 1", "max-excluded = \"33%\"");
    test.hosts[1].1.stop();
    let refused = test.deploy("v3", Behaviour::Sound).expect(11);
    assert!(refused.stderr.contains("web2"), "{}", refused.stderr);
    let more = "`pipeline.max-excluded = 1` lets a deployment go on without it";
    assert!(refused.stderr.contains(more), "{}", refused.stderr);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn a_host_that_serves_unseen_keeps_traffic_from_being_put_back() {
    let Some(mut test) = three() else { return };
    test.configure("watch = \"1s\"", "watch = \"5s\"");
    // Only its SSH server is down: its blue serves on, and nobody can say how well. Its green was never there.
    test.hosts[2].1.stop();
    let stuck = test.deploy("v2", Behaviour::SickAfterVisits(1)).expect(40);
    let _ = stuck.expect_text("web3 is left out: its blue answers lb1, and can't be looked at");
    assert_eq!(test.live(), "v2 green", "traffic was not moved to what nobody has seen");

    // Then nothing answers there any more, so it has no part in the traffic, whichever colour has it.
    kill_application(&test, "web3");
    let _ = test.cutover(&["abort"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
}
