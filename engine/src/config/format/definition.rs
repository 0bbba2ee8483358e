//! What a format is, and why a text is not of it.

/// A format of strings.
#[derive(Debug)]
pub(in crate::config) struct Format {
    /// `a duration`, for messages.
    pub(in crate::config) is: &'static str,
    /// For editors: a regular expression (ECMA 262), where one says it.
    pub(in crate::config) pattern: Option<&'static str>,
    /// Checks a text.
    pub(in crate::config) check: fn(&str) -> Result<(), Complaint>,
}

/// Why a text is not of a format.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::config) struct Complaint {
    pub(in crate::config) message: String,
    pub(in crate::config) choices: &'static [&'static str],
    pub(in crate::config) hint: Option<String>,
}

impl Complaint {
    /// Says what is wrong.
    pub(in crate::config) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), choices: &[], hint: None }
    }

    /// Says what is wrong and what to do.
    pub(in crate::config) fn advised(message: impl Into<String>, hint: &str) -> Self {
        Self::new(message).hint(hint)
    }

    /// With what would be accepted.
    pub(in crate::config) fn choices(self, choices: &'static [&'static str]) -> Self {
        Self { choices, ..self }
    }

    /// With what to do.
    pub(in crate::config) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
