//! Between the model and the contract. What comes from a hook is checked on the way.

use super::contract::cutover::hook::hook_types as wit;
use super::contract::exports::cutover::hook::{build, health_check, router, smoke_test};
use super::failure::HookFailure;
use crate::model::{
    Artifact, Case, CaseOutcome, Color, Health, HookCall, HookRelease, HostName, Instance, Observation,
    Routing, SettingFault, Source,
};

pub(super) fn call(call: &HookCall, settings: &serde_json::Value) -> wit::Call {
    wit::Call {
        deployment: call.deployment.clone(),
        app: call.app.clone(),
        release: release(&call.release),
        previous: call.previous.as_ref().map(release),
        color: color(call.color),
        attempt: call.attempt,
        instances: call.instances.iter().map(instance).collect(),
        settings: settings_text(settings),
        facts: call.facts.clone(),
    }
}

/// `{}` where there is no table.
pub(super) fn settings_text(settings: &serde_json::Value) -> String {
    if settings.is_null() { "{}".to_owned() } else { settings.to_string() }
}

fn release(release: &HookRelease) -> wit::Release {
    wit::Release {
        id: release.id.clone(),
        revision: release.revision.clone(),
        version: release.version.clone(),
        digest: release.digest.clone(),
        labels: release.labels.clone(),
    }
}

pub(super) fn instance(instance: &Instance) -> wit::Instance {
    wit::Instance {
        host: instance.host.to_string(),
        color: color(instance.color),
        listen: instance.listen.clone(),
        address: instance.address.clone(),
        port: instance.port,
        labels: instance.labels.clone(),
    }
}

pub(super) const fn color(color: Color) -> wit::Color {
    match color {
        Color::Blue => wit::Color::Blue,
        Color::Green => wit::Color::Green,
    }
}

pub(super) fn source(source: &Source) -> build::Source {
    build::Source {
        revision: source.revision.clone(),
        branch: source.branch.clone(),
        checkout: source.checkout.clone(),
        output: source.output.clone(),
    }
}

pub(super) fn routing(routing: &Routing) -> router::Routing {
    router::Routing {
        blue: routing.blue,
        green: routing.green,
        out: routing.out.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn faults(faults: Vec<wit::SettingFault>) -> Vec<SettingFault> {
    faults.into_iter().map(|fault| SettingFault { key: fault.key, reason: fault.reason }).collect()
}

/// # Errors
/// When the path leads out of the output directory.
pub(super) fn artifact(artifact: build::Artifact) -> Result<Artifact, HookFailure> {
    let build::Artifact { path, version, labels } = artifact;
    let parts = || path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if (path.is_empty() || parts()) && !path.contains('\0') {
        Ok(Artifact { path, version, labels })
    } else {
        Err(HookFailure::Protocol(format!(
            "the artifact `{path}` is no plain path below the output directory"
        )))
    }
}

pub(super) fn health(health: health_check::Health) -> Health {
    match health {
        health_check::Health::Healthy(release) => Health::Healthy(release),
        health_check::Health::Starting(reason) => Health::Starting(reason),
        health_check::Health::Unhealthy(reason) => Health::Unhealthy(reason),
    }
}

pub(super) fn cases(cases: Vec<smoke_test::TestCase>) -> Vec<Case> {
    let outcome = |outcome| match outcome {
        smoke_test::Outcome::Passed => CaseOutcome::Passed,
        smoke_test::Outcome::Failed(reason) => CaseOutcome::Failed(reason),
        smoke_test::Outcome::Skipped(reason) => CaseOutcome::Skipped(reason),
    };
    cases
        .into_iter()
        .map(|case| Case {
            name: case.name,
            outcome: outcome(case.outcome),
            duration_ms: case.duration_ms,
            labels: case.labels,
        })
        .collect()
}

/// # Errors
/// When the shares make no sense, or a host has no valid name.
pub(super) fn observation(observation: router::Observation) -> Result<Observation, HookFailure> {
    let routing = match observation.routing {
        None => None,
        Some(router::Routing { blue, green, out }) => {
            let out: Result<Vec<HostName>, _> = out.into_iter().map(HostName::new).collect();
            let out = out
                .map_err(|fault| HookFailure::Protocol(format!("the router observes a host that {fault}")))?;
            let routing = Routing { blue, green, out };
            if blue > 100 || green > 100 || !routing.is_valid() {
                let text =
                    format!("the router observes blue {blue} %, green {green} %: together neither 100 nor 0");
                return Err(HookFailure::Protocol(text));
            }
            Some(routing)
        }
    };
    Ok(Observation { routing, settled: observation.settled, labels: observation.labels })
}

pub(super) fn failure(error: wit::HookError) -> HookFailure {
    match error {
        wit::HookError::Denied(reason) => HookFailure::Denied(reason),
        wit::HookError::Temporary(reason) => HookFailure::Temporary(reason),
        wit::HookError::Failed(reason) => HookFailure::Failed(reason),
        wit::HookError::Other((code, reason)) => HookFailure::Other { code, reason },
    }
}
