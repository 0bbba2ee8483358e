//! Faults of the configuration: collected, placed in the file, and shown all together.

use std::fmt;

use serde::Serialize;

use crate::model::Location;

/// Something wrong in the file, at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// Whether it stands in the way.
    pub severity: Severity,
    /// `config/…`, fixed, for tools.
    pub code: &'static str,
    /// What is wrong: lower-case, without a full stop.
    pub message: String,
    /// Where.
    pub location: Location,
    /// The offending line; none when the file as a whole is meant.
    pub excerpt: Option<Excerpt>,
    /// What would be accepted.
    pub choices: Option<Choices>,
    /// What to do.
    pub hint: Option<String>,
}

/// Whether a fault stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing runs.
    Error,
    /// Said, and that is all.
    Warning,
}

/// A line of the file with the part that is meant, in terminal cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Excerpt {
    /// The line, without control characters, cut when it is long.
    pub line: String,
    /// Cells before the part.
    pub indent: usize,
    /// Cells of the part, at least 1.
    pub width: usize,
}

/// What would be accepted in place of the offending text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Choices {
    /// What they are: `valid keys`.
    pub label: &'static str,
    /// All of them.
    pub items: Vec<String>,
}

impl Fault {
    /// With what would be accepted; nothing is said when there is nothing to choose from.
    #[must_use]
    pub fn choices<T: ToString>(mut self, label: &'static str, items: impl IntoIterator<Item = T>) -> Self {
        let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
        self.choices = (!items.is_empty()).then_some(Choices { label, items });
        self
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With `did you mean …` when a choice is close to what was written.
    #[must_use]
    pub(super) fn did_you_mean(self, written: &str) -> Self {
        let near =
            self.choices.as_ref().and_then(|choices| closest(written, &choices.items)).map(str::to_owned);
        match near {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

/// The candidate that is most like a word, when one is alike at all.
pub(crate) fn closest<'c, T: AsRef<str>>(word: &str, candidates: &'c [T]) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let word = plain(word);
    let mut begun =
        candidates.iter().map(AsRef::as_ref).filter(|candidate| plain(candidate).starts_with(&word));
    if let (Some(candidate), None, 3..) = (begun.next(), begun.next(), word.len()) {
        return Some(candidate);
    }
    let near = candidates
        .iter()
        .map(AsRef::as_ref)
        .map(|candidate: &str| (strsim::osa_distance(&word, &plain(candidate)), candidate));
    let (distance, candidate) = near.min_by_key(|(distance, _)| *distance)?;
    let allowed = word.chars().count().max(candidate.chars().count()).div_ceil(3);
    (distance <= allowed && distance < candidate.chars().count()).then_some(candidate)
}

impl fmt::Display for Fault {
    /// As rustc and cargo do: code, place, line, mark, choices; the hint on a line of its own. No newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Location { file, line, column } = &self.location;
        write!(f, "{severity}[{}]: {}", self.code, self.message)?;
        let gutter = match &self.excerpt {
            Some(excerpt) => {
                let number = line.to_string();
                let gutter = " ".repeat(number.len());
                write!(f, "\n{gutter}--> {file}:{line}:{column}\n{gutter} |\n{number} | {}", excerpt.line)?;
                write!(f, "\n{gutter} | {}{}", " ".repeat(excerpt.indent), "^".repeat(excerpt.width))?;
                gutter
            }
            None => {
                write!(f, "\n --> {file}")?;
                " ".to_owned()
            }
        };
        if let Some(Choices { label, items }) = &self.choices {
            write!(f, "\n{gutter} = {label}: {}", items.join(", "))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{gutter} hint: {hint}")?;
        }
        Ok(())
    }
}

/// All faults of a file: at least one, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Faults {
    file: String,
    faults: Vec<Fault>,
    /// Parts of the file that were left out because of them; none: nothing is run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without: Vec<String>,
}

impl Faults {
    /// All faults of `file`; none when there are none.
    #[must_use]
    pub fn new(file: impl Into<String>, mut faults: Vec<Fault>) -> Option<Self> {
        faults.sort_by_key(|fault| (fault.location.line, fault.location.column));
        faults.dedup();
        (!faults.is_empty()).then(|| Self { file: file.into(), faults, without: Vec::new() })
    }

    /// The same as warnings: what is asked for does not need these parts of the file.
    pub(super) fn set_aside(mut self, parts: Vec<String>) -> Self {
        self.faults.iter_mut().for_each(|fault| fault.severity = Severity::Warning);
        self.without = parts;
        self
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}\n")?;
        }
        let count = match self.faults.len() {
            1 => "1 fault".to_owned(),
            many => format!("{many} faults"),
        };
        match self.without.as_slice() {
            [] => write!(f, "{count} in {}; nothing was run", self.file),
            parts => write!(f, "{count} in {}; this goes on without `{}`", self.file, parts.join("`, `")),
        }
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_are_alike_are_suggested() {
        let keys: Vec<String> = ["env", "hosts", "port", "healthy-after"].map(str::to_owned).into();
        for (word, want) in [
            ("prot", Some("port")),
            ("healthy_after", Some("healthy-after")),
            ("Host", Some("hosts")),
            ("heal", Some("healthy-after")),
            ("container", None),
            ("x", None),
        ] {
            assert_eq!(closest(word, &keys), want, "{word}");
        }
    }
}
