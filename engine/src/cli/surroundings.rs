//! What the configuration asks about the world: files on disk, and hooks that the program carries.

use camino::Utf8Path;

use crate::bundled::{self, GrantsFault, HOOKS};
use crate::config::{self, SettingFault};

/// The real world.
#[derive(Debug)]
pub(super) struct Surroundings {
    builtins: Vec<&'static str>,
}

impl Surroundings {
    pub(super) fn new() -> Self {
        Self { builtins: HOOKS.iter().map(|hook| hook.name).collect() }
    }
}

impl config::Surroundings for Surroundings {
    fn is_file(&self, path: &Utf8Path) -> bool {
        path.is_file()
    }

    fn builtins(&self) -> &[&str] {
        &self.builtins
    }

    fn bundled_grants(
        &self,
        name: &str,
        title: &str,
        settings: &serde_json::Value,
    ) -> Result<String, SettingFault> {
        let Some(hook) = bundled::hook(name) else { return Ok(String::new()) };
        let grants = hook.default_grants(title, settings);
        grants
            .map(|table| table.to_string())
            .map_err(|GrantsFault { key, reason }| SettingFault { key, reason })
    }
}
