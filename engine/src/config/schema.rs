//! The JSON Schema of the file, for editors: made from the key tables that the reader itself uses.

use serde_json::{Map, Value, json};

use super::format::Format;
use super::grants;
use super::limits;
use super::root;
use super::shape::{Key, Keys, Presence, Shape};
use crate::model::HookKind;

/// The schema (draft 2020-12), with the settings of these hooks: each with its name, without `builtin:`, its kind, and the schema of its
/// settings.
#[must_use]
pub fn schema(hooks: &[(&str, HookKind, Value)]) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".to_owned(), "cutover.toml".into());
    schema.insert("description".to_owned(), root::KEYS.doc.into());
    schema.extend(object(&root::KEYS, Extent::Whole));
    let mut definitions = Map::new();
    for (name, keys) in SHARED {
        definitions.insert(name.to_owned(), object(keys, Extent::Whole).into());
    }
    for (name, _, settings) in hooks {
        definitions.insert(format!("builtin:{name}"), settings.clone());
    }
    schema.insert("$defs".to_owned(), definitions.into());
    for kind in HookKind::ALL {
        let names = hooks.iter().filter(|(_, of, _)| *of == kind).map(|(name, ..)| *name);
        let names: Vec<&str> = names.collect();
        let table = match kind {
            HookKind::SmokeTest => "/properties/smoke-test/items".to_owned(),
            HookKind::Build | HookKind::HealthCheck | HookKind::Router => format!("/properties/{kind}"),
        };
        // Overlays say nothing of it: what their settings are laid over may be those of another hook.
        let mut whole = Value::Object(schema);
        if let Some(Value::Object(table)) = whole.pointer_mut(&table).filter(|_| !names.is_empty()) {
            let conditions: Vec<Value> = names.iter().map(|name| condition(table, name)).collect();
            table.insert("allOf".to_owned(), conditions.into());
        }
        schema = if let Value::Object(schema) = whole { schema } else { Map::new() };
    }
    Value::Object(schema)
}

/// Where a table has this hook, its settings are this hook's.
fn condition(table: &Map<String, Value>, name: &str) -> Value {
    let hook = format!("builtin:{name}");
    let is_default = table["properties"]["hook"]["default"] == *hook;
    let required: &[&str] = if is_default { &[] } else { &["hook"] };
    json!({
        "if": { "properties": { "hook": { "const": hook } }, "required": required },
        "then": { "properties": { "settings": { "$ref": format!("#/$defs/{hook}") } } },
    })
}

/// The tables that every hook has: written once.
static SHARED: [(&str, &Keys); 2] = [("grants", &grants::KEYS), ("limits", &limits::KEYS)];

/// Whether a table must be whole, or lies over another one.
#[derive(Clone, Copy, PartialEq)]
enum Extent {
    Whole,
    Overlay,
}

fn object(keys: &'static Keys, extent: Extent) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in keys.keys {
        properties.insert(key.name.to_owned(), property(key, extent));
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    schema.insert("additionalProperties".to_owned(), false.into());
    let required = keys.keys.iter().filter(|key| matches!(key.presence, Presence::Required(_)));
    let required: Vec<Value> = required.map(|key| key.name.into()).collect();
    if extent == Extent::Whole && !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

fn property(key: &'static Key, extent: Extent) -> Value {
    // Overlays are the one place where a table need not be whole.
    let extent = if key.name == "environments" { Extent::Overlay } else { extent };
    let mut schema = if SHARED.iter().any(|(name, _)| *name == key.name) {
        Map::from_iter([("$ref".to_owned(), format!("#/$defs/{}", key.name).into())])
    } else {
        value(&key.shape, extent)
    };
    schema.insert("description".to_owned(), key.doc.into());
    let default: Option<Value> = match key.presence {
        Presence::Text(text) => Some(text.into()),
        Presence::Integer(number) => Some(number.into()),
        Presence::False => Some(false.into()),
        Presence::Required(_) | Presence::Optional => None,
    };
    schema.extend(default.map(|default| ("default".to_owned(), default)));
    schema.into()
}

fn value(shape: &'static Shape, extent: Extent) -> Map<String, Value> {
    let schema = match shape {
        Shape::Text(format) => return text(format),
        Shape::Choice(choices) => json!({ "enum": choices }),
        Shape::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Limit(limit) => json!({ "type": "string", "pattern": limits::pattern(*limit) }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::List(one) => json!({ "type": "array", "items": value(one, Extent::Whole) }),
        Shape::NonEmpty(one) => json!({ "type": "array", "items": value(one, Extent::Whole), "minItems": 1 }),
        Shape::OneOrMore(one) => {
            let one = value(one, Extent::Whole);
            json!({ "anyOf": [one, { "type": "array", "items": one }] })
        }
        Shape::Table(keys) => return object(keys, extent),
        Shape::OneOf(keys) => {
            let mut schema = object(keys, Extent::Whole);
            schema.insert("minProperties".to_owned(), 1.into());
            schema.insert("maxProperties".to_owned(), 1.into());
            return schema;
        }
        Shape::Map(names, shape) => {
            json!({ "type": "object", "propertyNames": text(names), "additionalProperties": value(shape, extent) })
        }
        Shape::Named(keys) => json!({ "type": "array", "items": object(keys, extent) }),
        Shape::Either(shapes) => {
            let schemas: Vec<_> = shapes.iter().map(|shape| value(shape, extent)).collect();
            json!({ "anyOf": schemas })
        }
        Shape::Settings => json!({ "type": "object" }),
    };
    if let Value::Object(schema) = schema { schema } else { Map::new() }
}

fn text(format: &Format) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "string".into());
    if let Some(pattern) = format.pattern {
        schema.insert("pattern".to_owned(), pattern.into());
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::super::tests::{load_text, texts};
    use super::*;

    /// As much of a validator as the schema needs; patterns are the formats' own business.
    fn accepts(root: &Value, schema: &Value, value: &Value) -> bool {
        let schema = match schema["$ref"].as_str() {
            Some(reference) => &root["$defs"][reference.trim_start_matches("#/$defs/")],
            None => schema,
        };
        let accepts = |schema: &Value, value: &Value| accepts(root, schema, value);
        let conditions = schema["allOf"].as_array().map_or(&[][..], Vec::as_slice);
        let holds = |condition: &Value| {
            let said = &value["hook"];
            let meant = if said.is_null() {
                condition["if"]["required"] == json!([])
            } else {
                *said == condition["if"]["properties"]["hook"]["const"]
            };
            let settings = &condition["then"]["properties"]["settings"];
            !meant || value["settings"].is_null() || accepts(settings, &value["settings"])
        };
        if !conditions.iter().all(holds) {
            return false;
        }
        if let Some(any) = schema["anyOf"].as_array() {
            return any.iter().any(|schema| accepts(schema, value));
        }
        if let Some(choices) = schema["enum"].as_array() {
            return choices.contains(value);
        }
        match (schema["type"].as_str(), value) {
            (Some("string"), Value::String(_)) | (Some("boolean"), Value::Bool(_)) => true,
            (Some("integer"), Value::Number(number)) => {
                let number = number.as_i64();
                number.is_some()
                    && number >= schema["minimum"].as_i64()
                    && number <= schema["maximum"].as_i64()
            }
            (Some("array"), Value::Array(items)) => {
                items.len() as u64 >= schema["minItems"].as_u64().unwrap_or(0)
                    && items.iter().all(|item| accepts(&schema["items"], item))
            }
            (Some("object"), Value::Object(entries)) => {
                let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
                let more = &schema["additionalProperties"];
                let fits = |(name, value): (&String, &Value)| match schema["properties"].get(name) {
                    Some(schema) => accepts(schema, value),
                    None => more.is_null() || (more.is_object() && accepts(more, value)),
                };
                let count = entries.len() as u64;
                required.iter().all(|name| name.as_str().is_some_and(|name| entries.contains_key(name)))
                    && entries.iter().all(fits)
                    && count >= schema["minProperties"].as_u64().unwrap_or(0)
                    && count <= schema["maxProperties"].as_u64().unwrap_or(u64::MAX)
            }
            _ => false,
        }
    }

    #[test]
    fn settings_are_those_of_the_hook_that_is_meant() {
        let settings = |key: &str| json!({ "type": "object", "additionalProperties": false, "properties": { key: { "type": "string" } } });
        let hooks = [
            ("nginx", HookKind::Router, settings("style")),
            ("other", HookKind::Router, settings("way")),
            ("http-smoke", HookKind::SmokeTest, settings("path")),
        ];
        let schema = schema(&hooks);
        let table = [
            ("", "", true),
            ("settings = { style = 'x' }", "", true),
            ("hook = 'builtin:nginx'\nsettings = { style = 'x' }", "", true),
            ("settings = { way = 'x' }", "", false),
            ("hook = 'builtin:other'\nsettings = { way = 'x' }", "", true),
            ("hook = 'builtin:other'\nsettings = { style = 'x' }", "", false),
            ("hook = 'own.wasm'\nsettings = { anything = 1 }", "", true),
            ("", "hook = 'builtin:http-smoke'\nsettings = { path = '/' }", true),
            ("", "hook = 'builtin:http-smoke'\nsettings = { pth = '/' }", false),
        ];
        for (router, smoke, taken) in table {
            let smoke =
                if smoke.is_empty() { String::new() } else { format!("[[smoke-test]]\nname = 'a'\n{smoke}") };
            let text = format!(
                "name = 'shop'\n[app]\nstart = ['x']\nblue = {{ port = 1 }}\ngreen = {{ port = 2 }}\n\
                 [router]\nfront-door = ['http://x/']\n{router}\n{smoke}"
            );
            let value: Value = toml::from_str(&text).expect("TOML");
            assert_eq!(accepts(&schema, &schema, &value), taken, "{text}");
        }
    }

    #[test]
    fn the_schema_takes_what_the_reader_takes_and_refuses_shapes_that_it_refuses() {
        let schema = schema(&[]);
        let (mut taken, mut refused) = (0, 0);
        for (name, text) in texts() {
            let Ok(value) = toml::from_str::<Value>(&text) else { continue };
            let environment = text.lines().next().and_then(|line| line.strip_prefix("# -e "));
            let shape = ["config/unknown-key", "config/type", "config/missing-key"];
            match load_text(&text, environment) {
                Ok(_) => {
                    taken += 1;
                    assert!(accepts(&schema, &schema, &value), "{name} is refused");
                }
                // Hosts that must be said although their key is optional are no matter of shape.
                Err(faults)
                    if faults
                        .iter()
                        .any(|fault| shape.contains(&fault.code) && !fault.message.contains("hosts")) =>
                {
                    refused += 1;
                    assert!(!accepts(&schema, &schema, &value), "{name} is taken");
                }
                Err(_) => {}
            }
        }
        assert!(taken >= 6 && refused >= 10, "{taken} taken, {refused} refused");
    }
}
