//! The `settings` of a bundled hook, held against its schema: unknown keys, types and choices are told in the same words, and at the same
//! places, as those of the configuration itself. What a schema can't say is left to the hook.

use serde_json::Value as Json;

use super::check::join;
use super::fault::{Fault, closest};
use super::node::{Entry, Node, Value, quoted};
use super::source::{Source, Span};

/// Faults of settings. `at` is where to point for a table that was not written.
pub(super) fn faults(
    source: &Source,
    settings: Option<&Node>,
    schema: &Json,
    at: &Span,
    path: &str,
) -> Vec<Fault> {
    let mut check = SettingsCheck { source, faults: Vec::new() };
    match settings {
        Some(node) => check.value(node, schema, &node.span, path),
        None => check.required(&[], schema, at, path),
    }
    check.faults
}

struct SettingsCheck<'a> {
    source: &'a Source,
    faults: Vec<Fault>,
}

impl SettingsCheck<'_> {
    fn value(&mut self, node: &Node, schema: &Json, at: &Span, path: &str) {
        if let Some(wanted) = schema["type"].as_str().filter(|wanted| !has_type(&node.value, wanted)) {
            let message = format!("`{path}` is {}: it must be {}", node.kind(), described(schema, wanted));
            let fault = self.source.fault(&node.span, "config/type", message);
            self.faults.push(match advice(node, schema, wanted, path.ends_with(']')) {
                Some(advice) => fault.hint(advice),
                None => fault,
            });
            return;
        }
        if let (Some(choices), Value::Text(text)) = (schema["enum"].as_array(), &node.value) {
            let choices: Vec<&str> = choices.iter().filter_map(Json::as_str).collect();
            if !choices.contains(&text.as_str()) {
                let fault =
                    self.source.fault(&node.span, "config/value", format!("`{path}` can't be `{text}`"));
                self.faults.push(fault.choices("valid", choices).did_you_mean(text));
            }
        }
        if let Value::Integer(number) = node.value {
            self.number(node, number, schema, path);
        }
        match &node.value {
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    self.value(item, &schema["items"], &item.span, &format!("{path}[{place}]"));
                }
            }
            Value::Table(entries) => {
                self.entries(entries, schema, path);
                self.required(entries, schema, at, path);
            }
            Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_) => {}
        }
    }

    fn number(&mut self, node: &Node, number: i64, schema: &Json, path: &str) {
        let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
        if least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most) {
            return;
        }
        let range = match (least, most) {
            (Some(least), Some(most)) => format!("from {least} to {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, most) => format!("at most {}", most.unwrap_or(i64::MAX)),
        };
        let message = format!("`{path}` is {number}: it must be {range}");
        self.faults.push(self.source.fault(&node.span, "config/value", message));
    }

    fn entries(&mut self, entries: &[Entry], schema: &Json, path: &str) {
        for entry in entries {
            let known = schema["properties"].get(&entry.key);
            let more = Some(&schema["additionalProperties"]).filter(|more| more.is_object());
            if let Some(schema) = known.or(more) {
                self.value(&entry.node, schema, &entry.key_span, &join(path, &entry.key));
            } else if schema["additionalProperties"] == false {
                let message = format!("unknown key `{}` in `{path}`", entry.key);
                let fault = self.source.fault(&entry.key_span, "config/unknown-key", message);
                self.faults.push(fault.choices("valid keys", names(schema)).did_you_mean(&entry.key));
            }
        }
    }

    /// What must be there, but for that which an unknown key seems to be meant for.
    fn required(&mut self, entries: &[Entry], schema: &Json, at: &Span, path: &str) {
        let known = names(schema);
        let unknown = entries.iter().filter(|entry| !known.contains(&entry.key.as_str()));
        let meant: Vec<Option<&str>> = unknown.map(|entry| closest(&entry.key, &known)).collect();
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            let is_there = entries.iter().any(|entry| entry.key == name) || meant.contains(&Some(name));
            if !is_there {
                let message = format!("`{}` is missing", join(path, name));
                let fault = self.source.fault(at, "config/missing-key", message);
                self.faults.push(match schema["properties"][name]["description"].as_str() {
                    Some(words) => fault.hint(words),
                    None => fault,
                });
            }
        }
    }
}

fn names(schema: &Json) -> Vec<&str> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

fn has_type(value: &Value, wanted: &str) -> bool {
    match wanted {
        "string" => matches!(value, Value::Text(_)),
        "integer" => matches!(value, Value::Integer(_)),
        "number" => matches!(value, Value::Integer(_) | Value::Float(_)),
        "boolean" => matches!(value, Value::Boolean(_)),
        "array" => matches!(value, Value::Array(_)),
        "object" => matches!(value, Value::Table(_)),
        _ => true,
    }
}

/// A type, in the words of the configuration.
fn described(schema: &Json, wanted: &str) -> String {
    let one = match wanted {
        "string" => "a string",
        "integer" => match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            (Some(least), Some(most)) => return format!("an integer from {least} to {most}"),
            _ => "an integer",
        },
        "number" => "a number",
        "boolean" => "true or false",
        "object" => "a table",
        _ => {
            return match schema["items"]["type"].as_str() {
                Some("string") => "an array of strings".to_owned(),
                Some("array") => "an array of arrays".to_owned(),
                Some("object") => "an array of tables".to_owned(),
                _ => "an array".to_owned(),
            };
        }
    };
    one.to_owned()
}

/// What to write instead, where that can be told.
fn advice(node: &Node, schema: &Json, wanted: &str, is_element: bool) -> Option<String> {
    let words = |text: &str| text.split_whitespace().map(quoted).collect::<Vec<_>>().join(", ");
    match (&node.value, wanted) {
        (Value::Text(text), "integer") if text.parse::<i64>().is_ok() => {
            Some(format!("without quotes: {text}"))
        }
        (Value::Text(text), "boolean") if text == "true" || text == "false" => {
            Some(format!("without quotes: {text}"))
        }
        (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_), "string") => {
            Some(format!("in quotes: \"{}\"", node.toml()))
        }
        (Value::Text(text), "array") => match schema["items"]["type"].as_str() {
            // What looks like it stands in an array already.
            Some("string") if is_element => Some(format!("in brackets of its own: [{}]", words(text))),
            Some("string") => Some(format!("as an array: [{}]", words(text))),
            Some("array") => Some(format!("as an array: [[{}]]", words(text))),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Faults;

    fn told(settings: &str) -> String {
        let source = Source::new("cutover.toml", format!("[build]\nsettings = {settings}\n"));
        let tree = Node::parse(&source).expect("TOML");
        let table = tree.get("build").expect("the table");
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["run", "artifact"],
            "properties": {
                "run": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
                "artifact": {"type": "string", "description": "what a release is made of"},
                "style": {"enum": ["file-test", "symlink"]},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "env": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        });
        let found = faults(&source, table.get("settings"), &schema, &(0..7), "build.settings");
        Faults::new("cutover.toml", found).map_or_else(String::new, |faults| faults.to_string())
    }

    #[test]
    fn what_fits_is_not_spoken_of() {
        let all = r#"{ run = [["make"]], artifact = ".", style = "symlink", port = 80, env = { A = "1" } }"#;
        assert_eq!(told(all), "");
    }

    #[test]
    fn a_key_that_there_is_none_of_is_named_with_the_one_that_was_meant() {
        assert_eq!(
            told(r#"{ run = [], artefact = "." }"#),
            "\
error[config/unknown-key]: unknown key `artefact` in `build.settings`
 --> cutover.toml:2:24
  |
2 | settings = { run = [], artefact = \".\" }
  |                        ^^^^^^^^
  = valid keys: artifact, env, port, run, style
  hint: did you mean `artifact`?

1 fault in cutover.toml; nothing was run"
        );
    }

    #[test]
    fn types_choices_and_ranges_are_told_as_those_of_the_configuration() {
        let head = |settings: &str| {
            let told = told(settings);
            let wanted =
                |line: &&str| ["error[", "  hint: ", "  = "].iter().any(|head| line.starts_with(head));
            told.lines().filter(wanted).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(
            head(r#"{ run = "make all", artifact = 3 }"#),
            "\
error[config/type]: `build.settings.run` is a string: it must be an array of arrays
  hint: as an array: [[\"make\", \"all\"]]
error[config/type]: `build.settings.artifact` is an integer: it must be a string
  hint: in quotes: \"3\""
        );
        assert_eq!(
            head(r#"{ run = ["make all"], artifact = "." }"#),
            "\
error[config/type]: `build.settings.run[0]` is a string: it must be an array of strings
  hint: in brackets of its own: [\"make\", \"all\"]"
        );
        assert_eq!(
            head(r#"{ run = [["make", 1]], artifact = ".", port = "80", style = "link", env = { A = 1 } }"#),
            "\
error[config/type]: `build.settings.run[0][1]` is an integer: it must be a string
  hint: in quotes: \"1\"
error[config/type]: `build.settings.port` is a string: it must be an integer from 1 to 65535
  hint: without quotes: 80
error[config/value]: `build.settings.style` can't be `link`
  = valid: file-test, symlink
  hint: did you mean `symlink`?
error[config/type]: `build.settings.env.A` is an integer: it must be a string
  hint: in quotes: \"1\""
        );
        assert_eq!(
            head(r#"{ run = [], port = 70000 }"#),
            "\
error[config/missing-key]: `build.settings.artifact` is missing
  hint: what a release is made of
error[config/value]: `build.settings.port` is 70000: it must be from 1 to 65535"
        );
    }
}
