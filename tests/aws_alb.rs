//! An AWS Application Load Balancer as the router: a router that is no host, asked and told over a signed API.

use std::time::Duration;

use serde_json::json;
use test_support::{Alb, Behaviour, Ended, Tally, Test, assert_golden, eventually};

use crate::every_router::{assert_moved_is_adopted, assert_sick_is_switched_back};
use crate::{fleet, local};

/// A world in front of which a load balancer is, with nothing deployed yet.
pub(crate) fn routed(world: Option<Test>) -> Option<(Test, Alb)> {
    let mut test = world?;
    let addresses: Vec<String> = match test.hosts.split_last() {
        Some((_, machines)) => machines.iter().map(|(machine, _)| machine.address().to_owned()).collect(),
        None => vec!["127.0.0.1".to_owned()],
    };
    let (blue, green) = test.ports();
    let at = |port: u16| addresses.iter().map(|address| format!("{address}:{port}")).collect::<Vec<_>>();
    let alb = Alb::start(test.scratch(), &at(blue), &at(green))?;
    test.route_by("builtin:aws-alb", &alb.settings(), alb.door());
    let hook = "hook = \"builtin:aws-alb\"";
    if test.hosts.is_empty() {
        test.configure(hook, &format!("names = [\"alb\"]\n{hook}"));
    } else {
        test.configure("hosts = [\"lb1\"]", "names = [\"alb\"]");
    }
    test.config.push_str(
        "\n[secrets]\naws-access-key-id = { env = \"AWS_ACCESS_KEY_ID\" }\naws-secret-access-key = { env = \"AWS_SECRET_ACCESS_KEY\" }\n\
         aws-session-token = { env = \"AWS_SESSION_TOKEN\" }\n",
    );
    test.variables = alb.variables();
    Some((test, alb))
}

/// The same with `v1` live.
pub(crate) fn with_v1(world: Option<Test>) -> Option<(Test, Alb)> {
    let (mut test, alb) = routed(world)?;
    test.set_up();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    Some((test, alb))
}

/// What a person reads, with names for what differs from run to run.
fn told(test: &Test, alb: &Alb, ended: &Ended) -> String {
    let text = ended.stdout.clone() + &ended.stderr;
    let id = |name: &str| alb.arn(name).rsplit('/').next().unwrap().to_owned();
    let text = test.normalise(&text).replace(&alb.port().to_string(), "API");
    text.replace(&id("rule"), "RULE").replace(&id("blue"), "GROUP").replace(&id("green"), "GROUP")
}

#[test]
fn two_machines_are_switched_and_switched_back_under_load() {
    let Some((test, alb)) = with_v1(fleet()) else { return };
    let load = test.load();
    let deployed = test.deploy("v2", Behaviour::Sound).expect(0);
    let of_old = |tally: &Tally| tally.answers.get(&("v1".to_owned(), "blue".to_owned())).copied();
    let after = of_old(&load.so_far());
    load.wait_for(100);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(of_old(&tally), after, "answers of the old colour after the end: {:?}", tally.answers);
    assert_golden("aws-alb-deployment.txt", &told(&test, &alb, &deployed));
    let _ = test.cutover(&["status", "--check"]).expect(0);

    let load = test.load();
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_sick_release_is_switched_back() {
    let Some((mut test, _alb)) = with_v1(local()) else { return };
    assert_sick_is_switched_back(&mut test);
}

#[test]
fn weights_that_somebody_has_changed_are_told_and_taken_over_when_asked() {
    let Some((test, alb)) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    alb.weigh(1, 0);
    eventually("the load balancer acts so", Duration::from_secs(10), || {
        (test.live() == "v1 blue").then_some(())
    });
    assert_golden(
        "aws-alb-by-hand.txt",
        &told(&test, &alb, &test.cutover(&["status", "--check"]).expect(70)),
    );
    assert_moved_is_adopted(&test);
}

#[test]
fn maintenance_is_refused_before_anything_is_begun() {
    let Some((test, alb)) = with_v1(local()) else { return };
    let refused = told(&test, &alb, &test.cutover(&["maintenance", "on"]).expect(50));
    assert_golden("aws-alb-maintenance.txt", &refused);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn what_stands_beside_the_weights_is_kept_and_stickiness_told() {
    let Some((test, alb)) = with_v1(local()) else { return };
    let mut actions = alb.actions();
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({"Enabled": true, "DurationSeconds": 60});
    alb.by_hand(&actions);
    let deployed = test.deploy("v2", Behaviour::Sound).expect(0);
    let sticks =
        "has group stickiness: for 60 s a client stays with the colour that it was given, whatever its share";
    assert!((deployed.stdout + &deployed.stderr).contains(sticks));
    actions[0]["ForwardConfig"]["TargetGroups"][0]["Weight"] = 0.into();
    actions[0]["ForwardConfig"]["TargetGroups"][1]["Weight"] = 100.into();
    assert_eq!(alb.actions(), actions);
    let status = test.cutover(&["status", "--check"]).expect(0);
    assert!((status.stdout + &status.stderr).contains(sticks));
}

#[test]
fn a_load_balancer_that_can_not_be_asked_says_why_and_nothing_is_changed() {
    let Some((mut test, alb)) = with_v1(local()) else { return };
    let before = alb.actions();
    test.repository.push("v2", Behaviour::Sound);
    let mut said = String::new();
    for wrong in 0..3 {
        let mut variables = alb.variables();
        variables[wrong].1.push('x');
        test.variables = variables;
        said.push_str(&told(&test, &alb, &test.cutover(&["deploy"]).expect(11)));
    }
    test.variables = alb.variables();
    alb.fail(&json!({"page": true}));
    said.push_str(&told(&test, &alb, &test.cutover(&["deploy"]).expect(11)));
    alb.fail(&json!({"clock": 3600}));
    let late = test.cutover(&["deploy"]).expect(11);
    assert!(late.stderr.contains("hint: set the clock where cutover runs: it said 20"), "{}", late.stderr);
    alb.fail(&json!({}));
    let rule = alb.arn("rule").to_owned();
    test.configure(&rule, &format!("{rule}0"));
    said.push_str(&told(&test, &alb, &test.cutover(&["deploy"]).expect(11)));
    test.configure(&format!("{rule}0"), &rule);
    let mut only_blue = before.clone();
    only_blue[0]["ForwardConfig"]["TargetGroups"].as_array_mut().unwrap().truncate(1);
    alb.by_hand(&only_blue);
    said.push_str(&told(&test, &alb, &test.cutover(&["deploy"]).expect(11)));
    alb.by_hand(&before);
    assert_golden("aws-alb-refused.txt", &said);

    assert_eq!((alb.actions(), test.live()), (before, "v1 blue".to_owned()));
    // What it is too busy for, it is asked again.
    alb.fail(&json!({"throttle": 2}));
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn a_switch_that_is_refused_leaves_all_as_it_was() {
    let Some((mut test, alb)) = with_v1(local()) else { return };
    let before = alb.actions();
    let load = test.load();
    alb.fail(&json!({"deny": "ModifyRule"}));
    let mut said = told(&test, &alb, &test.deploy("v2", Behaviour::Sound).expect(10));
    alb.fail(&json!({}));
    // Whatever the instances say of themselves, the load balancer would send them nothing.
    alb.fail(&json!({"sick": true}));
    test.configure("names = [\"alb\"]", "names = [\"alb\"]\ntimeout = \"3s\"");
    said.push_str(&told(&test, &alb, &test.cutover(&["deploy"]).expect(10)));
    assert_golden("aws-alb-not-switched.txt", &said);
    assert_eq!(alb.actions(), before);
    load.finish().assert_none_failed();
}
