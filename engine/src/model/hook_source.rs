//! Where the component of a hook is.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::oci_reference::OCI;

/// The scheme of hooks that are scripts.
pub const SCRIPT: &str = "script:";

/// Where a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookSource {
    /// Ships with the program.
    Builtin(String),
    /// A file, absolute.
    File(Utf8PathBuf),
    /// A script, `script:…`: a file, absolute, that the interpreter inside the program runs.
    Script(Utf8PathBuf),
    /// A URL, `https://` and nothing else. Only `cutover hook` fetches it.
    Https(String),
    /// An artifact in a registry, `oci://…` as [`OciReference`](super::OciReference) takes it. Only `cutover hook` fetches it.
    Oci(String),
}

impl HookSource {
    /// Takes what is not on this machine: `https://…` or `oci://…`.
    #[must_use]
    pub fn remote(text: &str) -> Option<Self> {
        let sources = [("https://", Self::Https as fn(String) -> Self), (OCI, Self::Oci)];
        sources
            .into_iter()
            .find(|(scheme, _)| text.starts_with(scheme))
            .map(|(_, source)| source(text.to_owned()))
    }

    /// Whether it has to be fetched.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        matches!(self, Self::Https(_) | Self::Oci(_))
    }

    /// The file that it is, where it is one that anybody may write.
    #[must_use]
    pub fn file(&self) -> Option<&Utf8Path> {
        match self {
            Self::File(path) | Self::Script(path) => Some(path),
            Self::Builtin(_) | Self::Https(_) | Self::Oci(_) => None,
        }
    }

    /// The same, with the file elsewhere.
    #[must_use]
    pub fn at(&self, path: Utf8PathBuf) -> Self {
        match self {
            Self::File(_) => Self::File(path),
            Self::Script(_) => Self::Script(path),
            Self::Builtin(_) | Self::Https(_) | Self::Oci(_) => self.clone(),
        }
    }

    /// As the configuration names it, wherever the project lies: `root` is where it does.
    #[must_use]
    pub fn requested(&self, root: &Utf8Path) -> String {
        match self {
            Self::File(path) => path.strip_prefix(root).unwrap_or(path).to_string(),
            Self::Script(path) => format!("{SCRIPT}{}", path.strip_prefix(root).unwrap_or(path)),
            Self::Builtin(_) | Self::Https(_) | Self::Oci(_) => self.to_string(),
        }
    }
}

impl fmt::Display for HookSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "builtin:{name}"),
            Self::File(path) => path.fmt(f),
            Self::Script(path) => write!(f, "{SCRIPT}{path}"),
            Self::Https(text) | Self::Oci(text) => f.write_str(text),
        }
    }
}
