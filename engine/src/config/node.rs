//! The file as a tree of our own: every value knows its place, and which part of the file it came from.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;
use super::source::{Source, Span};
use crate::model::Name;

/// Bytes of a file at most; more is no configuration.
const LARGEST: usize = 1 << 20;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) span: Span,
    /// Environment whose overlay it was written in; none: the base.
    pub(super) environment: Option<Name>,
    pub(super) value: Value,
}

/// What TOML knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// A date or time: nothing in the file is one.
    Date(String),
    Array(Vec<Node>),
    Table(Vec<Entry>),
}

/// Whether a line was taken for the next element of an array or an inline table that began further up.
fn is_of_an_open_list(fault: &Fault) -> bool {
    let is_first = fault
        .excerpt
        .as_ref()
        .is_some_and(|excerpt| excerpt.line.chars().take(excerpt.indent).all(char::is_whitespace));
    is_first
        && ["missing comma between", "missing key for inline table"]
            .iter()
            .any(|words| fault.message.starts_with(words))
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) node: Node,
}

impl Node {
    /// Parses a whole file.
    ///
    /// # Errors
    /// All syntax errors.
    pub(super) fn parse(source: &Source) -> Result<Self, Vec<Fault>> {
        if source.text.len() > LARGEST {
            let message = format!("the file is larger than {} KiB", LARGEST / 1024);
            return Err(vec![source.fault(&(0..0), "config/syntax", message)]);
        }
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        if errors.is_empty() {
            let mut too_large = Vec::new();
            let root = Self::table(0..0, table.get_ref(), &mut too_large);
            let fault = |span| source.fault(&span, "config/syntax", "the integer does not fit into 64 bits");
            let faults: Vec<Fault> = too_large.into_iter().map(fault).collect();
            return if faults.is_empty() { Ok(root) } else { Err(faults) };
        }
        let end = source.text.len();
        let fault = |error: toml::de::Error| {
            source.fault(&error.span().unwrap_or(end..end), "config/syntax", decapitalized(error.message()))
        };
        let mut faults: Vec<Fault> = errors.into_iter().map(fault).collect();
        faults.sort_by_key(|fault| (fault.location.line, fault.location.column));
        // What follows on the same line follows from the first; and from a list that is not closed, all the rest does.
        if let Some(open) = faults.iter().position(is_of_an_open_list) {
            faults.truncate(open + 1);
            faults[open].hint = Some("is the `{` or `[` of a line above closed?".to_owned());
        }
        faults.dedup_by_key(|fault| fault.location.line);
        Err(faults)
    }

    fn table(span: Span, table: &DeTable<'_>, too_large: &mut Vec<Span>) -> Self {
        let entry = |(key, node): (&Spanned<_>, &Spanned<DeValue<'_>>)| Entry {
            key: AsRef::<std::borrow::Cow<'_, str>>::as_ref(key).to_string(),
            key_span: key.span(),
            node: Self::new(node, too_large),
        };
        Self { span, environment: None, value: Value::Table(table.iter().map(entry).collect()) }
    }

    fn new(value: &Spanned<DeValue<'_>>, too_large: &mut Vec<Span>) -> Self {
        let span = value.span();
        let value = match value.get_ref() {
            DeValue::Table(table) => return Self::table(span, table, too_large),
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => {
                let number = i64::from_str_radix(number.as_str(), number.radix());
                Value::Integer(number.unwrap_or_else(|_| {
                    too_large.push(span.clone());
                    0
                }))
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Array(items) => {
                Value::Array(items.iter().map(|item| Self::new(item, too_large)).collect())
            }
        };
        Self { span, environment: None, value }
    }

    /// The same tree, marked as written in the overlay of an environment.
    pub(super) fn of_environment(mut self, name: &Name) -> Self {
        self.environment = Some(name.clone());
        self.value = match self.value {
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| item.of_environment(name)).collect())
            }
            Value::Table(entries) => Value::Table(
                entries
                    .into_iter()
                    .map(|entry| Entry { node: entry.node.of_environment(name), ..entry })
                    .collect(),
            ),
            scalar @ (Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Date(_)) => scalar,
        };
        self
    }

    /// Entries of a table; none for anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        if let Value::Table(entries) = &self.value { entries } else { &[] }
    }

    /// Items of an array; none for anything else.
    pub(super) fn items(&self) -> &[Self] {
        if let Value::Array(items) = &self.value { items } else { &[] }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry of a key.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The text, when it is one.
    pub(super) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// Its type, in words.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number with a fraction",
            Value::Boolean(_) => "a boolean",
            Value::Date(_) => "a date",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }

    /// As JSON: how settings reach a hook. Dates become texts; what is no number in JSON becomes null.
    pub(super) fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Text(text) | Value::Date(text) => text.clone().into(),
            Value::Integer(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Boolean(value) => (*value).into(),
            Value::Array(items) => items.iter().map(Self::json).collect(),
            Value::Table(entries) => {
                let pair = |entry: &Entry| (entry.key.clone(), entry.node.json());
                serde_json::Value::Object(entries.iter().map(pair).collect())
            }
        }
    }

    /// As TOML, on one line.
    pub(super) fn toml(&self) -> String {
        match &self.value {
            Value::Text(text) => quoted(text),
            Value::Date(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::Boolean(value) => value.to_string(),
            Value::Array(items) => format!("[{}]", joined(items.iter().map(Self::toml))),
            Value::Table(entries) if entries.is_empty() => "{}".to_owned(),
            Value::Table(entries) => {
                let pair = |entry: &Entry| format!("{} = {}", key(&entry.key), entry.node.toml());
                format!("{{ {} }}", joined(entries.iter().map(pair)))
            }
        }
    }
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A key as TOML wants it: bare where that can be.
pub(super) fn key(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { key.to_owned() } else { quoted(key) }
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn decapitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
