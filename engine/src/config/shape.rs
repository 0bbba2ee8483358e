//! What the file may hold, as data: each table's keys with their shape, default and meaning.
//!
//! The one source of unknown-key faults, types, defaults, the JSON Schema and `cutover config`.

use super::format::Format;
use super::limits;
use crate::model::Limit;

/// The keys of a table.
#[derive(Debug)]
pub(super) struct Keys {
    /// What the table is for, one sentence.
    pub(super) doc: &'static str,
    /// In the order in which they are shown.
    pub(super) keys: &'static [Key],
    /// Keys that people try although they are not there, and what to do instead.
    pub(super) advice: &'static [(&'static str, &'static str)],
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) presence: Presence,
    /// One sentence for editors.
    pub(super) doc: &'static str,
}

/// Whether a key must be there.
#[derive(Debug)]
pub(super) enum Presence {
    /// Yes; with what to write.
    Required(&'static str),
    /// No, and what its absence means is said in the key's doc.
    Optional,
    /// No: then it is this text.
    Text(&'static str),
    /// No: then it is this number.
    Integer(i64),
    /// No: then it is false.
    False,
}

/// What a value may be.
#[derive(Debug)]
pub(super) enum Shape {
    /// A string of a format.
    Text(&'static Format),
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// An integer, limits included.
    Integer(i64, i64),
    /// A string that is an amount of bytes or a time, within the range of this limit.
    Limit(Limit),
    /// `true` or `false`.
    Boolean,
    /// An array.
    List(&'static Self),
    /// An array of at least one.
    NonEmpty(&'static Self),
    /// A value, or an array of such.
    OneOrMore(&'static Self),
    /// A table with fixed keys.
    Table(&'static Keys),
    /// A table with exactly one of its keys; an overlay's replaces the base's.
    OneOf(&'static Keys),
    /// A table with free keys of a format.
    Map(&'static Format, &'static Self),
    /// An array of tables that have a `name`; an overlay's entries merge with those of the same name.
    Named(&'static Keys),
    /// The first that has the value's type.
    Either(&'static [Self]),
    /// Anything below a table: the hook's own business.
    Settings,
}

impl Presence {
    /// The text that an absent key is.
    pub(super) fn default_text(&self) -> Option<&'static str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number that an absent key is.
    pub(super) fn default_integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }
}

impl Keys {
    /// A table without advice.
    pub(super) const fn new(doc: &'static str, keys: &'static [Key]) -> Self {
        Self { doc, keys, advice: &[] }
    }

    /// The key of that name.
    pub(super) fn find(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// All names, sorted, as they are offered to people.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.keys.iter().map(|key| key.name).collect();
        names.sort_unstable();
        names
    }
}

impl Key {
    pub(super) const fn required(
        name: &'static str,
        shape: Shape,
        doc: &'static str,
        hint: &'static str,
    ) -> Self {
        Self { name, shape, presence: Presence::Required(hint), doc }
    }

    pub(super) const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, presence: Presence::Optional, doc }
    }

    /// A key that is a text when it is absent.
    pub(super) const fn text(
        name: &'static str,
        shape: Shape,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, shape, presence: Presence::Text(default), doc }
    }

    /// A key that is a number when it is absent.
    pub(super) const fn integer(name: &'static str, shape: Shape, default: i64, doc: &'static str) -> Self {
        Self { name, shape, presence: Presence::Integer(default), doc }
    }

    /// A boolean that is false when it is absent.
    pub(super) const fn flag(name: &'static str, doc: &'static str) -> Self {
        Self { name, shape: Shape::Boolean, presence: Presence::False, doc }
    }
}

impl Shape {
    /// What is accepted, in words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text(format) => format.is.to_owned(),
            Self::Choice(choices) => {
                choices.iter().map(|choice| format!("\"{choice}\"")).collect::<Vec<_>>().join(" or ")
            }
            Self::Integer(least, most) => format!("an integer from {least} to {most}"),
            Self::Limit(limit) => limits::describe(*limit),
            Self::Boolean => "true or false".to_owned(),
            Self::List(_) => "an array".to_owned(),
            Self::NonEmpty(_) => "an array that is not empty".to_owned(),
            Self::OneOrMore(one) => format!("{}, or an array of such", one.describe()),
            Self::OneOf(keys) => {
                keys.keys.iter().map(|key| format!("{{ {} = … }}", key.name)).collect::<Vec<_>>().join(" or ")
            }
            Self::Table(Keys { keys: [only], .. }) => format!("{{ {} = … }}", only.name),
            Self::Table(_) | Self::Map(..) | Self::Settings => "a table".to_owned(),
            Self::Named(_) => "an array of tables".to_owned(),
            Self::Either(shapes) => shapes.iter().map(Self::describe).collect::<Vec<_>>().join(", or "),
        }
    }

    /// Shape of what lies below a key.
    pub(super) fn below(&self, name: &str) -> Option<&'static Self> {
        match self {
            Self::Table(keys) | Self::OneOf(keys) => keys.find(name).map(|key| &key.shape),
            Self::Map(_, shape) => Some(shape),
            Self::Either(shapes) => shapes.iter().find_map(|shape| shape.below(name)),
            Self::Text(_)
            | Self::Choice(_)
            | Self::Integer(..)
            | Self::Limit(_)
            | Self::Boolean
            | Self::List(_)
            | Self::NonEmpty(_)
            | Self::OneOrMore(_)
            | Self::Named(_)
            | Self::Settings => None,
        }
    }
}
