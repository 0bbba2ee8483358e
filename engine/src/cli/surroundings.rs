//! What the configuration asks about the world: files on disk, and hooks that the program carries.

use camino::Utf8Path;

use crate::bundled::{self, GrantsFault, HOOKS};
use crate::config;
use crate::model::SettingFault;

/// The real world.
#[derive(Debug)]
pub(super) struct Surroundings {
    builtins: Vec<&'static str>,
    /// Whether every file counts as there.
    at_a_revision: bool,
}

impl Surroundings {
    pub(super) fn new() -> Self {
        Self { builtins: HOOKS.iter().map(|hook| hook.name).collect(), at_a_revision: false }
    }

    /// Those of a configuration of another time, whose files are looked for once it is understood.
    pub(super) fn at_a_revision() -> Self {
        Self { at_a_revision: true, ..Self::new() }
    }
}

impl config::Surroundings for Surroundings {
    fn is_file(&self, path: &Utf8Path) -> bool {
        self.at_a_revision || path.is_file()
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

    fn settings_schema(&self, name: &str) -> Option<serde_json::Value> {
        bundled::hook(name).map(bundled::BundledHook::settings_schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Facts, Input, KnownRouter, Project, load, starter};
    use crate::model::Deployment;

    fn deployment(text: &str) -> Deployment {
        let input = Input { file: "cutover.toml", text, root: "/project/shop".into(), environment: None };
        load(input, &Surroundings::new()).unwrap_or_else(|faults| panic!("{faults}")).deployment
    }

    #[test]
    fn settings_of_bundled_hooks_are_told_as_the_configuration_is() {
        let text = r#"name = "shop"
[build]
settings = { run = "make", artefact = "." }
[app]
start = ["bin/shop"]
blue  = { port = 4001 }
green = { port = 4002 }
[[smoke-test]]
name = "start"
settings = { requests = [{ paht = "/" }] }
[router]
settings = { status-port = "8099" }
front-door = ["http://127.0.0.1:8080/up"]
"#;
        let input = Input { file: "cutover.toml", text, root: "/project/shop".into(), environment: None };
        let faults = load(input, &Surroundings::new()).map(|_| ()).expect_err("faults");
        let want = r#"error[config/type]: `build.settings.run` is a string: it must be an array of arrays
 --> cutover.toml:3:20
  |
3 | settings = { run = "make", artefact = "." }
  |                    ^^^^^^
  hint: as an array: [["make"]]

error[config/unknown-key]: unknown key `artefact` in `build.settings`
 --> cutover.toml:3:28
  |
3 | settings = { run = "make", artefact = "." }
  |                            ^^^^^^^^
  = valid keys: artifact, env, run, version-file
  hint: did you mean `artifact`?

error[config/unknown-key]: unknown key `paht` in `smoke-test[0].settings.requests[0]`
  --> cutover.toml:10:28
   |
10 | settings = { requests = [{ paht = "/" }] }
   |                            ^^^^
   = valid keys: body, expect, headers, host, json, method, name, path
   hint: did you mean `path`?

error[config/type]: `router.settings.status-port` is a string: it must be an integer from 1 to 65535
  --> cutover.toml:12:28
   |
12 | settings = { status-port = "8099" }
   |                            ^^^^^^
   hint: without quotes: 8099

4 faults in cutover.toml; nothing was run"#;
        assert_eq!(faults.to_string(), want);
    }

    #[test]
    fn default_grants_are_such_as_could_be_written() {
        for (project, _) in Project::ALL {
            let router = Some(KnownRouter::Nginx);
            let facts = Facts { directory: "shop".to_owned(), project, router, ..Facts::default() };
            let text = starter(&facts);
            let built = deployment(&text).build.hook;
            let run = built.settings["run"].as_array().map_or(0, Vec::len);
            assert!(run > 0);
            // The commands, and the move of what they made.
            assert_eq!(built.grants.exec.map(|grants| grants.len()), Some(run + 1));
            let nginx = text.replace("[router]", "[router]\nsettings = { style = \"symlink\" }");
            let grants = deployment(&nginx).router.hook.grants;
            let links: Vec<_> = grants.link.iter().flatten().map(|grant| grant.path.as_str()).collect();
            assert_eq!(links, ["/var/lib/cutover-nginx/shop/live"]);
            let own = deployment(&starter(&Facts { router: None, ..facts })).router.hook.grants;
            let sends: Vec<_> = own.connect.iter().flatten().flat_map(|grant| &grant.send).collect();
            assert_eq!(sends, ["show shop", "check shop *", "set shop *"]);
        }
    }
}
