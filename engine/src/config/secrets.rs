//! `[secrets]`.

use std::collections::BTreeMap;

use super::format;
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use super::source::Span;
use crate::model::{Name, SecretSource};

/// One secret.
pub(super) static KEYS: Keys = Keys::new(
    "Where one secret comes from: exactly one of these.",
    &[
        Key::optional("env", Shape::Text(&format::VARIABLE), "A variable of cutover's own environment."),
        Key::optional("file", Shape::Text(&format::WORD), "A file; relative to cutover.toml."),
        Key::optional(
            "command",
            Shape::NonEmpty(&Shape::Text(&format::TEXT)),
            "A program on this machine and its arguments; what it prints, without the last newline.",
        ),
    ],
);

impl Resolver<'_> {
    /// Reads the table.
    pub(super) fn secrets(&mut self, root: &Reader<'_>) -> BTreeMap<Name, SecretSource> {
        let mut secrets = BTreeMap::new();
        for entry in root.map("secrets") {
            let Ok(name) = Name::new(entry.key.as_str()) else { continue };
            let table = Reader::new(Some(&entry.node), &KEYS, entry.key_span.clone());
            self.secrets.insert(name.clone(), entry.key_span.clone());
            if self.is_spare(&entry.node) {
                self.used_secrets.insert(name.clone());
            }
            let source = if let Some(variable) = table.text("env") {
                SecretSource::Env(variable.to_owned())
            } else if let Some(file) = table.text("file") {
                SecretSource::File(self.root.join(file))
            } else {
                SecretSource::Command(self.command(&table, "command"))
            };
            secrets.insert(name, source);
        }
        secrets
    }

    /// A declared secret.
    pub(super) fn secret(&mut self, text: &str, span: &Span) -> Option<Name> {
        let found = self.secrets.get_key_value(text).map(|(name, _)| name.clone());
        match &found {
            Some(name) => {
                self.used_secrets.insert(name.clone());
            }
            None => {
                let choices: Vec<_> = self.secrets.keys().cloned().collect();
                let declare = format!("declare it: [secrets] {text} = {{ env = \"…\" }}");
                self.fault(span, "config/unknown-secret", format!("unknown secret `{text}`"), |fault| {
                    fault.hint(declare).choices("valid", choices).did_you_mean(text)
                });
            }
        }
        found
    }
}
