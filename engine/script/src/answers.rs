//! What a script hands over: the records of the contract with keys in camelCase, variants as `{ tag, val }`.

use boa_engine::{Context, JsError, JsResult, JsValue};
use cutover_hooks::hosts::{self, HostError};
use cutover_hooks::http::{self, HttpError};
use cutover_hooks::secrets::SecretError;
use cutover_hooks::{
    Artifact, Health, HookError, Label, Observation, Outcome, Routing, SettingFault, TestCase,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::plain::{self, Fault};
use crate::{bytes, thrown};

/// What a function of the script returned. `place` is what people call it: `checks/login.js: `smokeTest.run``.
///
/// # Errors
/// `failed`, when it is not what the contract has there, with the key.
pub(crate) fn read<T: DeserializeOwned>(
    returned: &JsValue,
    function: &str,
    context: &mut Context,
) -> Result<T, HookError> {
    plain::data(returned, context).and_then(typed).map_err(|Fault { place, what }| {
        let place = if place.is_empty() { place } else { format!(", at `{place}`") };
        HookError::failed(format!("{function} returned what the contract has not{place}: {what}"))
    })
}

/// An argument of a call as what the contract has there; `name` is what the contract calls it.
///
/// # Errors
/// A TypeError that names the key.
pub(crate) fn argument<T: DeserializeOwned>(
    value: &JsValue,
    name: &str,
    context: &mut Context,
) -> JsResult<T> {
    plain::data(value, context).and_then(typed).map_err(|fault| misfit(name, &fault))
}

/// Data as what the contract has there.
fn typed<T: DeserializeOwned>(data: Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(data).map_err(|error| {
        let place = Some(error.path().to_string()).filter(|path| path != ".").unwrap_or_default();
        Fault { place, what: error.into_inner().to_string() }
    })
}

fn misfit(name: &str, fault: &Fault) -> JsError {
    let dot = if fault.place.is_empty() || fault.place.starts_with('[') { "" } else { "." };
    thrown::type_error(&format!("`{name}{dot}{}`: {}", fault.place, fault.what))
}

/// The answer of a function that has none.
#[derive(Deserialize)]
#[serde(expecting = "nothing: what fails is thrown")]
pub(crate) struct Nothing;

/// See [`Health`].
#[derive(Deserialize)]
#[serde(
    tag = "tag",
    content = "val",
    rename_all = "kebab-case",
    deny_unknown_fields,
    expecting = "an object with `tag`"
)]
pub(crate) enum JsHealth {
    /// See [`Health::Healthy`].
    Healthy(Option<String>),
    /// See [`Health::Starting`].
    Starting(String),
    /// See [`Health::Unhealthy`].
    Unhealthy(String),
}

impl From<JsHealth> for Health {
    fn from(health: JsHealth) -> Self {
        match health {
            JsHealth::Healthy(release) => Self::Healthy(release),
            JsHealth::Starting(reason) => Self::Starting(reason),
            JsHealth::Unhealthy(reason) => Self::Unhealthy(reason),
        }
    }
}

#[derive(Deserialize)]
#[serde(
    tag = "tag",
    content = "val",
    rename_all = "kebab-case",
    deny_unknown_fields,
    expecting = "an object with `tag`"
)]
enum JsOutcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// See [`TestCase`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JsTestCase {
    name: String,
    outcome: JsOutcome,
    duration_ms: u32,
    labels: Vec<Label>,
}

impl From<JsTestCase> for TestCase {
    fn from(case: JsTestCase) -> Self {
        let JsTestCase { name, outcome, duration_ms, labels } = case;
        let outcome = match outcome {
            JsOutcome::Passed => Outcome::Passed,
            JsOutcome::Failed(reason) => Outcome::Failed(reason),
            JsOutcome::Skipped(reason) => Outcome::Skipped(reason),
        };
        Self { name, outcome, duration_ms, labels }
    }
}

/// See [`Artifact`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JsArtifact {
    path: String,
    version: Option<String>,
    labels: Vec<Label>,
}

impl From<JsArtifact> for Artifact {
    fn from(artifact: JsArtifact) -> Self {
        let JsArtifact { path, version, labels } = artifact;
        Self { path, version, labels }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsRouting {
    blue: u32,
    green: u32,
    out: Vec<String>,
}

/// See [`Observation`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JsObservation {
    routing: Option<JsRouting>,
    settled: bool,
    labels: Vec<Label>,
}

impl From<JsObservation> for Observation {
    fn from(observation: JsObservation) -> Self {
        let JsObservation { routing, settled, labels } = observation;
        let routing = routing.map(|JsRouting { blue, green, out }| Routing { blue, green, out });
        Self { routing, settled, labels }
    }
}

/// See [`SettingFault`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JsSettingFault {
    key: String,
    reason: String,
}

impl From<JsSettingFault> for SettingFault {
    fn from(fault: JsSettingFault) -> Self {
        Self { key: fault.key, reason: fault.reason }
    }
}

/// See [`hosts::Command`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Command {
    program: String,
    args: Vec<String>,
    env: Vec<Label>,
    secret_env: Vec<Label>,
    directory: Option<String>,
    input: Option<String>,
    secret_input: Option<String>,
    as_root: bool,
    timeout_ms: Option<u32>,
}

impl From<Command> for hosts::Command {
    fn from(command: Command) -> Self {
        let Command { program, args, env, secret_env, directory, input, secret_input, as_root, timeout_ms } =
            command;
        Self { program, args, env, secret_env, directory, input, secret_input, as_root, timeout_ms }
    }
}

/// See [`http::Request`], without its body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Request {
    method: String,
    url: String,
    via: Option<String>,
    connect_to: Option<String>,
    headers: Vec<Label>,
    secret_headers: Vec<Label>,
    secret_body: Option<String>,
    binary: bool,
    timeout_ms: Option<u32>,
}

impl Request {
    /// Reads a request, whose body is bytes.
    ///
    /// # Errors
    /// A TypeError that names the key.
    pub(crate) fn of(value: &JsValue, context: &mut Context) -> JsResult<http::Request> {
        let (rest, body) =
            plain::with_raw(value, "body", context).map_err(|fault| misfit("request", &fault))?;
        // Which may be megabytes, and is no JSON.
        let body = match body.is_null_or_undefined() {
            true => None,
            false => Some(bytes::of(&body, "request.body", context)?),
        };
        let Self { method, url, via, connect_to, headers, secret_headers, secret_body, binary, timeout_ms } =
            typed(rest).map_err(|fault| misfit("request", &fault))?;
        Ok(http::Request {
            method,
            url,
            via,
            connect_to,
            headers,
            secret_headers,
            body,
            secret_body,
            binary,
            timeout_ms,
        })
    }
}

/// An error of `hosts` as what is thrown.
pub(crate) fn host_error(error: HostError, context: &mut Context) -> JsError {
    let (tag, val) = match error {
        HostError::Denied(text) => ("denied", json!(text)),
        HostError::NotFound(text) => ("not-found", json!(text)),
        HostError::Unreachable(text) => ("unreachable", json!(text)),
        HostError::Broken(text) => ("broken", json!(text)),
        HostError::TimedOut(text) => ("timed-out", json!(text)),
        HostError::Failed(text) => ("failed", json!(text)),
        HostError::Other(other) => ("other", json!(other)),
    };
    thrown::import_error(tag, val, context)
}

/// An error of `http-client` as what is thrown.
pub(crate) fn http_error(error: HttpError, context: &mut Context) -> JsError {
    let (tag, val) = match error {
        HttpError::Denied(text) => ("denied", json!(text)),
        HttpError::TimedOut(text) => ("timed-out", json!(text)),
        HttpError::Connect(text) => ("connect", json!(text)),
        HttpError::Tls(text) => ("tls", json!(text)),
        HttpError::Broken(text) => ("broken", json!(text)),
        HttpError::Other(other) => ("other", json!(other)),
    };
    thrown::import_error(tag, val, context)
}

/// An error of `secrets` as what is thrown.
pub(crate) fn secret_error(error: SecretError, context: &mut Context) -> JsError {
    let (tag, val) = match error {
        SecretError::Denied(text) => ("denied", json!(text)),
        SecretError::Other(other) => ("other", json!(other)),
    };
    thrown::import_error(tag, val, context)
}
