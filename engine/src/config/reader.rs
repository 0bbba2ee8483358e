//! A table as its keys describe it: values of the right type, or their defaults.
//!
//! What is ill-formed has been reported by the first pass and reads as absent, so that the second pass can go on and find more.

use std::time::Duration;

use super::check::misspelt;
use super::format;
use super::node::{Entry, Node, Value};
use super::shape::Keys;
use super::source::Span;

/// A table, there or not.
pub(super) struct Reader<'a> {
    node: Option<&'a Node>,
    keys: &'static Keys,
    /// Where to point for the table as a whole.
    pub(super) at: Span,
}

impl<'a> Reader<'a> {
    /// Reads `node` by `keys`.
    pub(super) fn new(node: Option<&'a Node>, keys: &'static Keys, at: Span) -> Self {
        Self { node, keys, at }
    }

    /// What was written for a key.
    pub(super) fn node(&self, name: &str) -> Option<&'a Node> {
        self.entry(name).map(|entry| &entry.node)
    }

    fn entry(&self, name: &str) -> Option<&'a Entry> {
        debug_assert!(self.keys.find(name).is_some(), "`{name}` is not in the table's keys");
        self.node?.entry(name)
    }

    /// Whether the table was written at all.
    pub(super) fn is_written(&self) -> bool {
        self.node.is_some()
    }

    /// Whether a key was written.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Whether a key was written that looks as if this one was meant.
    pub(super) fn has_like(&self, name: &str) -> bool {
        self.node.is_some_and(|node| misspelt(node, self.keys, name))
    }

    /// Where to point for a key's value: where it stands, else the table.
    pub(super) fn span(&self, name: &str) -> Span {
        self.node(name).map_or_else(|| self.at.clone(), |node| node.span.clone())
    }

    /// Where to point for a key.
    pub(super) fn key_span(&self, name: &str) -> Span {
        self.entry(name).map_or_else(|| self.at.clone(), |entry| entry.key_span.clone())
    }

    /// A string, or its default.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        match self.node(name) {
            Some(node) => node.text(),
            None => self.keys.find(name)?.presence.default_text(),
        }
    }

    /// A string, owned; empty when there is none.
    pub(super) fn string(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().to_owned()
    }

    /// An array of strings (or a string alone); empty when there is none.
    pub(super) fn strings(&self, name: &str) -> Vec<String> {
        self.several(name).iter().filter_map(|item| item.text()).map(str::to_owned).collect()
    }

    /// The items of an array (or the value alone).
    pub(super) fn several(&self, name: &str) -> Vec<&'a Node> {
        match self.node(name) {
            None => Vec::new(),
            Some(Node { value: Value::Array(items), .. }) => items.iter().collect(),
            Some(node) => vec![node],
        }
    }

    /// An integer, or its default; 0 when there is none.
    pub(super) fn integer<T: TryFrom<i64> + Default>(&self, name: &str) -> T {
        let number = match self.node(name) {
            Some(Node { value: Value::Integer(number), .. }) => *number,
            Some(_) => 0,
            None => self.keys.find(name).and_then(|key| key.presence.default_integer()).unwrap_or_default(),
        };
        T::try_from(number).unwrap_or_default()
    }

    /// A boolean; false when there is none.
    pub(super) fn boolean(&self, name: &str) -> bool {
        matches!(self.node(name), Some(Node { value: Value::Boolean(true), .. }))
    }

    /// A time, or its default.
    pub(super) fn duration(&self, name: &str) -> Duration {
        self.text(name).and_then(format::parse_duration).unwrap_or_default()
    }

    /// A table below this one.
    pub(super) fn table(&self, name: &str, keys: &'static Keys) -> Self {
        match self.entry(name) {
            Some(entry) => Self::new(Some(&entry.node), keys, entry.key_span.clone()),
            None => Self::new(None, keys, self.at.clone()),
        }
    }

    /// The entries of a table with free keys.
    pub(super) fn map(&self, name: &str) -> &'a [Entry] {
        self.node(name).map_or(&[], Node::entries)
    }

    /// The tables of an array.
    pub(super) fn tables(&self, name: &str, keys: &'static Keys) -> Vec<Self> {
        self.several(name).into_iter().map(|item| Self::new(Some(item), keys, item.span.clone())).collect()
    }
}
