//! What hosts and servers answer in a case.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::is_default;

/// Bytes in a file that people read: as text where they are some, else in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Bytes {
    /// As text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// As base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

impl Bytes {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: Some(text.to_owned()), base64: None },
            Err(_) => Self { text: None, base64: Some(STANDARD.encode(bytes)) },
        }
    }

    /// The bytes; none where nothing is written.
    ///
    /// # Errors
    /// When it is no base64, or both are written.
    pub fn decoded(text: Option<&str>, base64: Option<&str>) -> Result<Vec<u8>, String> {
        match (text, base64) {
            (Some(_), Some(_)) => {
                Err("`text` and `base64` are the same thing twice: write one of them".to_owned())
            }
            (Some(text), None) => Ok(text.as_bytes().to_vec()),
            (None, Some(base64)) => {
                STANDARD.decode(base64).map_err(|error| format!("`base64` is not base64: {error}"))
            }
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// What a program answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Output {
    /// Exit status.
    #[serde(skip_serializing_if = "is_default")]
    pub status: i32,
    /// Standard output.
    #[serde(skip_serializing_if = "is_default")]
    pub out: String,
    /// Standard error.
    #[serde(skip_serializing_if = "is_default")]
    pub errors: String,
    /// Whether either lost its middle.
    #[serde(skip_serializing_if = "is_default")]
    pub truncated: bool,
    /// Why it was not run to its end.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<HostFault>,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Content {
    /// As text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: Option<String>,
    /// As base64.
    #[serde(skip_serializing_if = "is_default")]
    pub base64: Option<String>,
    /// Why it can't be read.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<HostFault>,
}

/// That it is done, or why not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Done {
    /// Why not.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<HostFault>,
}

/// Where a link points, or what a socket sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Text {
    /// That.
    #[serde(skip_serializing_if = "is_default")]
    pub text: String,
    /// Why there is none.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<HostFault>,
}

/// What is in a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Names {
    /// Sorted.
    #[serde(skip_serializing_if = "is_default")]
    pub names: Vec<String>,
    /// Why it can't be read.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<HostFault>,
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Reply {
    /// Status of HTTP.
    pub status: u16,
    /// Names in lower case, and values.
    #[serde(skip_serializing_if = "is_default")]
    pub headers: Vec<(String, String)>,
    /// The body as text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: Option<String>,
    /// The body as base64.
    #[serde(skip_serializing_if = "is_default")]
    pub base64: Option<String>,
    /// Whether the body was cut.
    #[serde(skip_serializing_if = "is_default")]
    pub truncated: bool,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<HttpFault>,
}

impl Default for Reply {
    fn default() -> Self {
        Self { status: 200, headers: Vec::new(), text: None, base64: None, truncated: false, error: None }
    }
}

/// Why a host did not do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HostFault {
    /// Which error of the contract.
    pub kind: HostFaultKind,
    /// In words.
    #[serde(default)]
    pub text: String,
    /// Of `other`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub code: String,
}

/// The cases of `hosts.host-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostFaultKind {
    /// Not granted.
    Denied,
    /// No such program, file or socket.
    NotFound,
    /// Nothing was done.
    Unreachable,
    /// It is not known whether it was done.
    Broken,
    /// Nor here.
    TimedOut,
    /// It was tried.
    Failed,
    /// With a code.
    Other,
}

impl HostFaultKind {
    /// As a case has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
            Self::TimedOut => "timed-out",
            Self::Failed => "failed",
            Self::Other => "other",
        }
    }
}

/// Why a server gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HttpFault {
    /// Which error of the contract.
    pub kind: HttpFaultKind,
    /// In words.
    #[serde(default)]
    pub text: String,
    /// Of `other`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub code: String,
}

/// The cases of `http-client.http-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpFaultKind {
    /// Not granted.
    Denied,
    /// It is not known whether it took effect.
    TimedOut,
    /// Nothing was sent.
    Connect,
    /// Nor here.
    Tls,
    /// The connection broke.
    Broken,
    /// With a code.
    Other,
}

impl HttpFaultKind {
    /// As a case has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::TimedOut => "timed-out",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Broken => "broken",
            Self::Other => "other",
        }
    }
}
