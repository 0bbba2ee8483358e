//! Values of JavaScript as data: what is there is read, and nothing of the script runs meanwhile.

use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsObject, JsString, JsValue, JsVariant};
use serde_json::{Map, Number, Value};

/// More levels than anything of the contract has.
const DEEPEST: usize = 16;

/// What is no data of the contract.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where in the value: `[0].durationMs`; nothing for all of it.
    pub(crate) place: String,
    /// What is there.
    pub(crate) what: String,
}

/// A value as JSON: `undefined` is null where it stands alone, and absent in an object; numbers are whole.
///
/// # Errors
/// The first part that is anything else: a getter, a function, an object of a class of the language's own.
pub(crate) fn data(value: &JsValue, context: &mut Context) -> Result<Value, Fault> {
    Reading::default().value(value, context)
}

/// The same of a record, with one key of it as it is.
///
/// # Errors
/// As [`data`].
pub(crate) fn with_raw(value: &JsValue, key: &str, context: &mut Context) -> Result<(Value, JsValue), Fault> {
    let mut reading = Reading { raw: Some(JsString::from(key).into()), ..Reading::default() };
    let read = reading.value(value, context)?;
    Ok((read, reading.found))
}

/// What an object itself has under a key, where that is data.
pub(crate) fn own(object: &JsObject, key: &str) -> Option<JsValue> {
    object.borrow().properties().get(&JsString::from(key).into())?.value().cloned()
}

/// Where one is in a value.
#[derive(Debug, Default)]
struct Reading {
    /// The objects on the way.
    held: Vec<JsObject>,
    place: String,
    /// What is not read, at the top.
    raw: Option<PropertyKey>,
    found: JsValue,
}

impl Reading {
    fn value(&mut self, value: &JsValue, context: &mut Context) -> Result<Value, Fault> {
        match value.variant() {
            JsVariant::Null | JsVariant::Undefined => Ok(Value::Null),
            JsVariant::Boolean(is) => Ok(is.into()),
            // As a compiled component has it: a half of a pair becomes U+FFFD.
            JsVariant::String(text) => Ok(text.to_std_string_lossy().into()),
            JsVariant::Integer32(number) => Ok(number.into()),
            JsVariant::Float64(number) => whole(number).map(Value::Number).ok_or_else(|| {
                self.fault(&format!("`{}` is no whole number", JsString::from(number).to_std_string_lossy()))
            }),
            JsVariant::BigInt(_) => Err(self.fault("a bigint")),
            JsVariant::Symbol(_) => Err(self.fault("a symbol")),
            JsVariant::Object(object) => self.object(&object, context),
        }
    }

    fn object(&mut self, object: &JsObject, context: &mut Context) -> Result<Value, Fault> {
        if self.held.contains(object) {
            return Err(self.fault("it holds itself"));
        }
        if self.held.len() == DEEPEST {
            return Err(self.fault("it is nested too deeply"));
        }
        self.held.push(object.clone());
        let read = if object.is_array() {
            self.array(object, context)
        } else if object.is_ordinary() {
            self.record(object, context)
        } else if object.is_callable() {
            Err(self.fault("a function"))
        } else {
            Err(self.fault("neither a plain object nor an array"))
        };
        self.held.pop();
        read
    }

    fn array(&mut self, object: &JsObject, context: &mut Context) -> Result<Value, Fault> {
        // Of an array, `length` is always data, and a number.
        let length = own(object, "length").and_then(|length| length.as_number()).unwrap_or_default();
        let mut items = Vec::new();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "below 2^32, as the language has it"
        )]
        for at in 0..length as u32 {
            let item = self.below(&format!("[{at}]"), |reading| {
                let item = reading.property(object, &at.into())?;
                if item.is_undefined() {
                    return Err(reading.fault("`undefined` in an array"));
                }
                reading.value(&item, context)
            })?;
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn record(&mut self, object: &JsObject, context: &mut Context) -> Result<Value, Fault> {
        // An ordinary object has its keys without asking anybody.
        let keys = object.own_property_keys(context).unwrap_or_default();
        let raw = if self.held.len() == 1 { self.raw.clone() } else { None };
        let mut record = Map::new();
        for key in keys {
            let name = match &key {
                PropertyKey::String(name) => name.to_std_string_lossy(),
                PropertyKey::Index(index) => index.get().to_string(),
                PropertyKey::Symbol(_) => continue,
            };
            let dot = if self.place.is_empty() { "" } else { "." };
            let value = self.below(&format!("{dot}{name}"), |reading| {
                let value = reading.property(object, &key)?;
                if raw.as_ref() == Some(&key) {
                    reading.found = value;
                    return Ok(None);
                }
                if value.is_undefined() { Ok(None) } else { reading.value(&value, context).map(Some) }
            })?;
            if let Some(value) = value {
                record.insert(name, value);
            }
        }
        Ok(Value::Object(record))
    }

    fn property(&self, object: &JsObject, key: &PropertyKey) -> Result<JsValue, Fault> {
        match object.borrow().properties().get(key) {
            None => Ok(JsValue::undefined()),
            Some(property) => {
                property.value().cloned().ok_or_else(|| self.fault("a getter or setter, and no data"))
            }
        }
    }

    fn below<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let before = self.place.len();
        self.place.push_str(step);
        let read = read(self);
        self.place.truncate(before);
        read
    }

    fn fault(&self, what: &str) -> Fault {
        Fault { place: self.place.clone(), what: what.to_owned() }
    }
}

/// Numbers of JavaScript are all floating; the contract has whole ones alone.
fn whole(number: f64) -> Option<Number> {
    /// What a double counts up to without a gap.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole = number.fract() == 0.0 && number.abs() < EXACT;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within what a double counts exactly")]
    is_whole.then(|| Number::from(number as i64))
}
