//! The `settings` table.

use cutover_hooks::{Call, SettingFault, setup};
use serde::Deserialize;

/// All have defaults. The same defaults stand in `grants.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The directory that Traefik watches, which the deploy user writes.
    pub directory: Option<String>,
    /// Port on 127.0.0.1 of Traefik's API.
    pub api_port: Option<u16>,
}

/// The settings of one application, with all defaults filled in.
#[derive(Debug)]
pub(crate) struct Site {
    /// What Traefik calls it; the services of the colours have their name behind a dot, which no application's name has.
    pub(crate) service: String,
    /// The application's name, with `-ENVIRONMENT` where there are environments.
    pub(crate) name: String,
    pub(crate) directory: String,
    pub(crate) api_port: u16,
}

const DIRECTORY: &str = "/etc/traefik/dynamic";
const API_PORT: u16 = 8080;

impl Settings {
    /// For the application of a call.
    pub(crate) fn site(&self, call: &Call) -> Site {
        let name = call.title();
        Site {
            service: format!("cutover-{name}"),
            name,
            directory: self.directory.clone().unwrap_or_else(|| DIRECTORY.to_owned()),
            api_port: self.api_port.unwrap_or(API_PORT),
        }
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = setup::path_faults(&[("directory", &self.directory)]);
        if self.api_port == Some(0) {
            faults.push(SettingFault::new("api-port", "`0` is no port to ask on"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_of_its_key() {
        let settings: Settings =
            serde_json::from_str(r#"{"directory": "dynamic", "api-port": 0}"#).expect("settings");
        let path =
            "`dynamic` is no path that goes into a configuration: absolute, of letters, digits and `/._-`";
        assert_eq!(
            settings.faults(),
            [SettingFault::new("directory", path), SettingFault::new("api-port", "`0` is no port to ask on")]
        );
        assert_eq!(Settings::default().faults(), []);
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        let expected: toml::Table =
            [("directory", toml::Value::from(DIRECTORY)), ("api-port", i64::from(API_PORT).into())]
                .map(|(key, value)| (key.to_owned(), value))
                .into_iter()
                .collect();
        assert_eq!(template["defaults"].as_table(), Some(&expected));
    }
}
