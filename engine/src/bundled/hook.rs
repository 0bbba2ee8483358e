//! The bundled hooks.

use super::GrantsFault;
use super::grants;
use crate::model::HookKind;

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
    /// `settings.schema.json` of its folder: the JSON Schema of its settings.
    schema: &'static str,
}

/// All of them, by name.
pub const HOOKS: &[BundledHook] = &[
    BundledHook {
        name: "apache",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/apache.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/apache.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/apache.settings.schema.json")),
    },
    BundledHook {
        name: "aws-alb",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/aws-alb.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/aws-alb.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/aws-alb.settings.schema.json")),
    },
    BundledHook {
        name: "caddy",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/caddy.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/caddy.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/caddy.settings.schema.json")),
    },
    BundledHook {
        name: "cloud-foundry",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/cloud-foundry.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/cloud-foundry.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/cloud-foundry.settings.schema.json")),
    },
    BundledHook {
        name: "command-build",
        kind: HookKind::Build,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/command-build.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/command-build.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/command-build.settings.schema.json")),
    },
    BundledHook {
        name: "haproxy",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/haproxy.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/haproxy.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/haproxy.settings.schema.json")),
    },
    BundledHook {
        name: "http-health",
        kind: HookKind::HealthCheck,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/http-health.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/http-health.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/http-health.settings.schema.json")),
    },
    BundledHook {
        name: "http-smoke",
        kind: HookKind::SmokeTest,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/http-smoke.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/http-smoke.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/http-smoke.settings.schema.json")),
    },
    BundledHook {
        name: "kubernetes",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/kubernetes.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/kubernetes.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/kubernetes.settings.schema.json")),
    },
    BundledHook {
        name: "nginx",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/nginx.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/nginx.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/nginx.settings.schema.json")),
    },
    BundledHook {
        name: "proxy",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/proxy.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/proxy.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/proxy.settings.schema.json")),
    },
    BundledHook {
        name: "traefik",
        kind: HookKind::Router,
        wasm: include_bytes!(concat!(env!("OUT_DIR"), "/traefik.wasm")),
        template: include_str!(concat!(env!("OUT_DIR"), "/traefik.grants.toml")),
        schema: include_str!(concat!(env!("OUT_DIR"), "/traefik.settings.schema.json")),
    },
];

/// The hook of that name.
#[must_use]
pub fn hook(name: &str) -> Option<&'static BundledHook> {
    HOOKS.iter().find(|hook| hook.name == name)
}

impl BundledHook {
    /// JSON Schema of its settings, with a `title` (what it does), an example, and a description and default of each setting.
    #[must_use]
    pub fn settings_schema(&self) -> serde_json::Value {
        // Files of ours, read by tests.
        serde_json::from_str(self.schema).unwrap_or_default()
    }

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

    /// What is forgotten most often where this hook routes and a front door shows something else than the application; `title` as
    /// for the grants.
    #[must_use]
    pub fn front_door_hint(&self, title: &str, settings: &serde_json::Value) -> Option<String> {
        grants::hint(self.template, title, settings, "front-door")
    }

    /// What to do where this hook routes by these settings, and can't share requests between the colours.
    #[must_use]
    pub fn weights_hint(&self, title: &str, settings: &serde_json::Value) -> Option<String> {
        grants::hint(self.template, title, settings, "weights")
    }

    /// What to do where this hook routes by these settings, and can't take hosts out.
    #[must_use]
    pub fn hosts_hint(&self, title: &str, settings: &serde_json::Value) -> Option<String> {
        grants::hint(self.template, title, settings, "hosts")
    }
}
