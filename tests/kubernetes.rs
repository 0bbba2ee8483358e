//! Kubernetes as the router, by a Service and by an HTTPRoute: a router that is no host. The API server is a fake.

use std::time::Duration;

use serde_json::json;
use test_support::{
    Behaviour, Ended, Kubernetes, KubernetesStyle, Tally, Test, TlsFront, assert_golden, eventually,
};

use crate::every_router::{assert_moved_is_adopted, assert_sick_is_switched_back};
use crate::local;

/// A world in front of which a cluster is, with `v1` live.
pub(crate) fn with_v1(style: KubernetesStyle) -> Option<(Test, Kubernetes)> {
    let mut test = local()?;
    let (blue, green) = test.ports();
    let at = |port: u16| vec![format!("127.0.0.1:{port}")];
    let cluster = Kubernetes::start(style, &at(blue), &at(green));
    test.route_by("builtin:kubernetes", &cluster.settings(), cluster.door());
    test.configure("hook = \"builtin:kubernetes\"", "names = [\"cluster\"]\nhook = \"builtin:kubernetes\"");
    test.config.push_str("\n[secrets]\nkubernetes-token = { env = \"KUBERNETES_TOKEN\" }\n");
    test.variables = cluster.variables();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v1 blue");
    Some((test, cluster))
}

/// What a person reads, with a name for the port of the API.
fn told(test: &Test, cluster: &Kubernetes, ended: &Ended) -> String {
    let text = ended.stdout.clone() + &ended.stderr;
    test.normalise(&text).replace(&cluster.port().to_string(), "API")
}

fn is_switched_and_switched_back_under_load(style: KubernetesStyle) -> Option<String> {
    let (test, cluster) = with_v1(style)?;
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
    Some(told(&test, &cluster, &deployed))
}

#[test]
fn a_service_is_switched_and_switched_back_under_load() {
    let Some(said) = is_switched_and_switched_back_under_load(KubernetesStyle::Service) else { return };
    assert_golden("kubernetes-deployment.txt", &said);
}

#[test]
fn a_route_is_switched_and_switched_back_under_load() {
    let Some(said) = is_switched_and_switched_back_under_load(KubernetesStyle::Gateway) else { return };
    assert_golden("kubernetes-deployment.txt", &said);
}

#[test]
fn a_sick_release_is_switched_back() {
    let Some((mut test, _cluster)) = with_v1(KubernetesStyle::Service) else { return };
    assert_sick_is_switched_back(&mut test);
}

#[test]
fn a_selector_that_somebody_has_changed_is_told_and_taken_over_when_asked() {
    let Some((test, cluster)) = with_v1(KubernetesStyle::Service) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    cluster.by_hand("service", "/spec/selector/color", "blue".into());
    eventually("the cluster follows", Duration::from_secs(10), || (test.live() == "v1 blue").then_some(()));
    assert_golden(
        "kubernetes-by-hand.txt",
        &told(&test, &cluster, &test.cutover(&["status", "--check"]).expect(70)),
    );
    assert_moved_is_adopted(&test);
}

#[test]
fn weights_that_somebody_has_changed_are_taken_over_when_asked_and_what_stands_beside_them_is_kept() {
    let Some((test, cluster)) = with_v1(KubernetesStyle::Gateway) else { return };
    cluster.by_hand("route", "/spec/rules/0/matches/0/path/value", "/".into());
    cluster.by_hand("route", "/spec/parentRefs/0/name", "other".into());
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let [_, mut route] = cluster.specifications();
    assert_eq!(route["parentRefs"][0]["name"], "other");
    let weights: Vec<_> = route["rules"][0]["backendRefs"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .map(|backend| backend["weight"].take())
        .collect();
    assert_eq!(weights, [json!(0), json!(100)]);
    cluster.by_hand("route", "/spec/rules/0/backendRefs/0/weight", 100.into());
    cluster.by_hand("route", "/spec/rules/0/backendRefs/1/weight", 0.into());
    eventually("the cluster follows", Duration::from_secs(10), || (test.live() == "v1 blue").then_some(()));
    assert_moved_is_adopted(&test);
}

#[test]
fn a_cluster_that_refuses_says_why_and_nothing_is_changed() {
    let renamed = ["service = \"web\"", "service = \"wed\""];
    assert_refused(KubernetesStyle::Service, renamed, "patch services", "kubernetes-refused.txt");
}

#[test]
fn a_cluster_that_refuses_to_change_a_route_says_why_and_nothing_is_changed() {
    let renamed = ["route = \"web\"", "route = \"wed\""];
    assert_refused(KubernetesStyle::Gateway, renamed, "patch httproutes", "kubernetes-route-refused.txt");
}

/// As the API servers of most clusters have it.
#[test]
fn a_cluster_with_an_authority_of_its_own() {
    let Some((mut test, cluster)) = with_v1(KubernetesStyle::Service) else { return };
    let Some(front) = TlsFront::start(test.scratch(), cluster.port()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let plain = format!("server = \"http://127.0.0.1:{}\"", cluster.port());
    let over_tls = format!("server = \"https://127.0.0.1:{}\"", front.port());
    test.configure(&plain, &over_tls);
    let mut said = told(&test, &cluster, &test.cutover(&["deploy"]).expect(11));
    let trusting = |pem: &str| format!("{over_tls}, ca = \"{}\"", pem.replace('\n', "\\n"));
    test.configure(&over_tls, &trusting(&front.other_authority()));
    said.push_str(&told(&test, &cluster, &test.cutover(&["deploy"]).expect(11)));
    assert_golden("kubernetes-own-authority.txt", &said.replace(&front.port().to_string(), "TLS"));
    test.configure(&trusting(&front.other_authority()), &trusting(&front.authority()));
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

fn assert_refused(style: KubernetesStyle, [right, wrong]: [&str; 2], change: &str, golden: &str) {
    let Some((mut test, cluster)) = with_v1(style) else { return };
    let before = cluster.specifications();
    let load = test.load();
    test.repository.push("v2", Behaviour::Sound);
    let mut said = String::new();
    test.variables[0].1.push('x');
    said.push_str(&told(&test, &cluster, &test.cutover(&["deploy"]).expect(11)));
    test.variables = cluster.variables();
    test.configure(right, wrong);
    said.push_str(&told(&test, &cluster, &test.cutover(&["deploy"]).expect(11)));
    test.configure(wrong, right);
    // Found by the dry run, before anything is switched.
    cluster.forbid(change);
    said.push_str(&told(&test, &cluster, &test.cutover(&["deploy"]).expect(10)));
    cluster.forbid("");
    assert_golden(golden, &said);
    assert_eq!(cluster.specifications(), before);
    load.finish().assert_none_failed();
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v2 green");
}
