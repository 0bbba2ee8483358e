//! Whether one instance is healthy: asked again and again, until it is or the time is up.

use cutover_hooks::http::{HttpError, Request};
use cutover_hooks::{Call, Health, HealthCheck, HookError, Instance, SettingFault};
use serde::Deserialize;

/// The `settings` table in cutover.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What is asked for.
    #[serde(default = "root")]
    path: String,
}

fn root() -> String {
    "/".to_owned()
}

#[derive(Debug)]
pub struct Hook;

impl HealthCheck for Hook {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        if settings.path.starts_with('/') {
            return Vec::new();
        }
        vec![SettingFault::new("path", format!("`{}` does not begin with `/`", settings.path))]
    }

    fn check(settings: &Settings, call: &Call, instance: &Instance) -> Result<Health, HookError> {
        let answer = match Request::to_instance("GET", instance, &settings.path).send() {
            Ok(answer) => answer,
            Err(HttpError::Denied(reason)) => return Err(HookError::Denied(reason)),
            Err(error) => return Ok(Health::Starting(HookError::from(error).text().to_owned())),
        };
        let release = call.fact("marker-header").and_then(|name| answer.header(name));
        Ok(match answer.status {
            200 => Health::Healthy(release.map(str::to_owned)),
            503 => Health::Starting(answer.summary()),
            _ => Health::Unhealthy(answer.summary()),
        })
    }
}

cutover_hooks::export!(health_check: Hook);

#[cfg(test)]
mod tests {
    use cutover_hooks::{Color, fake};

    use super::*;

    #[test]
    fn healthy_with_the_release_that_it_says() {
        let world = fake::World::install(["web1"]);
        let instance = fake::instance("web1", Color::Green, "10.0.0.11");
        let mut call = fake::call("{}", vec![instance.clone()]);
        call.facts = vec![("marker-header".to_owned(), "x-release".to_owned())];
        let check = || Hook::check(&Settings { path: "/up".to_owned() }, &call, &instance);

        assert!(matches!(check(), Ok(Health::Starting(_))), "nothing listens yet");
        world.http(|_| fake::response(200, &[("x-release", "r2")], "fine"));
        assert_eq!(check(), Ok(Health::Healthy(Some("r2".to_owned()))));
        world.http(|_| fake::response(500, &[], "no database"));
        assert_eq!(check(), Ok(Health::Unhealthy("500: no database".to_owned())));
    }
}
