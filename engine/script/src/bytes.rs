//! Bytes, which are `Uint8Array`s in a script.

use boa_engine::object::builtins::JsUint8Array;
use boa_engine::{Context, JsError, JsResult, JsValue};

use crate::thrown;

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
