//! Shares behind each router that can share: they go out, and they are taken back.

use rustix::process::Signal;
use test_support::{Behaviour, KubernetesStyle, Test};

use crate::canary::{assert_all_back, in_shares, share_of_green, wait_for_share};
use crate::{apache, aws_alb, haproxy, kubernetes, local, traefik};

/// Where `v1` is live on blue: a release that gets sick with its share loses it, one that somebody breaks off too, and one that is well gets
/// share after share. No request is lost.
fn assert_shares(test: &mut Test) {
    let whole = test.config.clone();
    in_shares(test, ["60s", "60s"]);
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::SickAfterVisits(150)).expect(10);
    assert_all_back(test, load);

    let load = test.load();
    test.repository.push("v3", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    wait_for_share(&mut running, 10);
    load.wait_for(100);
    running.signal(Signal::INT);
    assert_eq!(running.finish().expect(20).last_event()["outcome"], "rolled-back");
    assert_all_back(test, load);

    test.config = whole;
    in_shares(test, ["3s", "3s"]);
    let load = test.load();
    let mut running = test.start(&["deploy", "--json"]);
    for (weight, about) in [(10, 4..=18), (50, 40..=60)] {
        wait_for_share(&mut running, weight);
        let share = share_of_green(&load);
        assert!(about.contains(&share), "{share} % of the answers were green's, at {weight} %");
    }
    let _ = running.finish().expect(0);
    assert_eq!(test.live(), "v3 green");
    load.finish().assert_none_failed();
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn haproxy_shares_and_takes_back() {
    let Some(mut world) = haproxy::with_v1(local()) else { return };
    assert_shares(&mut world.test);
}

#[test]
fn apache_shares_and_takes_back() {
    let Some((mut test, _apache)) = apache::with_v1(local()) else { return };
    assert_shares(&mut test);
}

#[test]
fn a_load_balancer_of_aws_shares_and_takes_back() {
    let Some((mut test, _alb)) = aws_alb::with_v1(local()) else { return };
    assert_shares(&mut test);
}

#[test]
fn a_route_of_kubernetes_shares_and_takes_back() {
    let Some((mut test, _cluster)) = kubernetes::with_v1(KubernetesStyle::Gateway) else { return };
    assert_shares(&mut test);
}

#[test]
fn traefik_shares_and_takes_back() {
    let Some((mut test, _traefik)) = traefik::with_v1(local()) else { return };
    assert_shares(&mut test);
}
