//! The bundled hooks.

use std::fmt;

use super::GrantsFault;
use super::grants;

/// A hook that `cutover.toml` names as `builtin:NAME`.
#[derive(Debug, PartialEq, Eq)]
pub struct BundledHook {
    /// NAME.
    pub name: &'static str,
    /// What it can be used for.
    pub kind: HookKind,
    /// The component.
    pub wasm: &'static [u8],
    /// `grants.toml` of its folder: the template of its default grants.
    template: &'static str,
}

/// Kinds of hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// `[build]`.
    Build,
    /// `[health-check]`.
    HealthCheck,
    /// `[[smoke-test]]`.
    SmokeTest,
    /// `[router]`.
    Router,
}

impl HookKind {
    /// As in the contract: `health-check`.
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

/// All of them, by name.
pub const HOOKS: &[BundledHook] = &[
    BundledHook {
        name: "command-build",
        kind: HookKind::Build,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/command-build.wasm")),
        template: include_str!("../../../example-hooks/command-build/grants.toml"),
    },
    BundledHook {
        name: "http-health",
        kind: HookKind::HealthCheck,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/http-health.wasm")),
        template: include_str!("../../../example-hooks/http-health/grants.toml"),
    },
    BundledHook {
        name: "http-smoke",
        kind: HookKind::SmokeTest,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/http-smoke.wasm")),
        template: include_str!("../../../example-hooks/http-smoke/grants.toml"),
    },
    BundledHook {
        name: "nginx",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/nginx.wasm")),
        template: include_str!("../../../example-hooks/nginx/grants.toml"),
    },
];

/// The hook of that name.
#[must_use]
pub fn hook(name: &str) -> Option<&'static BundledHook> {
    HOOKS.iter().find(|hook| hook.name == name)
}

impl BundledHook {
    /// The `grants` table that this hook gets where the configuration has none, exactly as it could be written there.
    ///
    /// `title` is the application's name, with `-ENVIRONMENT` where there are environments: what hooks know from the call.
    ///
    /// # Errors
    /// When a setting has a type or a text that can't become part of a grant without widening it.
    pub fn default_grants(
        &self,
        title: &str,
        settings: &serde_json::Value,
    ) -> Result<toml::Table, GrantsFault> {
        grants::fill(self.template, title, settings)
    }
}
