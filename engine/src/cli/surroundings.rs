//! What the configuration asks about the world: files on disk, and hooks that the program carries.

use camino::Utf8Path;

use crate::bundled::{self, GrantsFault, HOOKS};
use crate::config;
use crate::model::SettingFault;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Facts, Input, Project, load, starter};
    use crate::model::Deployment;

    fn deployment(text: &str) -> Deployment {
        let input = Input { file: "cutover.toml", text, root: "/project/shop".into(), environment: None };
        load(input, &Surroundings::new()).unwrap_or_else(|faults| panic!("{faults}")).deployment
    }

    #[test]
    fn default_grants_are_such_as_could_be_written() {
        for (project, _) in Project::ALL {
            let text =
                starter(&Facts { directory: "shop".to_owned(), project, nginx: true, ..Facts::default() });
            let built = deployment(&text).build.hook;
            let run = built.settings["run"].as_array().map_or(0, Vec::len);
            assert!(run > 0);
            // The commands, and the move of what they made.
            assert_eq!(built.grants.exec.map(|grants| grants.len()), Some(run + 1));
            let nginx = text.replace("[router]", "[router]\nsettings = { style = \"symlink\" }");
            let grants = deployment(&nginx).router.hook.grants;
            let links: Vec<_> = grants.link.iter().flatten().map(|grant| grant.path.as_str()).collect();
            assert_eq!(links, ["/var/lib/cutover-nginx/shop/live"]);
        }
    }
}
