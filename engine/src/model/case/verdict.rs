//! Whether all went as a case says.

use serde::Serialize;

use super::compare::{Difference, differences};
use super::script::Unexpected;
use super::{Said, Script};

/// Something that went otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Mismatch {
    /// The hook asked what the case does not have, and was ended there.
    UnexpectedCall {
        /// Which of its calls, from 1.
        nth: usize,
        /// What it asked.
        call: String,
        /// What the case has in its place; none where nothing is left in it.
        instead: Option<Instead>,
    },
    /// The hook did not ask what the case has.
    MissingCall {
        /// Position in the case, from 0.
        entry: usize,
        /// What is there.
        call: String,
    },
    /// The hook answered something else.
    Answer {
        /// What differs.
        differences: Vec<Difference>,
        /// All that it said and that is not compared: an error of a hook from which an answer was expected, or the other way round.
        said: Vec<(String, String)>,
    },
}

/// An entry of a case that another call came in place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instead {
    /// Position in the case, from 0.
    pub entry: usize,
    /// What is there.
    pub call: String,
    /// How the call that came differs; empty where it calls another function.
    pub differences: Vec<Difference>,
}

/// All that went otherwise. After a call that the case does not have nothing else is told, since the hook was ended there.
#[must_use]
pub fn judge(expected: &Said, said: &Said, script: &Script) -> Vec<Mismatch> {
    if let Some(Unexpected { nth, call, instead }) = script.unexpected() {
        let instead = instead.as_ref().and_then(|(entry, differences)| {
            let call = script.entry(*entry)?.words();
            Some(Instead { entry: *entry, call, differences: differences.clone() })
        });
        return vec![Mismatch::UnexpectedCall { nth: *nth, call: call.clone(), instead }];
    }
    let missing = script.left().map(|(entry, call)| Mismatch::MissingCall { entry, call: call.words() });
    let mut found: Vec<Mismatch> = missing.collect();
    let (written, got) = (expected.written(), said.written());
    let differences = differences(&written, &got);
    if !differences.is_empty() {
        let text =
            |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let beside = got.iter().filter(|(key, _)| !written.contains_key(*key));
        let said = beside
            .flat_map(|(key, value)| match value.as_object() {
                Some(table) => {
                    table.iter().map(|(inner, value)| (format!("{key}.{inner}"), text(value))).collect()
                }
                None => vec![(key.clone(), text(value))],
            })
            .collect();
        found.push(Mismatch::Answer { differences, said });
    }
    found
}
