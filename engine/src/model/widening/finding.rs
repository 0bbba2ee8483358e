//! Collecting what is wider in one environment.

use super::{Widening, WideningKind};
use crate::model::Name;

/// What was found in one environment.
#[derive(Debug)]
pub(super) struct Findings {
    environments: Vec<String>,
    found: Vec<Widening>,
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
