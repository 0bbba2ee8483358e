//! Cloud Foundry as the router, by the destinations of a route: a router that is no host. The API is a fake.

use std::time::Duration;

use test_support::{Behaviour, CloudFoundry, Ended, Tally, Test, assert_golden, eventually};

use crate::every_router::{assert_closes_and_opens, assert_moved_is_adopted};
use crate::local;

/// A world in front of which a foundation is, with `v1` live.
pub(crate) fn with_v1() -> Option<(Test, CloudFoundry)> {
    let mut test = local()?;
    let (blue, green) = test.ports();
    let at = |port: u16| vec![format!("127.0.0.1:{port}")];
    let foundation = CloudFoundry::start(&at(blue), &at(green));
    test.route_by("builtin:cloud-foundry", &foundation.settings(), foundation.door());
    let hook = "hook = \"builtin:cloud-foundry\"";
    test.configure(hook, &format!("names = [\"cf\"]\n{hook}"));
    test.config.push_str("\n[secrets]\ncf-token = { env = \"CF_TOKEN\" }\n");
    test.variables = foundation.variables();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v1 blue");
    Some((test, foundation))
}

/// What a person reads, with a name for the port of the API.
fn told(test: &Test, foundation: &CloudFoundry, ended: &Ended) -> String {
    let text = ended.stdout.clone() + &ended.stderr;
    test.normalise(&text).replace(&foundation.port().to_string(), "API")
}

#[test]
fn a_route_is_switched_and_switched_back_under_load() {
    let Some((test, foundation)) = with_v1() else { return };
    let load = test.load();
    let deployed = test.deploy("v2", Behaviour::Sound).expect(0);
    let of_old = |tally: &Tally| tally.answers.get(&("v1".to_owned(), "blue".to_owned())).copied();
    let after = of_old(&load.so_far());
    load.wait_for(100);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(of_old(&tally), after, "answers of the old colour after the end: {:?}", tally.answers);
    let _ = test.cutover(&["status", "--check"]).expect(0);

    let load = test.load();
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
    assert_golden("cloud-foundry-deployment.txt", &told(&test, &foundation, &deployed));
}

#[test]
fn a_sick_release_is_switched_back() {
    let Some((mut test, _foundation)) = with_v1() else { return };
    test.configure("watch = \"2s\"", "watch = \"60s\"");
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::SickAfterVisits(1000)).expect(10);
    assert_eq!(test.live(), "v1 blue");
    load.wait_for(50);
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_route_that_somebody_has_changed_is_told_and_taken_over_when_asked() {
    let Some((test, foundation)) = with_v1() else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    foundation.by_hand(&[0]);
    eventually("the routers follow", Duration::from_secs(10), || (test.live() == "v1 blue").then_some(()));
    let status = test.cutover(&["status", "--check"]).expect(70);
    assert_golden("cloud-foundry-by-hand.txt", &told(&test, &foundation, &status));
    assert_moved_is_adopted(&test);
}

#[test]
fn no_app_has_the_route_in_maintenance() {
    let Some((test, _foundation)) = with_v1() else { return };
    assert_closes_and_opens(&test);
}

#[test]
fn a_foundation_that_refuses_says_why_and_nothing_is_changed() {
    let Some((mut test, foundation)) = with_v1() else { return };
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut said = String::new();
    let mut refused = |test: &Test, status: i32| {
        let failed = test.cutover(&["deploy"]).expect(status);
        said.push_str(&test.normalise(&failed.stderr).replace(&foundation.port().to_string(), "API"));
        assert_eq!(test.live(), "v1 blue");
    };
    test.variables[0].1.push('x');
    refused(&test, 11);
    test.variables = foundation.variables();
    test.configure("host = \"shop\"", "host = \"shed\"");
    refused(&test, 11);
    test.configure("host = \"shed\"", "host = \"shop\"");
    foundation.show_log_in();
    refused(&test, 11);
    foundation.answer_again();
    // Found when it is switched: nothing is taken from blue before green has it.
    foundation.answer_to("POST", 403, "You are not authorized to perform the requested action");
    refused(&test, 10);
    foundation.answer_again();
    foundation.forget_what_is_new();
    refused(&test, 10);
    foundation.answer_again();
    assert_golden("cloud-foundry-refused.txt", &said);
    load.finish().assert_none_failed();
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
}
