//! What a script throws, and what is thrown at it, in the words of the contract.

use boa_engine::error::{EngineError, RuntimeLimitError};
use boa_engine::{Context, JsError, JsNativeError, JsObject, JsValue, js_string};
use cutover_hooks::HookError;
use cutover_hooks::hosts::HostError;
use cutover_hooks::http::HttpError;
use serde_json::{Value, json};

use crate::{globals, location, plain};

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
pub(crate) fn hook_error(error: &JsError, name: &str, context: &mut Context) -> HookError {
    let value = error.as_opaque().and_then(JsValue::as_object);
    value.and_then(|object| case(&object, context)).unwrap_or_else(|| failed(error, name))
}

/// An error as text, as the hook's.
pub(crate) fn failed(error: &JsError, name: &str) -> HookError {
    HookError::Failed(text(error, name))
}

/// An error for people: `checks/login.js:12:9: TypeError: …`, and in a line of its own what to do.
pub(crate) fn text(error: &JsError, name: &str) -> String {
    let mut text = location::first(&error.to_string(), name);
    if let Some(EngineError::RuntimeLimit(limit)) = error.as_engine() {
        text = text.replace(&format!("RuntimeLimitError: {limit}"), limit_text(*limit));
    }
    let text = text.replace(
        "could not find export `default`",
        "an interface exports nothing by `default`: `import { … } from`",
    );
    let undefined =
        text.split_once("ReferenceError: ").and_then(|(_, told)| told.strip_suffix(" is not defined"));
    match undefined.and_then(globals::instead_of) {
        Some(instead) => format!("{text}\nhint: {instead}"),
        None => text,
    }
}

/// What is printed where the engine gives no more memory for an array; none of any other error.
pub(crate) fn out_of_memory(error: &JsError, name: &str) -> Option<String> {
    let text = location::first(&error.to_string(), name);
    let (place, rest) = text.split_once("RangeError: invalid layout")?;
    rest.ends_with("while allocating data block").then(|| format!("{place}there is no memory for this array"))
}

/// What the interpreter itself sets a limit to.
const fn limit_text(limit: RuntimeLimitError) -> &'static str {
    match limit {
        RuntimeLimitError::Recursion => "it calls itself too deeply: a script may be 512 calls deep",
        RuntimeLimitError::StackSize => {
            "its calls hold too many values at once: hand over an array instead of spreading a long one"
        }
        RuntimeLimitError::LoopIteration => "it loops too often",
    }
}

/// The case that a thrown object is, or its `payload`: out of what these have themselves, so that nothing of the script runs any more.
fn case(object: &JsObject, context: &mut Context) -> Option<HookError> {
    let payload = plain::own(object, "payload").and_then(|payload| payload.as_object());
    let case = payload.as_ref().unwrap_or(object);
    let mut part = |key| plain::data(&plain::own(case, key)?, context).ok();
    let (tag, val) = (part("tag")?, part("val")?);
    let text = || val.as_str().map(str::to_owned);
    Some(match tag.as_str()? {
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
