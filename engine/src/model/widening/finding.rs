//! Collecting what is wider in one environment.

use super::{Widening, WideningKind};
use crate::model::Name;

/// What was found in one environment.
#[derive(Debug)]
pub(super) struct Findings {
    environments: Vec<String>,
    found: Vec<Widening>,
}

/// A command, so that two that differ read differently.
pub(super) fn command(words: &[String]) -> String {
    let is_plain = |word: &&String| {
        !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\\' | '`'))
    };
    let quoted: Vec<String> =
        words.iter().map(|word| if is_plain(&word) { word.clone() } else { format!("{word:?}") }).collect();
    format!("`{}`", quoted.join(" "))
}

impl Findings {
    pub(super) fn new(environment: Option<&Name>) -> Self {
        Self { environments: environment.iter().map(ToString::to_string).collect(), found: Vec::new() }
    }

    /// Something is so that was not there before.
    pub(super) fn is(&mut self, kind: WideningKind, text: String) {
        self.became(kind, text, None);
    }

    /// Something is so that was another way before.
    pub(super) fn became(&mut self, kind: WideningKind, text: String, before: Option<String>) {
        let widening = Widening { environments: self.environments.clone(), kind, text, before };
        if !self.found.contains(&widening) {
            self.found.push(widening);
        }
    }

    pub(super) fn all(self) -> Vec<Widening> {
        self.found
    }
}
