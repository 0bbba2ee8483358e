//! Bounds of a path.

use serde::{Deserialize, Serialize};

/// A directory that something must lie beneath, with no link on the way from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beneath {
    /// The operator's own words: links on the way to it are followed.
    Directory(String),
    /// What a hook was granted: no link may be on the way to it either, since others may be able to put one there.
    Granted(String),
}

impl Beneath {
    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &str {
        let (Self::Directory(directory) | Self::Granted(directory)) = self;
        directory
    }
}
