//! From the `settings` table to an author's own type.

use serde::de::DeserializeOwned;

use crate::{HookError, SettingFault};

impl SettingFault {
    /// A fault of the key at `key` (`requests[0].path`; empty for the whole table). The reason: lower-case, what is wrong and what is
    /// accepted.
    pub fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into() }
    }
}

/// Reads the table; a fault carries the path of its key.
pub(crate) fn parse<S: DeserializeOwned>(text: &str) -> Result<S, SettingFault> {
    // By way of a value: the operator's file is TOML, so serde's places in the JSON text would only confuse.
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| SettingFault::new("", format!("the engine sent no JSON: {error}")))?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        SettingFault::new(if path == "." { String::new() } else { path }, error.into_inner().to_string())
    })
}

/// All faults: those of the shape, or else those that the author finds.
pub(crate) fn faults<S: DeserializeOwned>(text: &str, own: fn(&S) -> Vec<SettingFault>) -> Vec<SettingFault> {
    match parse(text) {
        Ok(settings) => own(&settings),
        Err(fault) => vec![fault],
    }
}

/// For a call: the settings were validated before, so a fault here means that the engine skipped that.
pub(crate) fn required<S: DeserializeOwned>(text: &str) -> Result<S, HookError> {
    parse(text).map_err(|fault| HookError::Failed(format!("settings: {}: {}", fault.key, fault.reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Settings {
        steps: Vec<Step>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Step {
        max_ms: u32,
    }

    fn fault(text: &str) -> (String, String) {
        let fault = faults::<Settings>(text, |_| Vec::new()).pop().expect("a fault");
        (fault.key, fault.reason)
    }

    #[test]
    fn a_fault_names_its_key() {
        assert_eq!(
            fault(r#"{"steps": [{"max-ms": 1}, {"max-ms": "soon"}]}"#),
            ("steps[1].max-ms".to_owned(), "invalid type: string \"soon\", expected u32".to_owned())
        );
        assert_eq!(
            fault(r#"{"steps": [{"max-ms": 1, "max": 2}]}"#),
            ("steps[0].max".to_owned(), "unknown field `max`, expected `max-ms`".to_owned())
        );
        assert_eq!(fault("{}"), (String::new(), "missing field `steps`".to_owned()));
    }

    #[test]
    fn the_authors_checks_come_after_the_shape() {
        let own = |_: &Settings| vec![SettingFault::new("steps", "must not be empty")];
        assert_eq!(faults(r#"{"steps": []}"#, own), [SettingFault::new("steps", "must not be empty")]);
        assert!(
            faults::<Settings>(r#"{"steps": [{"max-ms": 3}]}"#, |s| {
                s.steps.iter().filter(|s| s.max_ms == 0).map(|_| SettingFault::new("", "")).collect()
            })
            .is_empty()
        );
    }
}
