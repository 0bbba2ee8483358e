//! An environment's overlay laid over the base: tables merge, arrays replace, smoke tests merge by name.

use super::node::{Node, Value};
use super::shape::Shape;

/// Lays `over` over `base`. Each value keeps its place and the part of the file that it came from.
pub(super) fn merge(base: &mut Node, over: Node, shape: Option<&'static Shape>) {
    match (&mut base.value, over.value) {
        (Value::Table(entries), Value::Table(overlay)) if !is_one_of(shape) => {
            for entry in overlay {
                let below = shape.and_then(|shape| shape.below(&entry.key));
                match entries.iter_mut().find(|other| other.key == entry.key) {
                    Some(other) if other.node.kind() == entry.node.kind() => {
                        merge(&mut other.node, entry.node, below);
                    }
                    Some(other) => *other = entry,
                    None => entries.push(entry),
                }
            }
        }
        (Value::Array(items), Value::Array(overlay)) if matches!(shape, Some(Shape::Named(_))) => {
            for item in overlay {
                let name = item.get("name").and_then(Node::text).map(str::to_owned);
                let same = |other: &&mut Node| {
                    name.is_some() && other.get("name").and_then(Node::text) == name.as_deref()
                };
                match items.iter_mut().find(same) {
                    Some(other) => merge(other, item, None),
                    None => items.push(item),
                }
            }
        }
        (_, value) => *base = Node { value, ..over },
    }
}

/// Whether the tables of a shape hold one choice, which can't be merged with another.
fn is_one_of(shape: Option<&Shape>) -> bool {
    match shape {
        Some(Shape::OneOf(_)) => true,
        Some(Shape::Either(shapes)) => shapes.iter().any(|shape| is_one_of(Some(shape))),
        _ => false,
    }
}
