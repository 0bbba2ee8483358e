//! Turns a checkout into an artifact, on the host that builds.

use cutover_hooks::hosts::{self, Command};
use cutover_hooks::{Artifact, Build, Call, HookError, Source};
use serde::Deserialize;

/// The `settings` table in cutover.toml: there are none yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

#[derive(Debug)]
pub struct Hook;

impl Build for Hook {
    type Settings = Settings;

    fn run(_: &Settings, _: &Call, source: &Source) -> Result<Artifact, HookError> {
        let all = format!("{}/.", source.checkout);
        hosts::run("builder", &Command::new("/bin/cp").args(["-R", &all, &source.output]))?;
        Ok(Artifact { path: String::new(), version: None, labels: Vec::new() })
    }
}

cutover_hooks::export!(build: Hook);

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;

    #[test]
    fn the_checkout_is_the_artifact() {
        let world = fake::World::install(["builder"]);
        world.program("builder", "/bin/cp", |_| fake::exit(0, ""));
        let source = Source {
            revision: "9f3c2a1".to_owned(),
            branch: "main".to_owned(),
            checkout: "/src".to_owned(),
            output: "/out".to_owned(),
        };
        let artifact =
            Hook::run(&Settings {}, &fake::call("{}", Vec::new()), &source).expect("built");
        assert_eq!(
            (artifact.path.as_str(), world.calls()),
            ("", vec!["exec builder /bin/cp -R /src/. /out".to_owned()])
        );
    }
}
