//! What a script throws, and what is thrown at it, in the words of the contract.

use boa_engine::{Context, JsError, JsNativeError, JsObject, JsValue, js_string};
use cutover_hooks::HookError;
use cutover_hooks::hosts::HostError;
use cutover_hooks::http::HttpError;
use serde_json::{Value, json};

use crate::{bytes, location};

/// An error without a payload.
pub(crate) fn error(text: &str) -> JsError {
    JsNativeError::error().with_message(text.to_owned()).into()
}

/// One about an argument or an answer of another type.
pub(crate) fn type_error(text: &str) -> JsError {
    JsNativeError::typ().with_message(text.to_owned()).into()
}

/// What an import throws: an error whose `payload` is the case of the contract, as `{ tag, val }`.
pub(crate) fn import_error(tag: &str, val: Value, context: &mut Context) -> JsError {
    let text = match &val {
        Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(": "),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let object = JsNativeError::error().with_message(text).into_opaque(context);
    let noted = JsValue::from_json(&json!({ "tag": tag, "val": val }), context)
        .and_then(|payload| object.set(js_string!("payload"), payload, true, context));
    match noted {
        Ok(_) => JsError::from_opaque(object.into()),
        Err(fault) => fault,
    }
}

/// What the script threw and nobody caught, as the answer of the hook: a case of the contract, bare or as a `payload`, is that case, anything else
/// is `failed`, with file, line and column. `name` is the script's.
pub(crate) fn hook_error(error: JsError, name: &str, context: &mut Context) -> HookError {
    let shown = failed(&error, name);
    let Ok(value) = error.into_opaque(context) else { return shown };
    value.as_object().and_then(|object| case(&object, context)).unwrap_or(shown)
}

/// An error as text, as the hook's.
pub(crate) fn failed(error: &JsError, name: &str) -> HookError {
    HookError::Failed(text(error, name))
}

/// An error for people: `checks/login.js:12:9: TypeError: …`.
pub(crate) fn text(error: &JsError, name: &str) -> String {
    let text = location::first(&error.to_string(), name);
    if text.contains("ReferenceError: console is not defined") {
        return format!(
            "{text}\nhint: `import {{ log }} from \"cutover:hook/engine@0.1.0\"`, and `log(\"info\", …)`"
        );
    }
    text
}

fn case(object: &JsObject, context: &mut Context) -> Option<HookError> {
    let payload = object.get(js_string!("payload"), context).ok()?;
    let case = match payload.as_object() {
        Some(payload) => payload,
        None => object.clone(),
    };
    let json = bytes::to_json(&case.into(), context).ok()?;
    let tag = json.get("tag")?.as_str()?;
    let val = json.get("val")?;
    let text = || val.as_str().map(str::to_owned);
    Some(match tag {
        "denied" => HookError::Denied(text()?),
        "temporary" => HookError::Temporary(text()?),
        "failed" => HookError::Failed(text()?),
        "other" => HookError::Other((val.get(0)?.as_str()?.to_owned(), val.get(1)?.as_str()?.to_owned())),
        // Of an import, and not caught: what the SDK's `?` makes of it.
        "not-found" => HostError::NotFound(text()?).into(),
        "unreachable" => HostError::Unreachable(text()?).into(),
        "broken" => HostError::Broken(text()?).into(),
        "timed-out" => HostError::TimedOut(text()?).into(),
        "connect" => HttpError::Connect(text()?).into(),
        "tls" => HttpError::Tls(text()?).into(),
        _ => return None,
    })
}
