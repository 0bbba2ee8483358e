//! The API server of Kubernetes: objects as JSON, and refusals as Status objects.

use cutover_hooks::HookError;
use cutover_hooks::http::{HttpError, Request, Response};
use serde_json::{Value, json};

use crate::settings::Settings;

/// How often a change is tried that others get in the way of.
const TRIES: usize = 4;

/// Where the API server does not answer as it should, for now.
const AILING: &str = "`kubectl get --raw '/readyz?verbose'` tells how the API server is; run the command again once it is well";

/// Where others change the same object all the time.
const CONTENDED: &str =
    "`kubectl get -o yaml --show-managed-fields` tells who else changes it; run the command again";

/// The API server as the settings name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api<'a> {
    settings: &'a Settings,
}

/// Why a change was not made.
enum Refusal {
    /// The object is not any more what was read.
    Conflict,
    Other(HookError),
}

impl From<HookError> for Refusal {
    fn from(error: HookError) -> Self {
        Self::Other(error)
    }
}

impl<'a> Api<'a> {
    pub(crate) const fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    /// An object, or a list.
    ///
    /// # Errors
    /// When there is none, or no answer.
    pub(crate) fn get(&self, path: &str) -> Result<Value, HookError> {
        match self.send(&self.request("GET", path)) {
            Ok(found) => Ok(found),
            Err(Refusal::Other(error)) => Err(error),
            Err(Refusal::Conflict) => {
                Err(HookError::temporary(format!("`{path}` is being changed")).hint(CONTENDED))
            }
        }
    }

    /// Objects of a list that have these labels.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub(crate) fn list(&self, path: &str, labels: &[(&str, &str)]) -> Result<Vec<Value>, HookError> {
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let found = self.get(&format!("{path}?labelSelector={}", encoded(&labels.join(","))))?;
        match found["items"].as_array() {
            Some(items) if found["metadata"]["continue"].as_str().is_none_or(str::is_empty) => {
                Ok(items.clone())
            }
            _ => Err(HookError::failed(format!("`{path}` is no whole list"))),
        }
    }

    /// Asks whether a change would be made, by a dry run that goes through everything but the end.
    ///
    /// # Errors
    /// When it would not.
    pub(crate) fn try_out(&self, path: &str, seen: &Value, patch: Value) -> Result<(), HookError> {
        match self.patch(path, seen, patch, "&dryRun=All") {
            Ok(()) => Ok(()),
            Err(Refusal::Other(error)) => Err(error),
            Err(Refusal::Conflict) => {
                Err(HookError::temporary(format!("`{path}` is being changed by somebody else"))
                    .hint(CONTENDED))
            }
        }
    }

    /// Changes an object, on condition that it is what was looked at. `patch` says how, if it is not so already. What a controller notes in
    /// an object is no hindrance; a change of what is asked of it is somebody's, and is left alone.
    ///
    /// # Errors
    /// When it is not changed.
    pub(crate) fn change(
        &self,
        path: &str,
        patch: impl Fn(&Value) -> Result<Option<Value>, HookError>,
    ) -> Result<(), HookError> {
        let mut seen = self.get(path)?;
        for _ in 0..TRIES {
            let Some(wanted) = patch(&seen)? else { return Ok(()) };
            match self.patch(path, &seen, wanted, "") {
                Ok(()) => return Ok(()),
                Err(Refusal::Other(error)) => return Err(error),
                Err(Refusal::Conflict) => {}
            }
            let now = self.get(path)?;
            if now["spec"] != seen["spec"] {
                let text = format!("somebody has changed `{path}` meanwhile: it was left as they made it");
                return Err(HookError::failed(text)
                    .hint("look at it (`kubectl get -o yaml`), and run the command again"));
            }
            seen = now;
        }
        Err(HookError::temporary(format!("`{path}` changes too often to be changed")).hint(CONTENDED))
    }

    fn patch(&self, path: &str, seen: &Value, mut patch: Value, more: &str) -> Result<(), Refusal> {
        patch["metadata"] = json!({"resourceVersion": seen["metadata"]["resourceVersion"]});
        let path = format!("{path}?fieldManager=cutover&fieldValidation=Strict{more}");
        let request = self.request("PATCH", &path).header("content-type", "application/merge-patch+json");
        self.send(&request.body(patch.to_string())).map(drop)
    }

    fn request(&self, method: &str, path: &str) -> Request {
        let Settings { token, .. } = self.settings;
        Request::new(method, format!("{}{path}", self.settings.server()))
            .header("accept", "application/json")
            .secret_header("authorization", format!("Bearer {{{token}}}"))
    }

    fn send(&self, request: &Request) -> Result<Value, Refusal> {
        let server = self.settings.server();
        let response = request.send().map_err(|error| match error {
            HttpError::Connect(reason) => {
                HookError::temporary(format!("`{server}` can't be reached: {reason}"))
                    .hint("`server` of the settings has to be open from where cutover runs")
            }
            HttpError::TimedOut(reason) | HttpError::Broken(reason) => {
                HookError::temporary(format!("`{server}` did not answer to its end: {reason}")).hint(AILING)
            }
            error @ (HttpError::Denied(_) | HttpError::Tls(_) | HttpError::Other(_)) => error.into(),
        })?;
        match serde_json::from_str::<Value>(&response.text) {
            Ok(answer) if answer["kind"] == "Status" && response.status >= 400 => {
                Err(self.refusal(&request.method, response.status, &answer))
            }
            Ok(answer)
                if response.status == 200 && answer["apiVersion"].is_string() && !response.truncated =>
            {
                Ok(answer)
            }
            _ => Err(Refusal::Other(self.stranger(&response))),
        }
    }

    /// For an answer that is none of an API server's.
    fn stranger(&self, response: &Response) -> HookError {
        let text = format!(
            "`{}` does not answer as an API server does: {}",
            self.settings.server(),
            response.summary()
        );
        if response.status >= 500 {
            return HookError::temporary(text).hint(AILING);
        }
        HookError::failed(text).hint("does a proxy or a log-in page stand in the way?")
    }

    fn refusal(&self, method: &str, status: u16, answer: &Value) -> Refusal {
        let message = answer["message"].as_str().unwrap_or("no reason was given");
        let message: String =
            message.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(400).collect();
        let said = format!("`{}` answered {status}: {message}", self.settings.server());
        Refusal::Other(match status {
            409 if method == "PATCH" => return Refusal::Conflict,
            401 => HookError::failed(said)
                .hint(format!("is the token in secret `{}` of this cluster, and still valid?", self.settings.token)),
            403 => HookError::failed(said).hint("the README of `builtin:kubernetes` shows the role that the token's account needs"),
            404 => HookError::failed(said).hint("the settings name the namespace, and what is switched in it; a gateway's kinds have to be installed"),
            429 | 500.. => HookError::temporary(said).hint(AILING),
            _ => HookError::failed(said),
        })
    }
}

/// A text as it stands in a query.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
