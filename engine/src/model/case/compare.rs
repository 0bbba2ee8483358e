//! How what came differs from what is written.

use serde::Serialize;
use serde_json::{Map, Value};

/// A key whose value is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Path of the key: `labels.version`, `cases[2].reason`.
    pub key: String,
    /// What is written.
    pub expected: String,
    /// What came; none where nothing did.
    pub got: Option<String>,
}

/// All keys that are written and have another value. Those that are not written are not compared; of arrays all items are.
pub(super) fn differences(expected: &Map<String, Value>, got: &Map<String, Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    table(expected, got, "", &mut found);
    found
}

fn table(expected: &Map<String, Value>, got: &Map<String, Value>, path: &str, found: &mut Vec<Difference>) {
    for (key, expected) in expected {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        value(expected, got.get(key), path, found);
    }
}

fn value(expected: &Value, got: Option<&Value>, path: String, found: &mut Vec<Difference>) {
    match (expected, got) {
        (Value::Object(expected), Some(Value::Object(got))) => table(expected, got, &path, found),
        (Value::Array(expected), Some(Value::Array(got)))
            if expected.len() == got.len() && expected.iter().any(Value::is_object) =>
        {
            for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
                value(expected, Some(got), format!("{path}[{index}]"), found);
            }
        }
        (expected, Some(got)) if expected == got => {}
        (expected, got) => {
            found.push(Difference { key: path, expected: text(expected), got: got.map(text) });
        }
    }
}

/// A text as it is, anything else as TOML would have it on one line.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(expected: Value, got: Value) -> Vec<String> {
        let (Value::Object(expected), Value::Object(got)) = (expected, got) else { panic!("no tables") };
        let told =
            |one: Difference| format!("{}: {} / {}", one.key, one.expected, one.got.unwrap_or_default());
        differences(&expected, &got).into_iter().map(told).collect()
    }

    #[test]
    fn what_is_written_is_compared_and_nothing_else() {
        let none: [&str; 0] = [];
        assert_eq!(told(json!({}), json!({"a": 1})), none);
        assert_eq!(told(json!({"a": {"b": 1}}), json!({"a": {"b": 1, "c": 2}, "d": 3})), none);
        assert_eq!(told(json!({"a": {"b": 1}}), json!({"a": {"b": "x"}})), ["a.b: 1 / x"]);
        assert_eq!(told(json!({"a": {"b": 1}}), json!({})), ["a: {\"b\":1} / "]);
        assert_eq!(told(json!({"a": [1, 2]}), json!({"a": [1, 2, 3]})), ["a: [1,2] / [1,2,3]"]);
        assert_eq!(told(json!({"a": [1, 2]}), json!({"a": [2, 1]})), ["a: [1,2] / [2,1]"]);
        let cases = json!({"cases": [{"name": "a"}, {"name": "b", "outcome": "passed"}]});
        let came = json!({"cases": [{"name": "a", "ms": 1}, {"name": "b", "outcome": "failed"}]});
        assert_eq!(told(cases.clone(), came), ["cases[1].outcome: passed / failed"]);
        assert_eq!(
            told(cases, json!({"cases": []})),
            ["cases: [{\"name\":\"a\"},{\"name\":\"b\",\"outcome\":\"passed\"}] / []"]
        );
    }
}
