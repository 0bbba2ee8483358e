//! The style `service`: one Service, whose selector names the colour. Whether its endpoints are that colour's pods, EndpointSlices tell.

use std::collections::BTreeSet;

use cutover_hooks::{Call, Color, HookError, Observation, Routing};
use serde_json::{Value, json};

use crate::api::Api;
use crate::settings::Settings;
use crate::{readiness, slices, word};

/// The label's value where no colour gets requests.
const NONE: &str = "none";

/// The selector of one Service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selector<'a> {
    settings: &'a Settings,
}

impl<'a> Selector<'a> {
    pub(crate) const fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    fn api(&self) -> Api<'a> {
        Api::new(self.settings)
    }

    fn name(&self) -> &'a str {
        self.settings.service.as_deref().unwrap_or_default()
    }

    fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/services/{}", self.settings.namespace, self.name())
    }

    /// The colour that a Service's selector names.
    fn chosen(&self, service: &Value) -> Result<Option<Color>, HookError> {
        let (name, label) = (self.name(), self.settings.label());
        match service["spec"]["selector"][label].as_str() {
            Some("blue") => Ok(Some(Color::Blue)),
            Some("green") => Ok(Some(Color::Green)),
            Some(NONE) => Ok(None),
            other => {
                let text = match other {
                    Some(other) => {
                        format!("Service `{name}` selects `{label}={other}`: want blue, green or none")
                    }
                    None => format!("Service `{name}` does not select by the label `{label}`"),
                };
                let hint = format!("give the selector `{label}: {NONE}`, once, or the colour that is live");
                Err(HookError::failed(text).hint(hint))
            }
        }
    }

    /// The pods that the selector would find with another value of the label: names of those that are ready, and of those that are not.
    fn pods(&self, service: &Value, value: &str) -> Result<[BTreeSet<String>; 2], HookError> {
        let label = self.settings.label();
        let selector = service["spec"]["selector"].as_object().into_iter().flatten();
        let rest = selector.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
        let labels: Vec<(&str, &str)> =
            rest.filter(|(key, _)| *key != label).chain([(label, value)]).collect();
        let path = format!("/api/v1/namespaces/{}/pods", self.settings.namespace);
        let mut pods = [BTreeSet::new(), BTreeSet::new()];
        for pod in self.api().list(&path, &labels)? {
            // One that leaves is an endpoint no more.
            if pod["metadata"]["deletionTimestamp"].is_string() {
                continue;
            }
            let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
            let is_ready =
                conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
            let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            pods[usize::from(!is_ready)].insert(name);
        }
        Ok(pods)
    }

    pub(crate) fn observe(&self) -> Result<Observation, HookError> {
        let service = self.api().get(&self.path())?;
        let color = self.chosen(&service)?;
        let [ready, _] = self.pods(&service, word(color))?;
        let (endpoints, _) = slices::pods(&self.api(), &self.settings.namespace, self.name())?;
        let labels = vec![
            ("selects".to_owned(), format!("{}={}", self.settings.label(), word(color))),
            ("endpoints".to_owned(), endpoints.len().to_string()),
        ];
        Ok(Observation { routing: Some(Routing::to(color)), settled: endpoints == ready, labels })
    }

    pub(crate) fn prepare(&self, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let want = color(want)?;
        let service = self.api().get(&self.path())?;
        let now = self.chosen(&service)?;
        if now == want {
            return Ok(String::new());
        }
        if let Some(color) = want {
            let [ready, rest] = self.pods(&service, color.as_str())?;
            let told = |name: &String| format!("`{name}`");
            let rest: Vec<String> = rest.iter().map(told).collect();
            readiness::judge(call, color, "pods", ready.len(), &rest)?;
        }
        self.api().try_out(&self.path(), &service, self.patch(want))?;
        let (name, label) = (self.name(), self.settings.label());
        Ok(format!(
            "--- {router}: Service {name}, now\n+++ {router}: Service {name}, then\n-{label}: {}\n+{label}: {}\n",
            word(now),
            word(want)
        ))
    }

    pub(crate) fn apply(&self, want: &Routing) -> Result<(), HookError> {
        let want = color(want)?;
        self.api()
            .change(&self.path(), |service| Ok((self.chosen(service)? != want).then(|| self.patch(want))))
    }

    fn patch(&self, want: Option<Color>) -> Value {
        json!({"spec": {"selector": {self.settings.label(): word(want)}}})
    }
}

/// The colour that is to get everything, or none; a selector can say no more.
fn color(want: &Routing) -> Result<Option<Color>, HookError> {
    match want.only() {
        None if want.blue + want.green > 0 => {
            Err(HookError::failed("builtin:kubernetes can't share requests between the colours of a Service"))
        }
        color => Ok(color),
    }
}
