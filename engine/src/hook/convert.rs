//! Between the model and the contract. What comes from a hook is checked on the way.

use super::contract::cutover::hook::hook_types as wit;
use super::contract::exports::cutover::hook::{build, health_check, router, smoke_test};
use super::failure::HookFailure;
use crate::model::{
    Artifact, Case, CaseOutcome, Color, Health, HookCall, HookRelease, HostName, Instance, Labels,
    Observation, Routing, SettingFault, Source, excerpt,
};

/// Cases of a smoke test.
const MOST_CASES: usize = 10_000;
/// Faults of settings that are shown.
const MOST_FAULTS: usize = 100;
/// Labels of an artifact, a case, an observation: artifacts' are kept in each record of their release.
const MOST_LABELS: usize = 64;
/// Bytes of a label, name and value together.
const LONGEST_LABEL: usize = 1 << 10;
/// Bytes of a path.
const LONGEST_PATH: usize = 4096;

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
    let fault =
        |fault: wit::SettingFault| SettingFault { key: excerpt(fault.key), reason: excerpt(fault.reason) };
    faults.into_iter().take(MOST_FAULTS).map(fault).collect()
}

/// # Errors
/// When the path leads out of the output directory, or more is said than a release's record has room for.
pub(super) fn artifact(artifact: build::Artifact) -> Result<Artifact, HookFailure> {
    let build::Artifact { path, version, labels } = artifact;
    let labels = few(labels)?;
    if path.len() > LONGEST_PATH || version.as_ref().is_some_and(|version| version.len() > LONGEST_LABEL) {
        return Err(HookFailure::Protocol("the artifact's path or version is too long".to_owned()));
    }
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
        health_check::Health::Healthy(release) => Health::Healthy(release.map(excerpt)),
        health_check::Health::Starting(reason) => Health::Starting(excerpt(reason)),
        health_check::Health::Unhealthy(reason) => Health::Unhealthy(excerpt(reason)),
    }
}

/// # Errors
/// When there are more than anyone reads.
pub(super) fn cases(cases: Vec<smoke_test::TestCase>) -> Result<Vec<Case>, HookFailure> {
    if cases.len() > MOST_CASES {
        let text = format!("the smoke test answers {} cases, more than {MOST_CASES}", cases.len());
        return Err(HookFailure::Protocol(text));
    }
    let outcome = |outcome| match outcome {
        smoke_test::Outcome::Passed => CaseOutcome::Passed,
        smoke_test::Outcome::Failed(reason) => CaseOutcome::Failed(excerpt(reason)),
        smoke_test::Outcome::Skipped(reason) => CaseOutcome::Skipped(excerpt(reason)),
    };
    cases
        .into_iter()
        .map(|case| {
            Ok(Case {
                name: excerpt(case.name),
                outcome: outcome(case.outcome),
                duration_ms: case.duration_ms,
                labels: few(case.labels)?,
            })
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
    Ok(Observation { routing, settled: observation.settled, labels: few(observation.labels)? })
}

pub(super) fn failure(error: wit::HookError) -> HookFailure {
    match error {
        wit::HookError::Denied(reason) => HookFailure::Denied(excerpt(reason)),
        wit::HookError::Temporary(reason) => HookFailure::Temporary(excerpt(reason)),
        wit::HookError::Failed(reason) => HookFailure::Failed(excerpt(reason)),
        wit::HookError::Other((code, reason)) => {
            HookFailure::Other { code: excerpt(code), reason: excerpt(reason) }
        }
    }
}

/// # Errors
/// When there are more labels, or longer ones, than records have room for.
fn few(labels: Labels) -> Result<Labels, HookFailure> {
    let long = |(name, value): &(String, String)| name.len() + value.len() > LONGEST_LABEL;
    if labels.len() > MOST_LABELS || labels.iter().any(long) {
        let text = format!("more than {MOST_LABELS} labels, or one of more than {LONGEST_LABEL} bytes");
        return Err(HookFailure::Protocol(text));
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EXCERPT;

    fn label(bytes: usize) -> (String, String) {
        ("name".to_owned(), "x".repeat(bytes - 4))
    }

    #[test]
    fn an_artifact_says_no_more_than_a_record_holds() {
        let said = |path: &str, version: usize, labels: Vec<(String, String)>| {
            artifact(build::Artifact { path: path.to_owned(), version: Some("1".repeat(version)), labels })
                .is_ok()
        };
        assert!(said("dist", LONGEST_LABEL, vec![label(LONGEST_LABEL); MOST_LABELS]));
        assert!(!said("dist", LONGEST_LABEL + 1, Vec::new()));
        assert!(!said("dist", 1, vec![label(LONGEST_LABEL + 1)]));
        assert!(!said("dist", 1, vec![label(10); MOST_LABELS + 1]));
        assert!(!said(&"x".repeat(LONGEST_PATH + 1), 1, Vec::new()));
        for path in ["..", "a/../b", "/a", "a//b", "a/.", "a\0b"] {
            assert!(!said(path, 1, Vec::new()), "{path:?}");
        }
    }

    #[test]
    fn reasons_are_cut_and_cases_counted() {
        let long = || "x".repeat(40 << 20);
        let cut = EXCERPT + '…'.len_utf8();
        assert_eq!(failure(wit::HookError::Failed(long())).reason().len(), cut);
        let Health::Unhealthy(reason) = health(health_check::Health::Unhealthy(long())) else {
            panic!("healthy")
        };
        assert_eq!(reason.len(), cut);
        let case = |name: &str| smoke_test::TestCase {
            name: name.to_owned(),
            outcome: smoke_test::Outcome::Failed("no".to_owned()),
            duration_ms: 1,
            labels: Vec::new(),
        };
        assert_eq!(cases(vec![case("a"); MOST_CASES]).map(|cases| cases.len()), Ok(MOST_CASES));
        assert!(cases(vec![case("a"); MOST_CASES + 1]).is_err());
        assert_eq!(cases(vec![case(&long())]).map(|cases| cases[0].name.len()), Ok(cut));
    }

    #[test]
    fn a_router_that_makes_no_sense_is_not_believed() {
        let seen = |blue, green, out: &[&str]| {
            let out = out.iter().map(|host| (*host).to_owned()).collect();
            let routing = Some(router::Routing { blue, green, out });
            observation(router::Observation { routing, settled: true, labels: Vec::new() }).is_ok()
        };
        assert!(seen(100, 0, &["web1"]) && seen(0, 0, &[]) && seen(30, 70, &[]));
        for (blue, green) in [(100, 100), (50, 0), (u32::MAX, 101), (1 << 31, 1 << 31)] {
            assert!(!seen(blue, green, &[]), "{blue} {green}");
        }
        assert!(!seen(100, 0, &["../etc"]));
    }
}
