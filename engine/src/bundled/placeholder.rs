//! Placeholders of a grants template.
//!
//! `{key}` stands for a setting. As a whole string it keeps the setting's type (`as-root = "{as-root}"`), and a list takes the place of
//! an element of a list. `{key.program}` and `{key.rest}` part a command into program (one with a relative path lies in the checkout)
//! and arguments, `{key.keys}` are the names of a table, `{key.origin}` is a URL up to its path. `{name}` is the application's title. `{checkout}` and `{output}` stay: whoever holds
//! the build fills them in; and so does `{date}`, which the grant itself has a meaning for.

use serde_json::Value as Json;
use toml::{Table, Value};

use super::GrantsFault;

/// Settings with their defaults.
#[derive(Debug, Clone)]
pub(super) struct Values {
    settings: Table,
    title: String,
    /// Key of the list that an entry is repeated for, and the element that it is repeated for.
    each: Option<(String, Value)>,
}

impl Values {
    /// Defaults below settings; defaults may hold `{name}`.
    pub(super) fn new(title: &str, defaults: Table, settings: &Json) -> Result<Self, GrantsFault> {
        let Ok(Value::Table(settings)) = Value::try_from(settings) else {
            return Err(fault("", "is no table of TOML values"));
        };
        let is_other = |(key, value): &(&String, &Value)| {
            defaults.get(*key).is_some_and(|default| !default.same_type(value))
        };
        if let Some((key, value)) = settings.iter().find(is_other) {
            let wanted = defaults.get(key).map_or("", Value::type_str);
            return Err(fault(key, &format!("is of type {}, not {wanted}", value.type_str())));
        }
        let mut merged = defaults;
        for value in merged.iter_mut().map(|(_, value)| value) {
            if let Value::String(text) = value {
                *text = text.replace("{name}", title);
            }
        }
        merged.extend(settings);
        Ok(Self { settings: merged, title: title.to_owned(), each: None })
    }

    /// Refuses a setting that has none of the values that it may have.
    pub(super) fn check_choices(&self, choices: &Table) -> Result<(), GrantsFault> {
        for (key, allowed) in choices {
            let Value::Array(allowed) = allowed else { continue };
            if self.settings.get(key).is_some_and(|value| !allowed.contains(value)) {
                let names: Vec<String> =
                    allowed.iter().filter_map(Value::as_str).map(|name| format!("`{name}`")).collect();
                return Err(fault(key, &format!("can only be {}", names.join(" or "))));
            }
        }
        Ok(())
    }

    /// A setting as it is.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.settings.get(key)
    }

    /// The values once for each element of the list `key`, which is called `each` in them.
    pub(super) fn each(&self, key: &str) -> Result<Vec<Self>, GrantsFault> {
        let Some(Value::Array(elements)) = self.settings.get(key) else {
            return Err(fault(key, "is no list"));
        };
        let with = |element: &Value| Self { each: Some((key.to_owned(), element.clone())), ..self.clone() };
        Ok(elements.iter().map(with).collect())
    }

    /// A string of the template as a value.
    pub(super) fn value(&self, text: &str) -> Result<Value, GrantsFault> {
        let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match name.filter(|name| !name.contains(['{', '}'])) {
            Some(name) => match self.look_up(name)? {
                Some(value) => Ok(value),
                None => Ok(Value::String(text.to_owned())),
            },
            None => self.text(text).map(Value::String),
        }
    }

    /// A string of the template as elements of a list: several, when it stands for a list.
    pub(super) fn items(&self, text: &str) -> Result<Vec<Value>, GrantsFault> {
        let value = self.value(text)?;
        if let Value::Array(items) = value { Ok(items) } else { Ok(vec![value]) }
    }

    fn text(&self, text: &str) -> Result<String, GrantsFault> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, name, after)) = next_placeholder(rest) {
            filled.push_str(before);
            match self.look_up(name)? {
                Some(Value::String(value)) => filled.push_str(&value),
                Some(Value::Integer(value)) => filled.push_str(&value.to_string()),
                Some(_) => return Err(fault(self.shown(name), "is neither a text nor a number")),
                None => filled.push_str(&format!("{{{name}}}")),
            }
            rest = after;
        }
        Ok(filled + rest)
    }

    /// What a placeholder stands for; none for those that are filled in later.
    fn look_up(&self, name: &str) -> Result<Option<Value>, GrantsFault> {
        let (key, part) = name.split_once('.').map_or((name, None), |(key, part)| (key, Some(part)));
        let title;
        let value = match (key, &self.each) {
            ("checkout" | "output" | "date", _) => return Ok(None),
            ("name", _) => {
                title = Value::String(self.title.clone());
                &title
            }
            ("each", Some((_, element))) => element,
            _ => self.settings.get(key).ok_or_else(|| fault(key, "is missing"))?,
        };
        let wrong = |what| fault(self.shown(name), what);
        let value = match (part, value) {
            (None, value) => value.clone(),
            (Some("program"), Value::Array(command)) => match command.first() {
                Some(Value::String(program)) => Value::String(located(program)),
                _ => return Err(wrong("is no command: a list of texts, program first")),
            },
            (Some("rest"), Value::Array(command)) => Value::Array(command.iter().skip(1).cloned().collect()),
            (Some("keys"), Value::Table(table)) => {
                Value::Array(table.keys().cloned().map(Value::String).collect())
            }
            (Some("origin"), Value::String(url)) => Value::String(origin(url).to_owned()),
            (Some("keys"), _) => return Err(wrong("is no table")),
            (Some("origin"), _) => return Err(wrong("is no URL")),
            (Some(_), _) => return Err(wrong("is no command: a list of texts, program first")),
        };
        self.check(name, &value)?;
        Ok(Some(value))
    }

    /// Refuses what would mean more in a grant than it does as a setting. As an argument `*` has a meaning when it stands alone;
    /// anywhere else everywhere.
    fn check(&self, name: &str, value: &Value) -> Result<(), GrantsFault> {
        let wild = match value {
            Value::String(text) => text.contains('*'),
            Value::Array(items) => {
                if !items.iter().all(Value::is_str) {
                    return Err(fault(self.shown(name), "is no list of texts"));
                }
                items.iter().any(|item| matches!(item.as_str(), Some("*" | "**")))
            }
            Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Table(_) => false,
        };
        if wild {
            let reason = "has a `*`, which would be a wildcard in the default grants: write a `grants` table";
            return Err(fault(self.shown(name), reason));
        }
        Ok(())
    }

    /// The setting's own key, for messages.
    fn shown<'a>(&'a self, name: &'a str) -> &'a str {
        match (name.split('.').next().unwrap_or(name), &self.each) {
            ("each", Some((list, _))) => list,
            (key, _) => key,
        }
    }
}

/// What stands before the first placeholder, its name, and what follows.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// A program as a grant names it: absolute, bare, or in the checkout.
fn located(program: &str) -> String {
    if program.starts_with('/') || !program.contains('/') {
        program.to_owned()
    } else {
        format!("{{checkout}}/{}", program.trim_start_matches("./"))
    }
}

/// A URL up to its path.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    url[start..].find('/').map_or(url, |at| &url[..start + at])
}

fn fault(key: &str, reason: &str) -> GrantsFault {
    GrantsFault { key: key.to_owned(), reason: reason.to_owned() }
}
