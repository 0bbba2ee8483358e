//! nginx with a site for each colour: a link, a check, and a reload.

use std::fs;

use test_support::{Behaviour, Test, assert_golden};

use crate::{local, told};

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
