//! What a hook may ask of the engine.

use std::fmt;

use crate::model::HookKind;

/// An interface of the contract that a hook imports beside `engine`, which needs no grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Programs, files and sockets of hosts.
    Hosts,
    /// HTTP.
    HttpClient,
    /// Signatures with secrets that it does not see.
    Secrets,
    /// Plain text of secrets.
    SecretText,
}

impl Need {
    /// All of them, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Hosts, Self::HttpClient, Self::Secrets, Self::SecretText];

    /// Name of the interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hosts => "hosts",
            Self::HttpClient => "http-client",
            Self::Secrets => "secrets",
            Self::SecretText => "secret-text",
        }
    }

    /// The one that the template of a kind uses.
    #[must_use]
    pub const fn of(kind: HookKind) -> Self {
        match kind {
            HookKind::Build => Self::Hosts,
            HookKind::HealthCheck | HookKind::SmokeTest | HookKind::Router => Self::HttpClient,
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
