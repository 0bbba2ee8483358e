//! Tests the idle colour before it gets traffic.

use cutover_hooks::http::Request;
use cutover_hooks::{Call, HookError, Outcome, SettingFault, SmokeTest, TestCase, engine};
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

impl SmokeTest for Hook {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        if settings.path.starts_with('/') {
            return Vec::new();
        }
        vec![SettingFault::new("path", format!("`{}` does not begin with `/`", settings.path))]
    }

    fn run(settings: &Settings, call: &Call) -> Result<Vec<TestCase>, HookError> {
        let mut cases = Vec::new();
        for instance in &call.instances {
            let begun = engine::elapsed();
            let answer = Request::to_instance("GET", instance, &settings.path).send()?;
            let outcome = match answer.status {
                200 => Outcome::Passed,
                _ => Outcome::Failed(format!("answers {}", answer.summary())),
            };
            let duration = engine::elapsed().saturating_sub(begun);
            cases.push(TestCase {
                name: format!("{} on {}", settings.path, instance.host),
                outcome,
                duration_ms: u32::try_from(duration.as_millis()).unwrap_or(u32::MAX),
                labels: Vec::new(),
            });
        }
        Ok(cases)
    }
}

cutover_hooks::export!(smoke_test: Hook);

#[cfg(test)]
mod tests {
    use cutover_hooks::{Color, fake};

    use super::*;

    #[test]
    fn a_case_for_each_instance() {
        let world = fake::World::install(["web1", "web2"]);
        world.http(|request| match request.via.as_deref() {
            Some("web1") => fake::response(200, &[], "fine"),
            _ => fake::response(500, &[], "no database"),
        });
        let instances =
            ["web1", "web2"].map(|host| fake::instance(host, Color::Green, "10.0.0.11"));
        let call = fake::call("{}", instances.to_vec());
        let cases =
            Hook::run(&Settings { path: "/up".to_owned() }, &call).expect("it could be made");
        let told: Vec<(&str, &Outcome)> =
            cases.iter().map(|case| (case.name.as_str(), &case.outcome)).collect();
        let failed = Outcome::Failed("answers 500: no database".to_owned());
        assert_eq!(told, [("/up on web1", &Outcome::Passed), ("/up on web2", &failed)]);
    }
}
