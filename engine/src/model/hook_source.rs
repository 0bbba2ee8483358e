//! Where the component of a hook is.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::oci_reference::OCI;

/// Where a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookSource {
    /// Ships with the program.
    Builtin(String),
    /// A file, absolute.
    File(Utf8PathBuf),
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

    /// As the configuration names it, wherever the project lies: `root` is where it does.
    #[must_use]
    pub fn requested(&self, root: &Utf8Path) -> String {
        match self {
            Self::File(path) => path.strip_prefix(root).unwrap_or(path).to_string(),
            Self::Builtin(_) | Self::Https(_) | Self::Oci(_) => self.to_string(),
        }
    }
}

impl fmt::Display for HookSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "builtin:{name}"),
            Self::File(path) => path.fmt(f),
            Self::Https(text) | Self::Oci(text) => f.write_str(text),
        }
    }
}
