//! The kinds of hook.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of hook: what it is asked. Known by the name of the interface that a component exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookKind {
    /// Turns a revision into an artifact.
    Build,
    /// Looks at one instance.
    HealthCheck,
    /// Tests the idle colour.
    SmokeTest,
    /// Moves traffic.
    Router,
}

impl HookKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Build, Self::HealthCheck, Self::SmokeTest, Self::Router];

    /// Name of its interface, without package and version.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::HealthCheck => "health-check",
            Self::SmokeTest => "smoke-test",
            Self::Router => "router",
        }
    }
}

impl fmt::Display for HookKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
