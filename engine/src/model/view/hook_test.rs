//! What `cutover hook test` shows.

use serde::Serialize;

use crate::model::HookKind;
use crate::model::case::{HookQuestion, Mismatch};

/// A hook, held against cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HookTestView {
    /// As it was named.
    pub hook: String,
    /// Each case, in the order in which they were given.
    pub cases: Vec<TestedCase>,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestedCase {
    /// Its file, as it was named.
    pub file: String,
    /// As what the hook was asked.
    pub kind: HookKind,
    /// What it was asked.
    pub question: HookQuestion,
    /// How many calls it made to hosts and servers.
    pub calls: usize,
    /// How long it took.
    pub took_ms: u64,
    /// All that went otherwise; nothing: it passed.
    pub mismatches: Vec<Mismatch>,
    /// Line of each entry of `outside` in the file.
    pub lines: Vec<usize>,
}

impl HookTestView {
    /// How many cases failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.mismatches.is_empty()).count()
    }
}
