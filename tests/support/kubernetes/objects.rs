//! The objects of the cluster, as JSON. Pure, but for asking whether a pod listens.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// The Service and the route as somebody has made them.
pub(super) fn first() -> (Value, Value) {
    let service = json!({
        "kind": "Service", "apiVersion": "v1",
        "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "1"},
        "spec": {"type": "ClusterIP", "selector": {"app": "web", "color": "none"}, "ports": [{"port": 80, "targetPort": "http"}]},
    });
    let backend = |name: &str| json!({"group": "", "kind": "Service", "name": name, "port": 80, "weight": 0});
    let matches = json!([{"path": {"type": "PathPrefix", "value": "/"}}]);
    let route = json!({
        "kind": "HTTPRoute", "apiVersion": "gateway.networking.k8s.io/v1",
        "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "1", "generation": 1},
        "spec": {
            "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge"}],
            "rules": [{"matches": matches, "backendRefs": [backend("web-blue"), backend("web-green")]}],
        },
        "status": status(&json!(1)),
    });
    (service, route)
}

/// What a gateway notes in a route that it has taken.
pub(super) fn status(generation: &Value) -> Value {
    let condition = |kind: &str, reason: &str| json!({"type": kind, "status": "True", "reason": reason, "message": "", "observedGeneration": generation});
    let conditions = [condition("Accepted", "Accepted"), condition("ResolvedRefs", "ResolvedRefs")];
    json!({"parents": [{"parentRef": {"name": "edge"}, "controllerName": "example.com/edge", "conditions": conditions}]})
}

/// Kind and name of what a path leads to.
pub(super) fn named(path: &str) -> Option<(&str, Option<&str>)> {
    let core = path.strip_prefix("/api/v1/namespaces/shop/");
    let discovery = path.strip_prefix("/apis/discovery.k8s.io/v1/namespaces/shop/");
    let gateway = path.strip_prefix("/apis/gateway.networking.k8s.io/v1/namespaces/shop/");
    let known =
        [(core, &["services", "pods"][..]), (discovery, &["endpointslices"]), (gateway, &["httproutes"])];
    known.into_iter().find_map(|(rest, kinds)| {
        let (kind, name) = rest?.split_once('/').map_or((rest?, None), |(kind, name)| (kind, Some(name)));
        kinds.contains(&kind).then_some((kind, name))
    })
}

/// The role that `cutover setup` prints, for both styles.
pub(super) fn is_in_role(verb: &str, kind: &str) -> bool {
    matches!((verb, kind), ("get" | "patch", "services" | "httproutes") | ("list", "pods" | "endpointslices"))
}

pub(super) fn refused(status: u16, reason: &str, message: &str) -> (u16, Value) {
    let object = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": status,
    });
    (status, object)
}

pub(super) fn answered(kind: &str, version: &str, items: &[Value]) -> (u16, Value) {
    (200, json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}))
}

/// RFC 7386.
pub(super) fn merge(object: &mut Value, patch: &Value) {
    let Value::Object(entries) = patch else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (key, value) in entries {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut object[key.as_str()], value);
        }
    }
}

/// Whether an object is one that the API takes.
pub(super) fn check(object: &Value) -> Result<(), String> {
    if object["kind"] == "Service" {
        let selector = object["spec"]["selector"].as_object().ok_or("spec.selector: Required value")?;
        let odd = selector.iter().find(|(_, value)| value.as_str().is_none_or(str::is_empty));
        return odd
            .map_or(Ok(()), |(key, value)| Err(format!("spec.selector.{key}: Invalid value: {value}")));
    }
    for (index, rule) in
        object["spec"]["rules"].as_array().ok_or("spec.rules: Required value")?.iter().enumerate()
    {
        for backend in rule["backendRefs"].as_array().into_iter().flatten() {
            let weight = &backend["weight"];
            if !weight.is_null() && weight.as_u64().is_none_or(|weight| weight > 1_000_000) {
                return Err(format!("spec.rules[{index}].backendRefs.weight: Invalid value: {weight}"));
            }
            let known = ["group", "kind", "name", "port", "weight"];
            let entries = backend.as_object().ok_or("spec.rules.backendRefs: Invalid value")?;
            if let Some(key) = entries.keys().find(|key| !known.contains(&key.as_str())) {
                return Err(format!("unknown field \"spec.rules[{index}].backendRefs.{key}\""));
            }
        }
    }
    Ok(())
}

/// The labels of an encoded selector of equalities.
pub(super) fn labels(query: &str) -> Vec<(String, String)> {
    let plain = query.replace("%2F", "/").replace("%3D", "=").replace("%2C", ",");
    let pairs = plain.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// A colour's pods: one that listens is ready, unless all are found not to be.
pub(super) fn pods(color: &str, addresses: &[SocketAddr], unready: bool) -> Vec<Value> {
    let pod = |(index, address): (usize, &SocketAddr)| {
        let listens = TcpStream::connect_timeout(address, Duration::from_millis(500)).is_ok();
        let ready = if listens && !unready { "True" } else { "False" };
        json!({
            "metadata": {"name": format!("web-{color}-{index}"), "labels": {"app": "web", "color": color}},
            "status": {"podIP": address.ip().to_string(), "conditions": [{"type": "Ready", "status": ready}]},
        })
    };
    addresses.iter().enumerate().map(pod).collect()
}

/// The endpoint of a pod.
pub(super) fn endpoint(pod: &Value) -> Value {
    let ready = pod["status"]["conditions"][0]["status"] == "True";
    json!({
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": ready, "terminating": false},
        "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": "shop"},
    })
}

/// A colour's weight in a route.
pub(super) fn weight(route: &Value, color: &str) -> u32 {
    let backends = route["spec"]["rules"][0]["backendRefs"].as_array().into_iter().flatten();
    let own = backends.filter(|backend| backend["name"] == format!("web-{color}"));
    own.map(|backend| backend["weight"].as_u64().unwrap_or(1).try_into().unwrap_or(u32::MAX)).sum()
}
