//! Names that people give: applications, environments, hosts, smoke tests, secrets.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A name that is safe as a directory, in a unit's name, on a command line and in a template: begins with a lower-case letter or
/// digit, then lower-case letters, digits, `-` and `_`, at most 63 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// The name of a host or router in `cutover.toml`.
pub type HostName = Name;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a name: use lower-case letters, digits, `-` and `_`, beginning with a letter or digit, at most 63 characters"
)]
pub struct NameFault {
    /// The text.
    pub text: String,
}

impl Name {
    /// Checks a text.
    ///
    /// # Errors
    /// When it is empty, too long, or has other characters.
    pub fn new(text: impl Into<String>) -> Result<Self, NameFault> {
        let text = text.into();
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if text.len() <= 63 && text.starts_with(first) && text.chars().all(inner) {
            Ok(Self(text))
        } else {
            Err(NameFault { text })
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = NameFault;
    fn try_from(text: String) -> Result<Self, NameFault> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_texts_are_names() {
        for good in ["a", "web-1", "0x_y", &"a".repeat(63)] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-o", "_a", "A", "a.b", "a/b", "a b", "grün", &"a".repeat(64)] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
    }
}
