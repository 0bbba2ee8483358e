//! A hook that is a script: text for the interpreter inside the program.

use crate::model::HookKind;

/// A script, on its way into sandboxes.
#[derive(Debug, Clone)]
pub(super) struct Script {
    input: Vec<u8>,
}

impl Script {
    /// `name` is what its errors call it: one line.
    pub(super) fn new(name: &str, text: &[u8]) -> Self {
        let name = name.replace('\n', " ");
        Self { input: [name.as_bytes(), b"\n", text].concat() }
    }

    /// The standard input of the interpreter (`script.wit`).
    pub(super) fn input(&self) -> &[u8] {
        &self.input
    }
}

/// What a script exports for a kind.
pub(super) const fn script_export(kind: HookKind) -> &'static str {
    match kind {
        HookKind::Build => "build",
        HookKind::HealthCheck => "healthCheck",
        HookKind::SmokeTest => "smokeTest",
        HookKind::Router => "router",
    }
}

/// What a script exports to be a hook: one of these, or more.
#[must_use]
pub fn script_exports() -> String {
    let names = HookKind::ALL.map(|kind| format!("`{}`", script_export(kind)));
    names.join(", ")
}
