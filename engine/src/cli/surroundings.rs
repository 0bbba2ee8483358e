//! What the configuration asks about the world: files on disk, and hooks that the program carries.

use camino::Utf8Path;

use crate::bundled::{self, HOOKS};
use crate::config;

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

    fn bundled_grants(&self, name: &str, application: &str, settings: &serde_json::Value) -> Option<String> {
        let grants = bundled::hook(name)?.default_grants(application, settings);
        grants.ok().map(|grants| grants.to_string())
    }
}
