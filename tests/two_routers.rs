//! One name for two routers: each of them is proven, and both switch or none does.

use std::fs;

use test_support::{Behaviour, Test, assert_golden, get};

use crate::told;

fn with_v1() -> Option<Test> {
    let test = Test::two_routers(env!("CARGO_BIN_EXE_cutover"))?;
    let deployed = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_golden("two-routers.txt", &told(&test, deployed));
    assert_eq!(live(&test), ["v1 blue", "v1 blue"]);
    Some(test)
}

/// What each router says of itself.
fn live(test: &Test) -> [String; 2] {
    [&test.nginx, test.second_nginx.as_ref().unwrap()].map(|nginx| {
        let page = get(nginx.address(), nginx.port(), "/").unwrap();
        format!("{} {}", page.body.split(' ').next().unwrap(), page.header("x-color"))
    })
}

#[test]
fn a_router_that_goes_on_with_the_old_color_is_found_and_named() {
    let Some(test) = with_v1() else { return };
    // Its file for green was copied from blue's: it says green where it is asked for its colour, and sends users to blue.
    let site = test.second_nginx.as_ref().unwrap().site("green");
    let good = fs::read_to_string(&site).unwrap();
    let (blue, green) = test.ports();
    fs::write(&site, good.replace(&green.to_string(), &blue.to_string())).unwrap();
    let failed = test.deploy("v2", Behaviour::Sound).expect(10);
    assert_golden("two-routers-one-stale.txt", &told(&test, failed));
    assert_eq!(live(&test), ["v1 blue", "v1 blue"]);
    let _ = test.cutover(&["status", "--check"]).expect(0);

    fs::write(&site, good).unwrap();
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(live(&test), ["v2 green", "v2 green"]);
}

#[test]
fn a_second_router_that_can_not_switch_takes_the_first_one_back() {
    let Some(test) = with_v1() else { return };
    let site = test.second_nginx.as_ref().unwrap().site("green");
    let good = fs::read_to_string(&site).unwrap();
    fs::write(&site, good.replace("listen", "lissen")).unwrap();
    let failed = test.deploy("v2", Behaviour::Sound).expect(10);
    assert_golden("two-routers-one-broken.txt", &told(&test, failed));
    assert_eq!(live(&test), ["v1 blue", "v1 blue"]);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}
