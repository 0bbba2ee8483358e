//! Every value with its origin, for `cutover config`.

use super::check::join;
use super::node::{Node, Value, quoted};
use super::root;
use super::shape::{Keys, Presence, Shape};
use super::source::Source;
use crate::model::view::ConfigEntry;

/// All values of a tree, in the order of the key tables. `computed` are the defaults that depend on the rest of the file.
pub(super) fn entries(source: &Source, tree: &Node, computed: &[(String, String)]) -> Vec<ConfigEntry> {
    let mut walk = Walk { source, computed, entries: Vec::new() };
    walk.table(Some(tree), &root::KEYS, "");
    walk.entries
}

struct Walk<'a> {
    source: &'a Source,
    computed: &'a [(String, String)],
    entries: Vec<ConfigEntry>,
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
        let place = self.source.location(node.span.start);
        let environment = node.environment.as_ref().map(|name| format!(" (environments.{name})"));
        let origin = format!("{}:{}{}", place.file, place.line, environment.unwrap_or_default());
        self.entries.push(ConfigEntry { key: path.to_owned(), value: node.toml(), origin });
    }

    fn absent(&mut self, shape: &'static Shape, presence: &Presence, path: &str) {
        let computed = || self.computed.iter().find(|(key, _)| key == path).map(|(_, value)| value.clone());
        let fixed = presence.default_text().map(quoted);
        let fixed = fixed.or_else(|| presence.default_integer().map(|number| number.to_string()));
        if let Some(value) = fixed.or_else(computed) {
            self.entries.push(ConfigEntry { key: path.to_owned(), value, origin: "default".to_owned() });
        } else if let Shape::Table(keys) = shape {
            self.table(None, keys, path);
        }
    }
}
