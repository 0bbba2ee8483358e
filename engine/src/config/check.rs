//! First pass: every value that is written has a known key, the right type and the right format.

use super::fault::{Fault, closest};
use super::limits;
use super::node::{Entry, Node, Value, key};
use super::shape::{Keys, Presence, Shape};
use super::source::{Source, Span};

/// Collects the faults of a tree.
pub(super) struct Check<'a> {
    pub(super) source: &'a Source,
    pub(super) faults: &'a mut Vec<Fault>,
}

impl Check<'_> {
    /// Checks a value against its shape. `path` names it; `span` is where to point when the value has no place of its own.
    pub(super) fn value(&mut self, node: &Node, shape: &Shape, path: &str) {
        match (shape, &node.value) {
            (Shape::Text(format), Value::Text(text)) => {
                if text.contains('\0') {
                    self.fault(&node.span, "config/value", format!("`{path}` holds a NUL character"));
                } else if let Err(complaint) = (format.check)(text) {
                    let mut fault = self.source.fault(&node.span, "config/value", complaint.message);
                    fault = fault.choices("valid", complaint.choices);
                    fault.hint = complaint.hint;
                    self.faults.push(fault);
                }
            }
            (Shape::Choice(choices), Value::Text(text)) if !choices.contains(&text.as_str()) => {
                self.no_choice(node, text, &[shape], path);
            }
            (Shape::Integer(least, most), Value::Integer(number)) if !(least..=most).contains(&number) => {
                let message = format!("`{path}` is {number}: it must be from {least} to {most}");
                self.fault(&node.span, "config/value", message);
            }
            (Shape::Limit(limit), Value::Text(text)) => {
                if let Err(complaint) = limits::check(*limit, text, path) {
                    let mut fault = self.source.fault(&node.span, "config/value", complaint.message);
                    fault.hint = complaint.hint;
                    self.faults.push(fault);
                }
            }
            (Shape::NonEmpty(_), Value::Array(items)) if items.is_empty() => {
                self.fault(
                    &node.span,
                    "config/value",
                    format!("`{path}` is empty: it needs at least one entry"),
                );
            }
            (Shape::List(one) | Shape::NonEmpty(one) | Shape::OneOrMore(one), Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    self.value(item, one, &format!("{path}[{at}]"));
                }
            }
            (Shape::OneOrMore(one), _) => self.value(node, one, path),
            (Shape::Named(keys), Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    self.value(item, &Shape::Table(keys), &format!("{path}[{at}]"));
                }
            }
            (Shape::Table(keys) | Shape::OneOf(keys), Value::Table(entries)) => {
                self.entries(entries, keys, path);
            }
            (Shape::Map(format, shape), Value::Table(entries)) => {
                for entry in entries {
                    if let Err(complaint) = (format.check)(&entry.key) {
                        let mut fault = self.source.fault(&entry.key_span, "config/value", complaint.message);
                        fault.hint = complaint.hint;
                        self.faults.push(fault);
                    }
                    self.value(&entry.node, shape, &join(path, &entry.key));
                }
            }
            (Shape::Either(shapes @ [Shape::Choice(choices), ..]), Value::Text(text)) => {
                if !choices.contains(&text.as_str()) {
                    self.no_choice(node, text, &shapes.iter().collect::<Vec<_>>(), path);
                }
            }
            (Shape::Either(shapes), _) => match shapes.iter().find(|shape| shape.has_type_of(&node.value)) {
                Some(shape) => self.value(node, shape, path),
                None => self.wrong_type(node, shape, path),
            },
            (shape, value) if shape.has_type_of(value) => {}
            _ => self.wrong_type(node, shape, path),
        }
    }

    fn no_choice(&mut self, node: &Node, text: &str, shapes: &[&Shape], path: &str) {
        let fault = self.source.fault(&node.span, "config/value", format!("`{path}` can't be `{text}`"));
        let mut items = Vec::new();
        let mut near = None;
        for shape in shapes {
            if let Shape::Choice(choices) = shape {
                items.extend(choices.iter().map(|choice| format!("\"{choice}\"")));
                near = near.or(closest(text, choices));
            } else {
                items.push(shape.describe());
            }
        }
        let fault = fault.choices("valid", items);
        self.faults.push(match near {
            Some(near) => fault.hint(format!("did you mean \"{near}\"?")),
            None => fault,
        });
    }

    fn entries(&mut self, entries: &[Entry], keys: &'static Keys, path: &str) {
        for entry in entries {
            match keys.find(&entry.key) {
                Some(key) => self.value(&entry.node, &key.shape, &join(path, key.name)),
                None => self.unknown_key(entry, keys, path),
            }
        }
    }

    fn unknown_key(&mut self, entry: &Entry, keys: &'static Keys, path: &str) {
        let place = if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
        let message = format!("unknown key `{}` in {place}", entry.key);
        let fault = self.source.fault(&entry.key_span, "config/unknown-key", message);
        let fault = fault.choices("valid keys", keys.names());
        self.faults.push(match keys.advice.iter().find(|(name, _)| *name == entry.key) {
            Some((_, advice)) => fault.hint(*advice),
            None => fault.did_you_mean(&entry.key),
        });
    }

    /// Checks that what must be there is there, in a table that has its final form.
    pub(super) fn required(&mut self, node: &Node, shape: &Shape, at: &Span, path: &str) {
        if !shape.has_type_of(&node.value) {
            return;
        }
        match shape {
            Shape::Table(keys) => {
                for key in keys.keys {
                    let path = join(path, key.name);
                    match (node.entry(key.name), &key.presence) {
                        (Some(entry), _) => self.required(&entry.node, &key.shape, &place(entry), &path),
                        (None, Presence::Required(hint)) if !misspelt(node, keys, key.name) => {
                            let message = format!("`{path}` is missing");
                            self.faults
                                .push(self.source.fault(at, "config/missing-key", message).hint(*hint));
                        }
                        (None, _) => {}
                    }
                }
            }
            Shape::OneOf(keys) => {
                let entries = node.entries();
                if entries.len() != 1 && entries.iter().all(|entry| keys.find(&entry.key).is_some()) {
                    let message = format!("`{path}` takes exactly one key");
                    let fault = self.source.fault(at, "config/value", message);
                    self.faults.push(fault.choices("valid keys", keys.names()));
                }
                for entry in node.entries() {
                    if let Some(key) = keys.find(&entry.key) {
                        self.required(&entry.node, &key.shape, &place(entry), &join(path, key.name));
                    }
                }
            }
            Shape::Map(_, shape) => {
                for entry in node.entries() {
                    self.required(&entry.node, shape, &place(entry), &join(path, &entry.key));
                }
            }
            Shape::Named(keys) => {
                for (position, item) in node.items().iter().enumerate() {
                    self.required(item, &Shape::Table(keys), &item.span, &format!("{path}[{position}]"));
                }
            }
            Shape::List(one) | Shape::NonEmpty(one) | Shape::OneOrMore(one) => {
                for (position, item) in node.items().iter().enumerate() {
                    self.required(item, one, &item.span, &format!("{path}[{position}]"));
                }
            }
            Shape::Either(shapes) => {
                if let Some(shape) = shapes.iter().find(|shape| shape.has_type_of(&node.value)) {
                    self.required(node, shape, at, path);
                }
            }
            Shape::Text(_)
            | Shape::Choice(_)
            | Shape::Integer(..)
            | Shape::Limit(_)
            | Shape::Boolean
            | Shape::Settings => {}
        }
    }

    fn wrong_type(&mut self, node: &Node, shape: &Shape, path: &str) {
        let message = format!("`{path}` is {}: it must be {}", node.kind(), shape.describe());
        let fault = self.source.fault(&node.span, "config/type", message);
        self.faults.push(match advice(node, shape) {
            Some(advice) => fault.hint(advice),
            None => fault,
        });
    }

    fn fault(&mut self, span: &Span, code: &'static str, message: String) {
        self.faults.push(self.source.fault(span, code, message));
    }
}

impl Shape {
    /// Whether a value has this shape's TOML type.
    fn has_type_of(&self, value: &Value) -> bool {
        match self {
            Self::Text(_) | Self::Choice(_) | Self::Limit(_) => matches!(value, Value::Text(_)),
            Self::Integer(..) => matches!(value, Value::Integer(_)),
            Self::Boolean => matches!(value, Value::Boolean(_)),
            Self::List(_) | Self::NonEmpty(_) | Self::Named(_) => matches!(value, Value::Array(_)),
            Self::OneOrMore(one) => matches!(value, Value::Array(_)) || one.has_type_of(value),
            Self::Table(_) | Self::OneOf(_) | Self::Map(..) | Self::Settings => {
                matches!(value, Value::Table(_))
            }
            Self::Either(shapes) => shapes.iter().any(|shape| shape.has_type_of(value)),
        }
    }

    fn is_text(&self) -> bool {
        match self {
            Self::Text(_) | Self::Choice(_) | Self::Limit(_) => true,
            Self::OneOrMore(one) => one.is_text(),
            Self::Either(shapes) => shapes.iter().any(Self::is_text),
            Self::Integer(..)
            | Self::Boolean
            | Self::List(_)
            | Self::NonEmpty(_)
            | Self::Table(_)
            | Self::OneOf(_)
            | Self::Map(..)
            | Self::Named(_)
            | Self::Settings => false,
        }
    }
}

/// What to write instead of a value of the wrong type, where that can be told.
fn advice(node: &Node, shape: &Shape) -> Option<String> {
    match (&node.value, shape) {
        (Value::Integer(number), Shape::Text(format)) if format.is.starts_with("a time") => {
            Some(format!("with a unit: \"{number}s\""))
        }
        (Value::Integer(number), Shape::Limit(limit)) => {
            Some(format!("with a unit: \"{number}{}\"", limits::unit(*limit)))
        }
        (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Date(_), shape)
            if shape.is_text() =>
        {
            Some(format!("in quotes: \"{}\"", node.toml()))
        }
        (Value::Text(text), Shape::Integer(..)) if text.parse::<i64>().is_ok() => {
            Some(format!("without quotes: {text}"))
        }
        (Value::Text(text), Shape::Boolean) if text == "true" || text == "false" => {
            Some(format!("without quotes: {text}"))
        }
        (Value::Text(text), Shape::List(one) | Shape::NonEmpty(one)) if one.is_text() => {
            let words = text.split_whitespace().map(super::node::quoted).collect::<Vec<_>>().join(", ");
            Some(format!("as an array: [{words}]"))
        }
        (Value::Array(_), Shape::Map(..)) => Some("a table, with a name for each entry".to_owned()),
        (value, Shape::Table(keys) | Shape::OneOf(keys)) => {
            let fits = |key: &&super::shape::Key| key.shape.has_type_of(value);
            let required = |key: &&super::shape::Key| matches!(key.presence, Presence::Required(_));
            let any = matches!(shape, Shape::OneOf(_));
            let key = keys.keys.iter().filter(fits).find(|key| any || required(key))?;
            Some(format!("as a table: {{ {} = {} }}", key.name, node.toml()))
        }
        (Value::Table(_), Shape::Named(_)) => Some("tables of a list have two brackets: [[…]]".to_owned()),
        _ => None,
    }
}

/// Whether an unknown key of a table seems to be meant for this one: then it is enough to say that.
pub(super) fn misspelt(node: &Node, keys: &Keys, name: &str) -> bool {
    let mut unknown = node.entries().iter().filter(|entry| keys.find(&entry.key).is_none());
    unknown.any(|entry| closest(&entry.key, &keys.names()) == Some(name))
}

/// Where to point for something that is missing in a table: its key, which is also its place for tables with dotted names.
pub(super) fn place(entry: &Entry) -> Span {
    entry.key_span.clone()
}

/// `app` and `blue` make `app.blue`.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { key(name) } else { format!("{path}.{}", key(name)) }
}
