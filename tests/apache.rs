//! Apache httpd and its balancer-manager as the router.

use std::fs;
use std::time::Duration;

use test_support::{Apache, Behaviour, Tally, Test, assert_golden, eventually};

use crate::every_router::{assert_moved_is_adopted, assert_sick_is_switched_back};
use crate::{fleet, local};

/// A world whose front door is Apache, set up by what `cutover setup` prints, with `v1` live.
pub(crate) fn with_v1(world: Option<Test>) -> Option<(Test, Apache)> {
    let mut test = world?;
    let mut apache = Apache::new(test.scratch(), test.router())?;
    test.route_by("builtin:apache", &apache.settings(), apache.port());
    test.set_up();
    apache.start(test.router());
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v1 blue");
    Some((test, apache))
}

/// What a person reads, with names for Apache's ports.
fn told(test: &Test, apache: &Apache, text: &str) -> String {
    test.normalise(text).replace(&apache.manager_port().to_string(), "MANAGER")
}

#[test]
fn two_machines_are_switched_and_switched_back_under_load() {
    let Some((test, mut apache)) = with_v1(fleet()) else { return };
    let load = test.load();
    let deployed = test.deploy("v2", Behaviour::Sound).expect(0);
    let of_old = |tally: &Tally| tally.answers.get(&("v1".to_owned(), "blue".to_owned())).copied();
    let after = of_old(&load.so_far());
    load.wait_for(100);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(of_old(&tally), after, "answers of the old colour after the end: {:?}", tally.answers);
    assert_golden("apache-deployment.txt", &told(&test, &apache, &(deployed.stdout + &deployed.stderr)));

    // A restart knows nothing of what its balancer-manager was told, nor does a reload.
    apache.reload(test.router());
    assert_eq!(test.live(), "v2 green");
    apache.stop();
    apache.start(test.router());
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);

    let load = test.load();
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_sick_release_is_switched_back() {
    let Some((mut test, _apache)) = with_v1(local()) else { return };
    assert_sick_is_switched_back(&mut test);
}

#[test]
fn what_somebody_does_on_the_page_is_told_and_taken_over_when_asked() {
    let Some((test, apache)) = with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let member = |port: u16| format!("http://127.0.0.1:{port}");
    let (blue, green) = test.ports();
    apache.by_hand(&member(blue), "w_status_D=0");
    apache.by_hand(&member(green), "w_status_S=1");
    assert_eq!(test.live(), "v1 blue");
    let status = test.cutover(&["status", "--check"]).expect(70);
    assert_golden("apache-by-hand.txt", &told(&test, &apache, &(status.stdout + &status.stderr)));
    assert_moved_is_adopted(&test);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

/// Apache forgets that a member was in error when it is asked for something. Where nobody asks, the next deployment says what to do.
#[test]
fn an_error_of_a_release_before_is_told_and_one_request_forgets_it() {
    let Some((mut test, apache)) = with_v1(local()) else { return };
    test.configure("[router]\n", "[router]\ntimeout = \"3s\"\n");
    let green = format!("http://127.0.0.1:{}", test.ports().1);
    apache.by_hand(&green, "w_status_D=0");
    eventually("the member is in error", Duration::from_secs(10), || {
        let _ = test.front_door("/");
        apache.page().contains("Init Err").then_some(())
    });
    apache.by_hand(&green, "w_status_D=1");
    assert!(apache.page().contains("Init Dis Err"));
    let refused = test.deploy("v2", Behaviour::Sound).expect(10);
    assert_golden("apache-was-in-error.txt", &told(&test, &apache, &(refused.stdout + &refused.stderr)));
    assert_eq!(test.live(), "v1 blue");
    assert!(!apache.page().contains("Init Dis Err"));
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
}

#[test]
fn an_apache_that_can_not_be_asked_says_why_and_nothing_is_changed() {
    let Some((test, mut apache)) = with_v1(local()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut said = String::new();
    let mut refused = |apache: &Apache| {
        let failed = test.cutover(&["deploy"]).expect(11);
        said.push_str(&told(&test, apache, &failed.stderr));
    };

    let balancer = fs::read_to_string(apache.server_include()).unwrap();
    let manager = fs::read_to_string(apache.manager_include()).unwrap();
    let (blue, green) = test.ports();
    for (file, from, to) in [
        (apache.server_include(), format!("127.0.0.1:{green}"), format!("127.0.0.9:{green}")),
        (apache.server_include(), format!("127.0.0.1:{blue}\" route"), format!("127.0.0.9:{blue}\" route")),
        (apache.server_include(), "balancer://cutover-shop".to_owned(), "balancer://cutover-blog".to_owned()),
        (apache.manager_include(), "Require local".to_owned(), "Require all denied".to_owned()),
        (
            apache.manager_include(),
            "<Location \"/balancer-manager\">".to_owned(),
            "<Location \"/x\">".to_owned(),
        ),
        (
            apache.manager_include(),
            "ServerName 127.0.0.1".to_owned(),
            "ServerName 127.0.0.1\nRequestHeader unset Referer early".to_owned(),
        ),
    ] {
        let good = fs::read_to_string(&file).unwrap();
        assert!(good.contains(&from), "`{from}` is not in:\n{good}");
        fs::write(&file, good.replace(&from, &to)).unwrap();
        apache.reload(test.router());
        refused(&apache);
        fs::write(&file, good).unwrap();
    }
    assert_eq!(fs::read_to_string(apache.server_include()).unwrap(), balancer);
    assert_eq!(fs::read_to_string(apache.manager_include()).unwrap(), manager);
    apache.stop();
    refused(&apache);
    apache.start(test.router());
    // A restart would bring another colour than the one that is live.
    let elsewhere = apache.begin().with_extension("gone");
    fs::rename(apache.begin(), &elsewhere).unwrap();
    refused(&apache);
    fs::rename(elsewhere, apache.begin()).unwrap();
    assert_golden("apache-refused.txt", &said);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
}
