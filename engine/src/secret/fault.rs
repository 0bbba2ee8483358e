//! Why a secret has no value.

use camino::Utf8PathBuf;

use super::Secret;
use crate::model::Name;

/// Why a secret has no value. Never holds any part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// No such entry in `[secrets]`.
    #[error("there is no secret `{name}`; known: {}", known(names))]
    Unknown {
        /// The name asked for.
        name: Name,
        /// Those that there are.
        names: Vec<Name>,
    },
    /// The variable is not set.
    #[error("secret `{name}`: the variable `{variable}` is not set")]
    NotSet {
        /// The secret.
        name: Name,
        /// The variable.
        variable: String,
    },
    /// The file can't be read.
    #[error("secret `{name}`: can't read `{path}`: {reason}")]
    File {
        /// The secret.
        name: Name,
        /// The file.
        path: Utf8PathBuf,
        /// The system's words.
        reason: String,
    },
    /// Others may read the file.
    #[error("secret `{name}`: `{path}` has mode {mode:04o}, so others than its owner have access")]
    Exposed {
        /// The secret.
        name: Name,
        /// The file.
        path: Utf8PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The program did not give a value.
    #[error("secret `{name}`: `{program}` {reason}")]
    Command {
        /// The secret.
        name: Name,
        /// First word of the command.
        program: String,
        /// What happened.
        reason: String,
    },
    /// A program gives it, and none is run.
    #[error("secret `{name}`: `{program}` gives it, and this command starts no program of the configuration")]
    NotAsked {
        /// The secret.
        name: Name,
        /// First word of the command.
        program: String,
    },
    /// Longer than a secret may be.
    #[error("secret `{name}` is longer than {limit} bytes")]
    TooLong {
        /// The secret.
        name: Name,
        /// Bytes.
        limit: usize,
    },
    /// Empty or nearly so.
    #[error(
        "secret `{name}` is shorter than {} bytes, too short to be kept out of the output",
        Secret::SHORTEST
    )]
    TooShort {
        /// The secret.
        name: Name,
    },
    /// Not UTF-8, or with a NUL.
    #[error("secret `{name}` is not text")]
    NotText {
        /// The secret.
        name: Name,
    },
}

impl SecretFault {
    /// Stable name of the fault: class and case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "secret/unknown",
            Self::NotSet { .. } => "secret/not-set",
            Self::File { .. } => "secret/file",
            Self::Exposed { .. } => "secret/exposed",
            Self::Command { .. } => "secret/command",
            Self::NotAsked { .. } => "secret/not-asked",
            Self::TooLong { .. } => "secret/too-long",
            Self::TooShort { .. } => "secret/too-short",
            Self::NotText { .. } => "secret/not-text",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { name, .. } => {
                Some(format!("add it: `[secrets]` `{name} = {{ env = \"…\" }}` (or `file`, `command`)"))
            }
            Self::NotSet { variable, .. } => {
                Some(format!("set it where cutover runs: `{variable}=… cutover …`"))
            }
            Self::Exposed { path, .. } => {
                Some(format!("`chmod 600 {path}`, and change the secret if others were there"))
            }
            Self::TooShort { .. } => Some("write a value that is no secret into `env` as it is".to_owned()),
            Self::NotText { .. } => {
                Some("encode it, for example with `base64`, and decode it in the application".to_owned())
            }
            Self::NotAsked { .. } => Some(
                "`cutover deploy` runs it; one of a variable or a file is there for every command".to_owned(),
            ),
            Self::File { .. } | Self::Command { .. } | Self::TooLong { .. } => None,
        }
    }
}

fn known(names: &[Name]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
