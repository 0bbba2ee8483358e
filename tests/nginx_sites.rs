//! nginx that reads its configuration anew: a link to the site of a colour, or the file of an upstream, a check, and a reload.

use std::fs;
use std::time::Duration;

use test_support::{Behaviour, Test, assert_golden, eventually};

use crate::every_router::assert_moved_is_adopted;
use crate::{canary, local, told, with_v1};

/// A world with a site for each colour, and `v1` live.
pub(crate) fn with_sites() -> Option<Test> {
    let mut test = local()?;
    let sites = test.nginx.write_sites("127.0.0.1", test.ports());
    let flags = test.nginx.settings();
    test.configure(&flags, &sites);
    test.start_nginx();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v1 blue");
    Some(test)
}

#[test]
fn a_link_and_a_reload_switch_and_switch_back() {
    let Some(test) = with_sites() else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
    assert_eq!(test.front_door("/deployment_id").body, "green");
    let _ = test.cutover(&["status", "--check"]).expect(0);
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_link_that_somebody_has_moved_is_told_and_taken_over_when_asked() {
    let Some(test) = with_sites() else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    fs::remove_file(test.nginx.link()).unwrap();
    std::os::unix::fs::symlink(test.nginx.site("blue"), test.nginx.link()).unwrap();
    test.nginx.reload(test.router());
    assert_followed_and_adopted(&test);
}

#[test]
fn an_upstream_that_somebody_has_changed_is_told_and_taken_over_when_asked() {
    let Some(test) = with_v1(canary::behind_upstream()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let (blue, green) = test.ports();
    let (blue, green) = (format!(":{blue}"), format!(":{green}"));
    let changes = [
        ("blue 0 green 100", "blue 100 green 0"),
        ("shares 0 100", "shares 100 0"),
        (green.as_str(), blue.as_str()),
    ];
    test.nginx.move_upstream(test.router(), &changes);
    assert_followed_and_adopted(&test);
}

fn assert_followed_and_adopted(test: &Test) {
    eventually("nginx has read it", Duration::from_secs(10), || (test.live() == "v1 blue").then_some(()));
    assert_moved_is_adopted(test);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_site_that_breaks_the_configuration_takes_no_effect() {
    let Some(test) = with_sites() else { return };
    let good = fs::read_to_string(test.nginx.site("green")).unwrap();
    fs::write(test.nginx.site("green"), good.replace("listen", "lissen")).unwrap();
    let failed = test.deploy("v2", Behaviour::Sound).expect(10);
    assert_golden("nginx-site-breaks.txt", &told(&test, failed));
    assert_eq!(test.live(), "v1 blue");
    // Workers of before the reload may take a moment to go.
    let _ = test.cutover(&["status", "--check"]).expect(0);
}
