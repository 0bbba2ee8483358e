//! Built versions of the application.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Identifier of a release and name of its directory: `YYYYMMDDTHHMMSSZ-REVISION8-RAND4`, so that names sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseId(String);

impl ReleaseId {
    /// Makes an identifier out of its parts.
    ///
    /// `stamp` is UTC time as `YYYYMMDDTHHMMSSZ`; of `revision` the first eight letters and digits are taken (`artifact` when none is
    /// known); `random` are four characters.
    #[must_use]
    pub fn from_parts(stamp: &str, revision: Option<&str>, random: &str) -> Self {
        let revision: String = revision
            .unwrap_or("artifact")
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .take(8)
            .collect();
        Self(format!("{stamp}-{revision}-{random}"))
    }

    /// Checks a text: letters, digits and `-`, at most 63 characters, beginning with a digit or letter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fine = text.len() <= 63
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        fine.then(|| Self(text.to_owned()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for ReleaseId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a release identifier"))
    }
}

impl From<ReleaseId> for String {
    fn from(id: ReleaseId) -> Self {
        id.0
    }
}

/// One built version of the application. Kept on each host beside the release, in the journal and in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Release {
    /// Name of the directory.
    pub id: ReleaseId,
    /// Counted per application and environment, from 1; people may use it instead of the identifier.
    pub number: u64,
    /// Revision of the source, when known.
    pub revision: Option<String>,
    /// First line of the revision's message, when known.
    pub subject: Option<String>,
    /// Branch that the revision was taken from.
    pub branch: Option<String>,
    /// The repository that it was built from, whatever way leads there, when known: `example.com/shop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Version that the build reported.
    pub version: Option<String>,
    /// `sha256:` and 64 hexadecimal digits: digest of the manifest.
    pub digest: String,
    /// Bytes of all files.
    pub size: u64,
    /// When it was built or taken in.
    pub created: Timestamp,
    /// What the build hook said beside that.
    pub labels: Vec<(String, String)>,
}

impl Release {
    /// A release of which no more than this is known yet.
    #[must_use]
    pub const fn new(id: ReleaseId, number: u64, created: Timestamp) -> Self {
        Self {
            id,
            number,
            revision: None,
            subject: None,
            branch: None,
            repository: None,
            version: None,
            digest: String::new(),
            size: 0,
            created,
            labels: Vec::new(),
        }
    }
}
