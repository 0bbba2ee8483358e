//! The EndpointSlices of a Service: who gets its requests, as the cluster has worked it out.

use std::collections::BTreeSet;

use cutover_hooks::HookError;

use crate::api::Api;

/// Names of the pods that get requests of a Service, and of those endpoints that get none.
///
/// # Errors
/// When the API server does not tell.
pub(crate) fn pods(
    api: &Api<'_>,
    namespace: &str,
    service: &str,
) -> Result<(BTreeSet<String>, BTreeSet<String>), HookError> {
    let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
    let (mut ready, mut rest) = (BTreeSet::new(), BTreeSet::new());
    for slice in api.list(&path, &[("kubernetes.io/service-name", service)])? {
        for endpoint in slice["endpoints"].as_array().into_iter().flatten() {
            let address = endpoint["addresses"][0].as_str().unwrap_or_default();
            let name = endpoint["targetRef"]["name"].as_str().unwrap_or(address).to_owned();
            // Where it is not told, it is ready.
            let is_ready = endpoint["conditions"]["ready"].as_bool().unwrap_or(true);
            let is_leaving = endpoint["conditions"]["terminating"].as_bool().unwrap_or(false);
            if is_ready {
                ready.insert(name);
            } else if !is_leaving {
                rest.insert(name);
            }
        }
    }
    Ok((ready, rest))
}
