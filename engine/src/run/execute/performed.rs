//! What came of one action: what is known for the journal, and what is said to people.

use crate::model::{End, Note, Switched, Transfer, Trouble};
use crate::secret::Redactor;

/// What came of one action.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Performed {
    /// For the journal.
    pub(crate) end: End,
    /// For the last column.
    pub(crate) summary: Summary,
    /// For the lines beneath.
    pub(crate) details: Vec<Note>,
    /// For the journal too, where it ends a switch.
    pub(crate) switched: Option<Switched>,
}

/// Contribution of one action to the last column of its step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Summary {
    /// Nothing worth saying.
    #[default]
    Nothing,
    /// As it stands; equal texts of several actions are said once.
    Text(String),
    /// The same, of something that people should look at.
    Warning(String),
    /// Bytes sent, of bytes in all: added up.
    Sent(Transfer),
    /// So many passed: added up.
    Passed {
        /// Those that passed.
        passed: u64,
        /// All of them.
        total: u64,
        /// `passed`, `probes`, `probes say 43`.
        what: String,
    },
}

impl Performed {
    /// It is so.
    pub(crate) const fn done(summary: Summary) -> Self {
        Self { end: End::Done, summary, details: Vec::new(), switched: None }
    }

    /// It is not so.
    pub(crate) const fn failed(trouble: Trouble) -> Self {
        let summary = Summary::Nothing;
        Self { end: End::Failed(trouble), summary, details: Vec::new(), switched: None }
    }

    /// With a summary.
    pub(crate) fn saying(mut self, summary: Summary) -> Self {
        self.summary = summary;
        self
    }

    /// Without a secret in any text: the journal keeps it, and people see it.
    pub(crate) fn masked(self, redactor: &Redactor) -> Self {
        let text = |text: String| redactor.mask(&text);
        let trouble = |Trouble { code, message, hint }: Trouble| Trouble {
            code,
            message: text(message),
            hint: hint.map(text),
        };
        let end = match self.end {
            End::Failed(why) => End::Failed(trouble(why)),
            End::Unknown(why) => End::Unknown(trouble(why)),
            end @ (End::Done | End::NeverBegan) => end,
        };
        let summary = match self.summary {
            Summary::Text(said) => Summary::Text(text(said)),
            Summary::Warning(said) => Summary::Warning(text(said)),
            Summary::Passed { passed, total, what } => Summary::Passed { passed, total, what: text(what) },
            summary @ (Summary::Nothing | Summary::Sent(_)) => summary,
        };
        let note = |Note { label, text: said }: Note| Note { label: text(label), text: text(said) };
        Self { end, summary, details: self.details.into_iter().map(note).collect(), ..self }
    }

    /// With lines beneath.
    pub(crate) fn with(mut self, details: Vec<Note>) -> Self {
        self.details = details;
        self
    }
}

/// Joins what the actions of a step said into its last column.
pub(crate) fn summarize(said: &[Summary]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let (mut sent, mut any_sent) = (Transfer { done: 0, total: 0 }, false);
    let mut counts: Vec<(String, u64, u64)> = Vec::new();
    for summary in said {
        match summary {
            Summary::Nothing => {}
            Summary::Text(text) | Summary::Warning(text) if text.is_empty() || parts.contains(text) => {}
            Summary::Text(text) | Summary::Warning(text) => parts.push(text.clone()),
            Summary::Sent(transfer) => {
                any_sent = true;
                // Hosts say how much it was.
                sent.done = sent.done.saturating_add(transfer.done);
                sent.total = sent.total.saturating_add(transfer.total);
            }
            Summary::Passed { passed, total, what } => {
                match counts.iter_mut().find(|(known, ..)| known == what) {
                    Some((_, all_passed, all)) => {
                        *all_passed += passed;
                        *all += total;
                    }
                    None => counts.push((what.clone(), *passed, *total)),
                }
            }
        }
    }
    parts.extend(counts.into_iter().map(|(what, passed, total)| {
        if passed == total && what == "passed" {
            format!("{total} passed")
        } else {
            format!("{passed} of {total} {what}")
        }
    }));
    if any_sent && sent.total == 0 {
        parts.insert(0, "all of it is there already".to_owned());
    } else if any_sent {
        parts.insert(0, format!("{} sent", crate::model::Size::of(sent)));
    }
    parts.join("; ")
}
