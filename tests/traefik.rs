//! Traefik and its file provider as the router.

use std::fs;
use std::time::Duration;

use test_support::{Behaviour, Tally, Test, Traefik, assert_golden, eventually};

use crate::every_router::{assert_closes_and_opens, assert_moved_is_adopted, assert_sick_is_switched_back};
use crate::{fleet, local};

/// A world whose front door is Traefik, set up by what `cutover setup` prints, with `v1` live.
pub(crate) fn with_v1(world: Option<Test>) -> Option<(Test, Traefik)> {
    with_v1_and_pauses(world, "100ms")
}

/// The same where Traefik waits so long between two changes.
fn with_v1_and_pauses(world: Option<Test>, pause: &str) -> Option<(Test, Traefik)> {
    let mut test = world?;
    let mut traefik = Traefik::new(test.scratch(), test.router())?;
    traefik.pause_between_changes(pause);
    test.route_by("builtin:traefik", &traefik.settings(), traefik.port());
    test.set_up();
    traefik.start(test.router());
    assert_eq!(test.front_door("/").status, 503, "no colour has requests yet");
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v1 blue");
    Some((test, traefik))
}

/// What a person reads, with a name for the port of Traefik's API.
fn told(test: &Test, traefik: &Traefik, text: &str) -> String {
    test.normalise(text).replace(&traefik.api_port().to_string(), "API")
}

#[test]
fn two_machines_are_switched_and_switched_back_under_load() {
    let Some((test, mut traefik)) = with_v1(fleet()) else { return };
    let load = test.load();
    let deployed = test.deploy("v2", Behaviour::Sound).expect(0);
    let of_old = |tally: &Tally| tally.answers.get(&("v1".to_owned(), "blue".to_owned())).copied();
    let after = of_old(&load.so_far());
    load.wait_for(100);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(of_old(&tally), after, "answers of the old colour after the end: {:?}", tally.answers);
    assert_golden("traefik-deployment.txt", &told(&test, &traefik, &(deployed.stdout + &deployed.stderr)));

    traefik.stop();
    traefik.start(test.router());
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);

    let load = test.load();
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

/// Two seconds between two changes, as where nobody has said anything.
#[test]
fn a_traefik_that_takes_its_time_is_waited_for() {
    let Some((test, _traefik)) = with_v1_and_pauses(local(), "2s") else { return };
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_sick_release_is_switched_back() {
    let Some((mut test, _traefik)) = with_v1(local()) else { return };
    assert_sick_is_switched_back(&mut test);
}

#[test]
fn no_color_is_503_and_back() {
    let Some((test, _traefik)) = with_v1(local()) else { return };
    assert_closes_and_opens(&test);
}

#[test]
fn weights_that_somebody_has_changed_are_told_and_taken_over_when_asked() {
    let Some((test, traefik)) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let green = fs::read_to_string(traefik.file()).unwrap();
    let mut weights = ["100", "0"].into_iter();
    let by_hand = |line: &str| match line.strip_suffix("weight: 0").or(line.strip_suffix("weight: 100")) {
        Some(indent) => format!("{indent}weight: {}\n", weights.next().unwrap()),
        None => format!("{line}\n"),
    };
    traefik.by_hand(&green.lines().map(by_hand).collect::<String>());
    eventually("Traefik follows", Duration::from_secs(10), || (test.live() == "v1 blue").then_some(()));
    let status = test.cutover(&["status", "--check"]).expect(70);
    assert_golden("traefik-by-hand.txt", &told(&test, &traefik, &(status.stdout + &status.stderr)));
    assert_moved_is_adopted(&test);
}

#[test]
fn a_traefik_that_does_not_follow_says_why_and_nothing_is_changed() {
    let Some((test, mut traefik)) = with_v1(local()) else { return };
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut said = String::new();
    let mut refused = |traefik: &Traefik, status: i32| {
        let failed = test.cutover(&["deploy"]).expect(status);
        said.push_str(&told(&test, traefik, &failed.stderr));
    };
    // As long as there is one file that it can't read, Traefik takes up nothing new.
    let other = traefik.dynamic().join("other.yml");
    fs::write(&other, "http:\n  servces: {}\n").unwrap();
    refused(&traefik, 10);
    fs::remove_file(&other).unwrap();
    traefik.let_in(false);
    refused(&traefik, 10);
    traefik.let_in(true);
    let good = fs::read_to_string(traefik.file()).unwrap();
    traefik.by_hand(&good.replacen("# Written by cutover", "# Mine", 1));
    refused(&traefik, 11);
    traefik.by_hand(&good);
    load.finish().assert_none_failed();
    traefik.stop();
    refused(&traefik, 11);
    traefik.start(test.router());
    assert_golden("traefik-refused.txt", &said);
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    let mut names: Vec<_> =
        fs::read_dir(traefik.dynamic()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["cutover-shop.yml", "shop.yml"], "nothing is left behind");
}
