//! Each kind of hook, answered by the script.

use cutover_hooks::{
    Artifact, Build, Call, Color, Health, HealthCheck, HookError, Instance, Observation, Router, Routing,
    SettingFault, SmokeTest, Source, TestCase,
};
use serde_json::{Value, json};

use crate::answers::{self, JsArtifact, JsHealth, JsObservation, JsSettingFault, JsTestCase};
use crate::questions;
use crate::script::Script;

/// A hook whose answers are a script's.
#[derive(Debug)]
pub(crate) struct Scripted;

fn script() -> Result<Script, HookError> {
    Script::given().map_err(|fault| HookError::failed(format!("the script can't be read: {fault}")))
}

/// The faults that the script finds; one where it throws instead.
fn faults(kind: &str, settings: &Value) -> Vec<SettingFault> {
    let found = script().and_then(|script| {
        let returned = script.ask(kind, "validate", &[json!(settings.to_string())])?;
        answers::read::<Vec<JsSettingFault>>(returned, &format!("{kind}.validate"))
    });
    match found {
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
        let returned = script()?.ask("build", "run", &[questions::call(call), questions::source(source)])?;
        answers::read::<JsArtifact>(returned, "build.run").map(Artifact::from)
    }
}

impl HealthCheck for Scripted {
    type Settings = Value;

    fn faults(settings: &Value) -> Vec<SettingFault> {
        faults("healthCheck", settings)
    }

    fn check(_: &Value, call: &Call, instance: &Instance) -> Result<Health, HookError> {
        let asked = [questions::call(call), questions::instance(instance)];
        answers::read::<JsHealth>(script()?.ask("healthCheck", "check", &asked)?, "healthCheck.check")
            .map(Health::from)
    }
}

impl SmokeTest for Scripted {
    type Settings = Value;

    fn faults(settings: &Value) -> Vec<SettingFault> {
        faults("smokeTest", settings)
    }

    fn run(_: &Value, call: &Call) -> Result<Vec<TestCase>, HookError> {
        let returned = script()?.ask("smokeTest", "run", &[questions::call(call)])?;
        let cases: Vec<JsTestCase> = answers::read(returned, "smokeTest.run")?;
        Ok(cases.into_iter().map(TestCase::from).collect())
    }
}

impl Router for Scripted {
    type Settings = Value;

    fn faults(settings: &Value) -> Vec<SettingFault> {
        faults("router", settings)
    }

    fn features(_: &Value, call: &Call) -> Result<Vec<String>, HookError> {
        answers::read(script()?.ask("router", "features", &[questions::call(call)])?, "router.features")
    }

    fn observe(_: &Value, call: &Call, router: &str) -> Result<Observation, HookError> {
        let returned = script()?.ask("router", "observe", &[questions::call(call), json!(router)])?;
        answers::read::<JsObservation>(returned, "router.observe").map(Observation::from)
    }

    fn prepare(_: &Value, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let asked = [questions::call(call), json!(router), questions::routing(want)];
        answers::read(script()?.ask("router", "prepare", &asked)?, "router.prepare")
    }

    fn apply(_: &Value, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        let asked = [questions::call(call), json!(router), questions::routing(want)];
        script()?.ask("router", "apply", &asked).map(drop)
    }

    fn discard(_: &Value, call: &Call, router: &str) -> Result<(), HookError> {
        script()?.ask("router", "discard", &[questions::call(call), json!(router)]).map(drop)
    }

    fn connections(_: &Value, call: &Call, router: &str, color: Color) -> Result<Option<u32>, HookError> {
        let asked = [questions::call(call), json!(router), json!(color.as_str())];
        answers::read(script()?.ask("router", "connections", &asked)?, "router.connections")
    }
}
