//! Who says yes to a change and never makes it: nothing is believed but what a router shows, and the traffic goes back.

use test_support::{Behaviour, assert_golden};

use crate::conformance::Careless;
use crate::routed::Kind;
use crate::told;

#[test]
fn a_router_of_a_strangers() {
    let Some(mut careless) = Careless::new() else { return };
    careless.test.configure("[router]\n", "[router]\ntimeout = \"1s\"\n");
    careless.sins("never-settles");
    let load = careless.test.load();
    let failed = careless.test.deploy("v3", Behaviour::Sound).expect(10);
    assert_golden("never-settles/stranger.txt", &told(&careless.test, failed));
    assert_eq!(careless.test.live(), "v2 green");
    load.finish().assert_none_failed();
    let _ = careless.test.cutover(&["status", "--check"]).expect(0);
}

fn is_put_back(kind: Kind) {
    let Some(world) = kind.with_v1() else { return };
    let load = world.test.load();
    world.peer.pretend(true);
    let failed = world.test.deploy("v2", Behaviour::Sound);
    assert_eq!(world.test.live(), "v1 blue");
    world.peer.pretend(false);
    let (status, mut told) = (failed.status, world.told(failed));
    if status == 40 {
        // What it was asked for last is the way back, of which it has not said that it is so.
        told.push_str(&world.told(world.test.cutover(&["resume"]).expect(10)));
    }
    assert_eq!(status, if kind == Kind::KubernetesByRoute { 40 } else { 10 }, "{told}");
    assert_golden(&format!("never-settles/{}.txt", kind.name()), &told);
    assert_eq!(world.test.live(), "v1 blue");
    let _ = world.test.cutover(&["status", "--check"]).expect(0);
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v2 green");
    load.finish().assert_none_failed();
}

#[test]
fn a_load_balancer_of_aws() {
    is_put_back(Kind::AwsAlb);
}

#[test]
fn a_foundation() {
    is_put_back(Kind::CloudFoundry);
}

#[test]
fn a_service_whose_endpoints_do_not_follow() {
    is_put_back(Kind::KubernetesByService);
}

#[test]
fn a_route_that_no_gateway_takes_up() {
    is_put_back(Kind::KubernetesByRoute);
}
