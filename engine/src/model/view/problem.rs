//! Why a command did not do what was asked, ready to be shown.

use serde::Serialize;

use super::ExitCode;
use crate::model::{Location, Note};

/// An error for people and tools: every structured error of the lower ranks can be told as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Class and case: `config/unknown-key`, `lock/held`, `host/unreachable`.
    pub code: String,
    /// What is wrong: lower-case, no full stop, the offending value in backticks.
    pub message: String,
    /// Where in a file, when it is about one.
    pub excerpt: Option<Excerpt>,
    /// Labelled lines beneath: `traffic`, `expected`, `by hand`, …
    pub facts: Vec<Note>,
    /// What to do.
    pub hint: Option<String>,
    /// How the program ends because of it.
    pub exit_code: ExitCode,
}

/// A place in a file, with the text that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// File, line, column.
    #[serde(flatten)]
    pub location: Location,
    /// The whole line, without its end; empty when it can't be shown.
    pub line: String,
    /// Characters to underline, from the location's column on; at least 1 is shown.
    pub length: usize,
}

impl Problem {
    /// A problem of which nothing but its message is known.
    pub fn new(code: impl Into<String>, message: impl Into<String>, exit_code: ExitCode) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            excerpt: None,
            facts: Vec::new(),
            hint: None,
            exit_code,
        }
    }

    /// Adds a labelled line.
    #[must_use]
    pub fn fact(mut self, label: impl Into<String>, text: impl Into<String>) -> Self {
        self.facts.push(Note::new(label, text));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Shows the place in a file.
    #[must_use]
    pub fn at(mut self, excerpt: Excerpt) -> Self {
        self.excerpt = Some(excerpt);
        self
    }
}
