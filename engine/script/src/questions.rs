//! What a script is told: the records of the contract with keys in camelCase.

use boa_engine::{Context, JsResult, JsValue, js_string};
use cutover_hooks::hosts::Output;
use cutover_hooks::http::Response;
use cutover_hooks::{Call, Instance, Release, Routing, Source};
use serde_json::{Value, json};

use crate::bytes;

/// See [`Call`].
pub(crate) fn call(call: &Call) -> Value {
    json!({
        "deployment": call.deployment,
        "app": call.app,
        "release": release(&call.release),
        "previous": call.previous.as_ref().map(release),
        "color": call.color.as_str(),
        "attempt": call.attempt,
        "instances": call.instances.iter().map(instance).collect::<Vec<_>>(),
        "settings": call.settings,
        "facts": call.facts,
    })
}

fn release(release: &Release) -> Value {
    json!({
        "id": release.id,
        "revision": release.revision,
        "version": release.version,
        "digest": release.digest,
        "labels": release.labels,
    })
}

/// See [`Instance`].
pub(crate) fn instance(instance: &Instance) -> Value {
    json!({
        "host": instance.host,
        "color": instance.color.as_str(),
        "listen": instance.listen,
        "address": instance.address,
        "port": instance.port,
        "labels": instance.labels,
    })
}

/// See [`Source`].
pub(crate) fn source(source: &Source) -> Value {
    json!({
        "revision": source.revision,
        "branch": source.branch,
        "checkout": source.checkout,
        "output": source.output,
    })
}

/// See [`Routing`].
pub(crate) fn routing(routing: &Routing) -> Value {
    json!({ "blue": routing.blue, "green": routing.green, "out": routing.out })
}

/// See [`Output`].
pub(crate) fn output(output: &Output) -> Value {
    json!({
        "status": output.status,
        "out": output.out,
        "errors": output.errors,
        "truncated": output.truncated,
    })
}

/// See [`Response`].
///
/// # Errors
/// When there is no memory for it.
pub(crate) fn response(response: Response, context: &mut Context) -> JsResult<JsValue> {
    let Response { status, headers, text, bytes, truncated } = response;
    let record = json!({ "status": status, "headers": headers, "text": text, "truncated": truncated });
    let value = JsValue::from_json(&record, context)?;
    let bytes = bytes::array(bytes, context)?;
    if let Some(object) = value.as_object() {
        object.set(js_string!("bytes"), bytes, true, context)?;
    }
    Ok(value)
}
