//! The `settings` table.

use std::collections::BTreeMap;

use cutover_hooks::SettingFault;
use serde::Deserialize;
use serde_json::Value;

use crate::Expectation;

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// At least one.
    pub requests: Vec<Trial>,
}

/// One request, and what must come back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trial {
    /// Name of the case; method and path.
    pub name: Option<String>,
    /// `GET` …; `GET`.
    #[serde(default = "get")]
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Name for the Host header; the instance's address and port.
    pub host: Option<String>,
    /// Sent with it.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Text to send.
    pub body: Option<String>,
    /// JSON to send, with its content type, instead of `body`.
    pub json: Option<Value>,
    /// What must come back.
    #[serde(default)]
    pub expect: Expectation,
}

fn get() -> String {
    "GET".to_owned()
}

impl Trial {
    /// `POST /login`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Settings {
    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        if self.requests.is_empty() {
            faults.push(SettingFault::new(
                "requests",
                "at least one request is needed: no request tests nothing",
            ));
        }
        for (index, trial) in self.requests.iter().enumerate() {
            let key = |name: &str| format!("requests[{index}].{name}");
            if trial.method.is_empty() || !trial.method.bytes().all(|b| b.is_ascii_uppercase()) {
                faults.push(SettingFault::new(
                    key("method"),
                    format!("`{}` is no method: `GET`, `POST` …, in capitals", trial.method),
                ));
            }
            if !trial.path.starts_with('/')
                || trial.path.contains(|c: char| c.is_whitespace() || c.is_control())
            {
                faults.push(SettingFault::new(
                    key("path"),
                    format!("`{}` is no path: it begins with `/` and has no spaces", trial.path),
                ));
            }
            if trial.body.is_some() && trial.json.is_some() {
                faults.push(SettingFault::new(key("json"), "either `body` or `json` is sent, not both"));
            }
            for pointer in trial.expect.json.keys() {
                if !pointer.is_empty() && !pointer.starts_with('/') {
                    faults.push(SettingFault::new(
                        key("expect.json"),
                        format!("`{pointer}` is no JSON pointer: it begins with `/`"),
                    ));
                }
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(String, String)> {
        let settings: Settings = serde_json::from_str(text).expect("the shape is fine");
        settings.faults().into_iter().map(|fault| (fault.key, fault.reason)).collect()
    }

    #[test]
    fn no_request_tests_nothing() {
        assert_eq!(
            faults(r#"{"requests": []}"#),
            [("requests".to_owned(), "at least one request is needed: no request tests nothing".to_owned())]
        );
    }

    #[test]
    fn all_faults_of_a_request_are_found() {
        let found = faults(
            r#"{"requests": [{"path": "/"}, {"method": "post", "path": "x", "body": "", "json": 1,
                "expect": {"json": {"a": 1}}}]}"#,
        );
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            ["requests[1].method", "requests[1].path", "requests[1].json", "requests[1].expect.json"]
        );
    }
}
