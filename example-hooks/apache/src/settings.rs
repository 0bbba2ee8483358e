//! The `settings` table.

use cutover_hooks::{Call, SettingFault, setup};
use serde::Deserialize;

/// All have defaults. `{name}` in them is the application's name, with `-ENVIRONMENT` where there are environments. The same defaults
/// stand in `grants.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Port on 127.0.0.1 of the balancer-manager.
    pub manager_port: Option<u16>,
    /// Directory of the files that say with which colour Apache begins, written by the deploy user.
    pub directory: Option<String>,
    /// File with the balancer, which Apache includes outside every virtual host.
    pub server_include: Option<String>,
    /// File that the application's virtual host includes.
    pub site_include: Option<String>,
}

/// The settings of one application, with all defaults filled in.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) manager_port: u16,
    pub(crate) directory: String,
    pub(crate) server_include: String,
    pub(crate) site_include: String,
}

const MANAGER_PORT: u16 = 8098;
const DIRECTORY: &str = "/var/lib/cutover-apache/{name}";
const SERVER_INCLUDE: &str = "/etc/apache2/conf-enabled/cutover-{name}.conf";
const SITE_INCLUDE: &str = "/etc/apache2/cutover/{name}.conf";

impl Settings {
    /// For the application of a call.
    pub(crate) fn site(&self, call: &Call) -> Site {
        let name = call.title();
        let text = |own: &Option<String>, default: &str| {
            own.clone().unwrap_or_else(|| default.replace("{name}", &name))
        };
        Site {
            manager_port: self.manager_port.unwrap_or(MANAGER_PORT),
            directory: text(&self.directory, DIRECTORY),
            server_include: text(&self.server_include, SERVER_INCLUDE),
            site_include: text(&self.site_include, SITE_INCLUDE),
            name,
        }
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        let paths = [
            ("directory", &self.directory),
            ("server-include", &self.server_include),
            ("site-include", &self.site_include),
        ];
        faults.extend(setup::path_faults(&paths));
        if self.manager_port == Some(0) {
            faults.push(SettingFault::new("manager-port", "`0` is no port to ask on"));
        }
        faults
    }
}

impl Site {
    /// The balancer's name, without its scheme.
    pub(crate) fn balancer(&self) -> String {
        format!("cutover-{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_slips_into_apaches_configuration() {
        for path in ["relative", "/a b", "/a>", "/a\"", "/a/../b", "/a\n", "/${a}", "/*", ""] {
            let settings = Settings { directory: Some(path.to_owned()), ..Settings::default() };
            let reason = format!(
                "`{path}` is no path that goes into a configuration: absolute, of letters, digits and `/._-`"
            );
            assert_eq!(settings.faults(), [SettingFault::new("directory", reason)]);
        }
        let settings: Settings =
            serde_json::from_str(r#"{"directory": "/tmp/x-1/flags_2", "manager-port": 0}"#)
                .expect("settings");
        assert_eq!(settings.faults(), [SettingFault::new("manager-port", "`0` is no port to ask on")]);
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        let expected: toml::Table = [
            ("manager-port", toml::Value::from(i64::from(MANAGER_PORT))),
            ("directory", DIRECTORY.into()),
            ("site-include", SITE_INCLUDE.into()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect();
        assert_eq!(template["defaults"].as_table(), Some(&expected));
    }
}
