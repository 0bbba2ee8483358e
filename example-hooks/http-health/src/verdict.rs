//! What an answer says about the instance.

use cutover_hooks::http::Response;
use cutover_hooks::{Call, Health};

use crate::Settings;

/// Healthy, or the reason why not.
pub(crate) fn of(settings: &Settings, call: &Call, response: &Response) -> Health {
    if !settings.status.contains(response.status) {
        return Health::Unhealthy(format!(
            "GET {}: want {}, got {}",
            settings.path,
            settings.status,
            response.summary()
        ));
    }
    if let Some(text) = &settings.body_contains
        && !response.text.contains(text)
    {
        let (path, summary) = (&settings.path, response.summary());
        let (status, first) = summary.split_once(": ").unwrap_or((&summary, "it is empty"));
        return Health::Unhealthy(format!("GET {path}: {status}, but the body has no `{text}`: {first}"));
    }
    match release(call, response) {
        Ok(release) => Health::Healthy(release),
        Err(missing) => {
            Health::Unhealthy(format!("{}, but no {missing} that names the release", response.status))
        }
    }
}

/// The release that the answer names; none when the configuration does not say how; an error when it should and doesn't.
fn release(call: &Call, response: &Response) -> Result<Option<String>, String> {
    if let Some(name) = call.fact("marker-header") {
        let value = response.header(&name.to_ascii_lowercase()).map(str::trim);
        return value.map(|value| Some(value.to_owned())).ok_or_else(|| format!("header `{name}`"));
    }
    if let Some(pointer) = call.fact("marker-json") {
        let body = response.json().ok();
        let value = body.as_ref().and_then(|body| body.pointer(pointer)).and_then(|value| value.as_str());
        return value.map(|value| Some(value.to_owned())).ok_or_else(|| format!("text at `{pointer}`"));
    }
    Ok(None)
}
