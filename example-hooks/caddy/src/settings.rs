//! The `settings` table.

use cutover_hooks::{Call, SettingFault, setup};
use serde::Deserialize;

/// All have defaults. `{name}` in them is the application's name, with `-ENVIRONMENT` where there are environments. The same defaults
/// stand in `grants.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Directory of the flags, which the deploy user writes and Caddy's user reads.
    pub directory: Option<String>,
    /// Port on 127.0.0.1 where Caddy itself tells its colour.
    pub status_port: Option<u16>,
    /// File that the Caddyfile imports.
    pub import: Option<String>,
}

/// The settings of one application, with all defaults filled in.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) directory: String,
    pub(crate) status_port: u16,
    pub(crate) import: String,
}

const DIRECTORY: &str = "/var/lib/cutover-caddy/{name}";
const STATUS_PORT: u16 = 8097;
const IMPORT: &str = "/etc/caddy/cutover/{name}.caddy";

impl Settings {
    /// For the application of a call.
    pub(crate) fn site(&self, call: &Call) -> Site {
        let name = call.title();
        let text = |own: &Option<String>, default: &str| {
            own.clone().unwrap_or_else(|| default.replace("{name}", &name))
        };
        Site {
            directory: text(&self.directory, DIRECTORY),
            status_port: self.status_port.unwrap_or(STATUS_PORT),
            import: text(&self.import, IMPORT),
            name,
        }
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let paths = [("directory", &self.directory), ("import", &self.import)];
        let mut faults = setup::path_faults(&paths);
        if self.status_port == Some(0) {
            faults.push(SettingFault::new("status-port", "`0` is no port to ask on"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_slips_into_the_caddyfile() {
        for path in ["relative", "/a b", "/a{", "/a\"", "/a/../b", "/a\n", "/{$a}", "/*", ""] {
            let settings = Settings { directory: Some(path.to_owned()), ..Settings::default() };
            let reason = format!(
                "`{path}` is no path that goes into a configuration: absolute, of letters, digits and `/._-`"
            );
            assert_eq!(settings.faults(), [SettingFault::new("directory", reason)]);
        }
        let settings: Settings =
            serde_json::from_str(r#"{"import": "/tmp/x-1/y_2", "status-port": 0}"#).expect("settings");
        assert_eq!(settings.faults(), [SettingFault::new("status-port", "`0` is no port to ask on")]);
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        let expected: toml::Table =
            [("directory", toml::Value::from(DIRECTORY)), ("status-port", i64::from(STATUS_PORT).into())]
                .map(|(key, value)| (key.to_owned(), value))
                .into_iter()
                .collect();
        assert_eq!(template["defaults"].as_table(), Some(&expected));
    }
}
