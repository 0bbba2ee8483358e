//! Each kind of hook, answered by the script.

use cutover_hooks::{
    Artifact, Build, Call, Color, Health, HealthCheck, HookError, Instance, Observation, Router, Routing,
    SettingFault, SmokeTest, Source, TestCase,
};
use serde_json::{Value, json};

use crate::answers::{JsArtifact, JsHealth, JsObservation, JsSettingFault, JsTestCase, Nothing};
use crate::questions;
use crate::script::Script;

/// The kinds of hook: the interface, what a script exports for it, and the functions of that.
pub(crate) const KINDS: [(&str, &str, &[&str]); 4] = [
    ("build", "build", &["validate", "run"]),
    ("health-check", "healthCheck", &["validate", "check"]),
    ("router", "router", &["validate", "features", "observe", "prepare", "apply", "discard", "connections"]),
    ("smoke-test", "smokeTest", &["validate", "run"]),
];

/// A hook whose answers are a script's.
#[derive(Debug)]
pub(crate) struct Scripted;

fn script() -> Result<Script, HookError> {
    Script::given().map_err(|fault| HookError::failed(format!("the script can't be read: {fault}")))
}

fn faults(kind: &str, settings: &Value) -> Vec<SettingFault> {
    match script() {
        Ok(script) => script_faults(&script, kind, settings),
        Err(error) => vec![SettingFault::new("", error.text())],
    }
}

/// The faults that a script finds; one where it throws instead.
pub(crate) fn script_faults(script: &Script, kind: &str, settings: &Value) -> Vec<SettingFault> {
    match script.ask::<Vec<JsSettingFault>>(kind, "validate", &[json!(settings.to_string())]) {
        Ok(found) => found.into_iter().map(SettingFault::from).collect(),
        Err(error) => vec![SettingFault::new("", error.text())],
    }
}

impl Build for Scripted {
    type Settings = Value;

    fn faults(settings: &Value) -> Vec<SettingFault> {
        faults("build", settings)
    }

    fn run(_: &Value, call: &Call, source: &Source) -> Result<Artifact, HookError> {
        let asked = [questions::call(call), questions::source(source)];
        script()?.ask::<JsArtifact>("build", "run", &asked).map(Artifact::from)
    }
}

impl HealthCheck for Scripted {
    type Settings = Value;

    fn faults(settings: &Value) -> Vec<SettingFault> {
        faults("healthCheck", settings)
    }

    fn check(_: &Value, call: &Call, instance: &Instance) -> Result<Health, HookError> {
        let asked = [questions::call(call), questions::instance(instance)];
        script()?.ask::<JsHealth>("healthCheck", "check", &asked).map(Health::from)
    }
}

impl SmokeTest for Scripted {
    type Settings = Value;

    fn faults(settings: &Value) -> Vec<SettingFault> {
        faults("smokeTest", settings)
    }

    fn run(_: &Value, call: &Call) -> Result<Vec<TestCase>, HookError> {
        let cases: Vec<JsTestCase> = script()?.ask("smokeTest", "run", &[questions::call(call)])?;
        Ok(cases.into_iter().map(TestCase::from).collect())
    }
}

impl Router for Scripted {
    type Settings = Value;

    fn faults(settings: &Value) -> Vec<SettingFault> {
        faults("router", settings)
    }

    fn features(_: &Value, call: &Call) -> Result<Vec<String>, HookError> {
        script()?.ask("router", "features", &[questions::call(call)])
    }

    fn observe(_: &Value, call: &Call, router: &str) -> Result<Observation, HookError> {
        let asked = [questions::call(call), json!(router)];
        script()?.ask::<JsObservation>("router", "observe", &asked).map(Observation::from)
    }

    fn prepare(_: &Value, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let asked = [questions::call(call), json!(router), questions::routing(want)];
        script()?.ask("router", "prepare", &asked)
    }

    fn apply(_: &Value, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        let asked = [questions::call(call), json!(router), questions::routing(want)];
        script()?.ask("router", "apply", &asked).map(|Nothing| ())
    }

    fn discard(_: &Value, call: &Call, router: &str) -> Result<(), HookError> {
        script()?.ask("router", "discard", &[questions::call(call), json!(router)]).map(|Nothing| ())
    }

    fn connections(_: &Value, call: &Call, router: &str, color: Color) -> Result<Option<u32>, HookError> {
        let asked = [questions::call(call), json!(router), json!(color.as_str())];
        script()?.ask("router", "connections", &asked)
    }
}
