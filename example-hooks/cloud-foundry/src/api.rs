//! The API of a foundation (v3): resources as JSON, and refusals as lists of errors.

use cutover_hooks::HookError;
use cutover_hooks::http::{HttpError, Request, Response};
use serde_json::Value;

use crate::settings::Settings;

/// Where the API does not answer as it should, for now.
const AILING: &str = "`cf curl /v3/info` asks the same API: run the command again once that answers";

/// The API as the settings name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api<'a> {
    settings: &'a Settings,
}

impl<'a> Api<'a> {
    pub(crate) const fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    /// A resource.
    ///
    /// # Errors
    /// When there is none, or no answer.
    pub(crate) fn get(&self, path: &str) -> Result<Value, HookError> {
        self.object(&self.request("GET", path), 200)
    }

    /// Resources that a query finds, all on one page.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub(crate) fn list(&self, path: &str) -> Result<Vec<Value>, HookError> {
        let found = self.get(path)?;
        match (found["resources"].as_array(), found["pagination"]["total_pages"].as_u64()) {
            (Some(resources), Some(0 | 1)) => Ok(resources.clone()),
            _ => Err(HookError::failed(format!("`{path}` is no whole list"))),
        }
    }

    /// Adds to a resource, and returns what it is then.
    ///
    /// # Errors
    /// When it is not known to be done.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, HookError> {
        self.object(&self.request("POST", path).json(body), 200)
    }

    /// Removes a resource.
    ///
    /// # Errors
    /// When it is not known to be done.
    pub(crate) fn delete(&self, path: &str) -> Result<(), HookError> {
        let response = self.send(&self.request("DELETE", path))?;
        if response.status == 204 { Ok(()) } else { Err(self.refusal(&response)) }
    }

    fn object(&self, request: &Request, status: u16) -> Result<Value, HookError> {
        let response = self.send(request)?;
        match serde_json::from_str::<Value>(&response.text) {
            Ok(answer @ Value::Object(_)) if response.status == status && !response.truncated => Ok(answer),
            _ => Err(self.refusal(&response)),
        }
    }

    fn request(&self, method: &str, path: &str) -> Request {
        let Settings { token, .. } = self.settings;
        Request::new(method, format!("{}{path}", self.settings.api()))
            .header("accept", "application/json")
            .secret_header("authorization", format!("bearer {{{token}}}"))
    }

    fn send(&self, request: &Request) -> Result<Response, HookError> {
        let api = self.settings.api();
        request.send().map_err(|error| match error {
            HttpError::Connect(reason) => HookError::temporary(format!("`{api}` can't be reached: {reason}"))
                .hint("`api` of the settings has to be open from where cutover runs"),
            HttpError::TimedOut(reason) | HttpError::Broken(reason) => {
                HookError::temporary(format!("`{api}` did not answer to its end: {reason}")).hint(AILING)
            }
            error @ (HttpError::Denied(_) | HttpError::Tls(_) | HttpError::Other(_)) => error.into(),
        })
    }

    /// For an answer that is not what was asked for.
    fn refusal(&self, response: &Response) -> HookError {
        let (api, status) = (self.settings.api(), response.status);
        let errors = serde_json::from_str::<Value>(&response.text).unwrap_or_default();
        let Some(detail) = errors["errors"][0]["detail"].as_str().filter(|_| status >= 400) else {
            let text =
                format!("`{api}` does not answer as an API of Cloud Foundry does: {}", response.summary());
            if status >= 500 {
                return HookError::temporary(text).hint(AILING);
            }
            return HookError::failed(text).hint("does a proxy or a log-in page stand in the way?");
        };
        let detail: String =
            detail.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(400).collect();
        let said = format!("`{api}` answered {status}: {detail}");
        match status {
            401 => HookError::failed(said).hint(format!(
                "is the token in secret `{}` of this foundation, and still valid? `cf oauth-token` prints another one",
                self.settings.token
            )),
            403 => HookError::failed(said).hint("the token's account needs the role SpaceSupporter or SpaceDeveloper in the space"),
            429 => HookError::temporary(said).hint("this account asks too often: wait a minute, and run the command again"),
            500.. => HookError::temporary(said).hint(AILING),
            _ => HookError::failed(said),
        }
    }
}
