//! Every setting with its value and origin, for `cutover config`.

use std::fmt::Write as _;

use serde::Serialize;

use super::check::join;
use super::limits;
use super::node::{Node, Value, quoted};
use super::root;
use super::shape::{Keys, Presence, Shape};
use super::source::Source;
use crate::model::{Location, Name, without_password};

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Setting {
    /// Path of the key: `app.blue.port`.
    pub key: String,
    /// Its value as TOML, on one line. Secrets are named by their source and never read.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The file's base.
    Base(Location),
    /// The overlay of an environment.
    Environment(Name, Location),
    /// Nothing was written.
    Default,
}

/// All settings of a tree, in the order of the key tables. `computed` are the defaults that depend on the rest of the file.
pub(super) fn settings(source: &Source, tree: &Node, computed: &[(String, String)]) -> Vec<Setting> {
    let mut walk = Walk { source, computed, settings: Vec::new() };
    walk.table(Some(tree), &root::KEYS, "");
    walk.settings
}

struct Walk<'a> {
    source: &'a Source,
    computed: &'a [(String, String)],
    settings: Vec<Setting>,
}

impl Walk<'_> {
    fn table(&mut self, node: Option<&Node>, keys: &'static Keys, path: &str) {
        for key in keys.keys {
            let path = join(path, key.name);
            match node.and_then(|node| node.get(key.name)) {
                Some(node) => self.value(node, &key.shape, &path),
                None => self.absent(&key.shape, &key.presence, &path),
            }
        }
    }

    fn value(&mut self, node: &Node, shape: &'static Shape, path: &str) {
        match (shape, &node.value) {
            (Shape::Table(keys), Value::Table(_)) => self.table(Some(node), keys, path),
            (Shape::Map(_, shape), Value::Table(entries)) => {
                for entry in entries {
                    self.value(&entry.node, shape, &join(path, &entry.key));
                }
            }
            (Shape::Named(keys), Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    self.table(Some(item), keys, &format!("{path}[{at}]"));
                }
            }
            (Shape::Settings, Value::Table(entries)) => {
                for entry in entries {
                    self.written(&entry.node, &join(path, &entry.key));
                }
            }
            _ => self.written(node, path),
        }
    }

    fn written(&mut self, node: &Node, path: &str) {
        let location = self.source.location(node.span.start);
        let origin = match &node.environment {
            Some(name) => Origin::Environment(name.clone(), location),
            None => Origin::Base(location),
        };
        // The one place where a secret may have been written down.
        let value = if path == "build.repository" { without_password(&node.toml()) } else { node.toml() };
        self.settings.push(Setting { key: path.to_owned(), value, origin });
    }

    fn absent(&mut self, shape: &'static Shape, presence: &Presence, path: &str) {
        let computed = || self.computed.iter().find(|(key, _)| key == path).map(|(_, value)| value.clone());
        let fixed = presence.default_text().map(quoted);
        let fixed = fixed.or_else(|| presence.default_integer().map(|number| number.to_string()));
        if let Some(value) = fixed.or_else(computed) {
            self.settings.push(Setting { key: path.to_owned(), value, origin: Origin::Default });
        } else if let Shape::Table(keys) = shape
            // Thirty for each hook, which nobody looks at before one is broken: `cutover help hooks` tells them.
            && !std::ptr::eq(*keys, &limits::KEYS)
        {
            self.table(None, keys, path);
        }
    }
}

/// The settings as text: one `key = value` a line with its origin behind it.
#[must_use]
pub fn render(settings: &[Setting]) -> String {
    let line = |setting: &Setting| format!("{} = {}", setting.key, setting.value);
    let width =
        settings.iter().map(|setting| line(setting).chars().count()).filter(|width| *width <= 60).max();
    let mut text = String::new();
    for setting in settings {
        let origin = match &setting.origin {
            Origin::Base(place) => format!("{}:{}", place.file, place.line),
            Origin::Environment(name, place) => format!("{}:{}, {name}", place.file, place.line),
            Origin::Default => "default".to_owned(),
        };
        // Writing into a string can't fail.
        let _ = writeln!(text, "{:width$}  # {origin}", line(setting), width = width.unwrap_or(0));
    }
    text
}
