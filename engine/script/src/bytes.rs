//! Between values of JavaScript and JSON, and bytes, which JSON has not.

use boa_engine::object::builtins::JsUint8Array;
use boa_engine::{Context, JsError, JsResult, JsValue};
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use crate::thrown;

/// A value as JSON: `undefined` is null, and whole numbers are whole.
///
/// # Errors
/// When it holds what JSON can't.
pub(crate) fn to_json(value: &JsValue, context: &mut Context) -> JsResult<Value> {
    Ok(whole(value.to_json(context)?.unwrap_or(Value::Null)))
}

/// An argument of a call, or a part of one, as what the contract has there; `name` is what the contract calls it.
///
/// # Errors
/// A TypeError that names the key.
pub(crate) fn argument<T: DeserializeOwned>(
    value: &JsValue,
    name: &str,
    context: &mut Context,
) -> JsResult<T> {
    serde_path_to_error::deserialize(to_json(value, context)?).map_err(|error| {
        let path = error.path().to_string();
        let key = if path == "." { name.to_owned() } else { format!("{name}.{path}") };
        thrown::type_error(&format!("`{key}`: {}", error.into_inner()))
    })
}

/// Numbers of JavaScript are all floating; the contract has whole ones alone.
fn whole(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, whole(value))).collect(),
        Value::Number(number) => Value::Number(whole_number(&number).unwrap_or(number)),
        plain @ (Value::Null | Value::Bool(_) | Value::String(_)) => plain,
    }
}

fn whole_number(number: &Number) -> Option<Number> {
    /// What a double counts up to without a gap.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().filter(|_| number.is_f64())?;
    let is_whole = float.fract() == 0.0 && float.abs() < EXACT;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within what a double counts exactly")]
    is_whole.then(|| Number::from(float as i64))
}

/// The bytes of a `Uint8Array`.
///
/// # Errors
/// When it is something else; `what` names it.
pub(crate) fn of(value: &JsValue, what: &str, context: &mut Context) -> JsResult<Vec<u8>> {
    let other = || -> JsError { thrown::type_error(&format!("`{what}` has to be a Uint8Array")) };
    let object = value.as_object().ok_or_else(other)?;
    JsUint8Array::from_object(object).map_err(|_| other())?.to_vec(context)
}

/// A `Uint8Array` of bytes.
///
/// # Errors
/// When there is no memory for it.
pub(crate) fn array(bytes: Vec<u8>, context: &mut Context) -> JsResult<JsValue> {
    Ok(JsUint8Array::from_iter(bytes, context)?.into())
}
