//! Why a command did not do what was asked, ready to be shown.

use serde::Serialize;

use super::ExitCode;
use crate::model::Note;

/// An error for people and tools: every structured error of the lower ranks can be told as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Class and case: `config/unknown-key`, `lock/held`, `host/unreachable`.
    pub code: String,
    /// What is wrong: lower-case, no full stop, the offending value in backticks.
    pub message: String,
    /// Labelled lines beneath: `traffic`, `expected`, `by hand`, …
    pub facts: Vec<Note>,
    /// What to do.
    pub hint: Option<String>,
    /// How the program ends because of it.
    pub exit_code: ExitCode,
}

impl Problem {
    /// A problem of which nothing but its message is known.
    pub fn new(code: impl Into<String>, message: impl Into<String>, exit_code: ExitCode) -> Self {
        Self { code: code.into(), message: message.into(), facts: Vec::new(), hint: None, exit_code }
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
}
