//! The `settings` table.

use std::collections::BTreeMap;

use cutover_hooks::SettingFault;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// What `run` looks like, for whoever wrote it otherwise.
const RUN: &str = "\nhint: `run = [[\"make\"]]`: each command is a list of words, its program first";

/// The same for `artifact`.
const ARTIFACT: &str =
    "\nhint: `artifact = \"dist\"`: the directory or file in the checkout that the commands make";

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Commands, program first, run one after the other in the checkout. There is no shell. In arguments
    /// `{checkout}` and `{output}` stand for the two directories.
    #[serde(default, deserialize_with = "commands")]
    pub run: Vec<Vec<String>>,
    /// What they make and the release is: a directory or file in the checkout, or `.` for all of it.
    #[serde(default)]
    pub artifact: String,
    /// Variables beside CUTOVER_OUTPUT and CUTOVER_REVISION.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// File in the checkout whose first line is the version.
    pub version_file: Option<String>,
}

impl Settings {
    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        if self.run.is_empty() && self.artifact != "." {
            faults.push(SettingFault::new("run", format!("at least one command is needed{RUN}")));
        }
        for (index, words) in self.run.iter().enumerate() {
            if words.first().is_none_or(String::is_empty) {
                let reason = format!("a command begins with its program{RUN}");
                faults.push(SettingFault::new(format!("run[{index}]"), reason));
            }
        }
        if self.artifact.is_empty() {
            let reason = format!("it is not said what the commands make{ARTIFACT}");
            faults.push(SettingFault::new("artifact", reason));
        }
        let part = Some(&self.artifact).filter(|artifact| !matches!(artifact.as_str(), "" | "."));
        let version = "\nhint: `version-file = \"VERSION\"`";
        let files = [("artifact", part, ARTIFACT), ("version-file", self.version_file.as_ref(), version)];
        for (key, path, hint) in files {
            if let Some(path) = path.filter(|path| !is_inside(path)) {
                faults.push(SettingFault::new(
                    key,
                    format!("`{path}` is no path inside the checkout: relative, without `..`{hint}"),
                ));
            }
        }
        for name in self.env.keys().filter(|name| name.starts_with("CUTOVER_")) {
            faults
                .push(SettingFault::new(format!("env.{name}"), "names that begin with `CUTOVER_` are taken"));
        }
        faults
    }
}

fn commands<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Vec<String>>, D::Error> {
    Vec::deserialize(input).map_err(|_| D::Error::custom(format!("commands are lists of words{RUN}")))
}

/// Whether a path stays below the directory that it is joined to.
fn is_inside(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let settings: Settings = serde_json::from_str(text).expect("the shape is fine");
        settings.faults().into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn a_command_that_is_no_list_of_words_is_told_how_to_be_one() {
        for text in [r#"{"run": ["make"]}"#, r#"{"run": "make"}"#, r#"{"run": [[1]]}"#] {
            let error = serde_json::from_str::<Settings>(text).expect_err("is refused").to_string();
            let told = "commands are lists of words\nhint: `run = [[\"make\"]]`: each command is a list of words, its program first";
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn faults_name_their_key() {
        assert!(keys(r#"{"run": [["make"]], "artifact": "_build/prod/rel/shop"}"#).is_empty());
        assert!(keys(r#"{"run": [], "artifact": "."}"#).is_empty());
        assert_eq!(keys("{}"), ["run", "artifact"]);
        assert_eq!(keys(r#"{"run": [], "artifact": "/etc"}"#), ["run", "artifact"]);
        assert_eq!(
            keys(
                r#"{"run": [["make"], []], "artifact": "a/../..", "version-file": "../V", "env": {"CUTOVER_X": ""}}"#
            ),
            ["run[1]", "artifact", "version-file", "env.CUTOVER_X"]
        );
    }
}
