//! The `settings` table.

use cutover_hooks::{Call, SettingFault};
use serde::Deserialize;

use crate::map::Map;

/// All have defaults. `{name}` in them is the application's name, with `-ENVIRONMENT` where there are environments. The same defaults
/// stand in `grants.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// HAProxy's admin socket: `unix:/PATH` or `tcp:ADDRESS:PORT`.
    pub socket: Option<String>,
    /// The map file, which the deploy user writes and HAProxy reads when it starts.
    pub map: Option<String>,
    /// Name of blue's backend.
    pub blue: Option<String>,
    /// Name of green's backend.
    pub green: Option<String>,
    /// The file of both backends that `cutover setup` writes, and HAProxy reads beside its own.
    pub config: Option<String>,
    /// Path that HAProxy asks each server for, in those backends.
    pub check_path: Option<String>,
}

pub(crate) const SOCKET: &str = "unix:/run/haproxy/admin.sock";
pub(crate) const MAP: &str = "/var/lib/cutover-haproxy/{name}/green.map";
pub(crate) const BLUE: &str = "{name}-blue";
pub(crate) const GREEN: &str = "{name}-green";
pub(crate) const CONFIG: &str = "/etc/haproxy/cutover-{name}.cfg";

impl Settings {
    /// The style, for the application of a call.
    #[must_use]
    pub fn style(&self, call: &Call) -> Map {
        let name = call.title();
        let text = |own: &Option<String>, default: &str| {
            own.clone().unwrap_or_else(|| default.replace("{name}", &name))
        };
        Map {
            socket: text(&self.socket, SOCKET),
            map: text(&self.map, MAP),
            blue: text(&self.blue, BLUE),
            green: text(&self.green, GREEN),
            config: text(&self.config, CONFIG),
            check_path: self.check_path.clone(),
            name,
        }
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, reason: String| faults.push(SettingFault::new(key, reason));
        if let Some(socket) = self.socket.as_ref().filter(|socket| !is_socket(socket)) {
            fault("socket", format!("`{socket}` is neither `unix:/PATH` nor `tcp:ADDRESS:PORT`"));
        }
        for (key, path) in [("map", &self.map), ("config", &self.config)] {
            if let Some(path) = path.as_ref().filter(|path| !is_plain_path(path)) {
                fault(
                    key,
                    format!(
                        "`{path}` is no path that goes into a configuration: absolute, of letters, digits and `/._-`"
                    ),
                );
            }
        }
        for (key, name) in [("blue", &self.blue), ("green", &self.green)] {
            if let Some(name) = name.as_ref().filter(|name| !is_plain_name(name)) {
                fault(key, format!("`{name}` is no name of a backend: letters, digits and `._:-`"));
            }
        }
        if let Some(path) = self.check_path.as_ref().filter(|path| !is_url_path(path)) {
            fault(
                "check-path",
                format!("`{path}` is no path to ask for: it begins with `/`, without blanks and quotes"),
            );
        }
        faults
    }
}

fn is_socket(socket: &str) -> bool {
    match socket.split_once(':') {
        Some(("unix", path)) => is_plain_path(path),
        Some(("tcp", address)) => {
            address.parse::<std::net::SocketAddr>().is_ok_and(|address| address.port() > 0)
        }
        _ => false,
    }
}

/// Absolute, and without anything that HAProxy's configuration, its command line or a shell reads in another way.
fn is_plain_path(path: &str) -> bool {
    path.starts_with('/')
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        && !path.split('/').any(|part| part == "..")
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}

/// Nothing that ends a word in HAProxy's configuration, or names a variable there.
fn is_url_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\#$%".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(String, String)> {
        let settings: Settings = serde_json::from_str(text).expect("the shape is fine");
        settings.faults().into_iter().map(|fault| (fault.key, fault.reason)).collect()
    }

    #[test]
    fn nothing_slips_into_haproxys_configuration_or_commands() {
        let map = |map: &str| Settings { map: Some(map.to_owned()), ..Settings::default() };
        for path in ["relative", "/a b", "/a;show", "/a\"", "/a/../b", "/a\n", "/$a", "/*", ""] {
            assert_eq!(map(path).faults().len(), 1, "{path:?}");
        }
        assert!(map("/tmp/x-1/green_2.map").faults().is_empty());
        for name in ["", "a b", "a;b", "a/b", "a\n", "*"] {
            let settings = Settings { blue: Some(name.to_owned()), ..Settings::default() };
            assert_eq!(settings.faults().len(), 1, "{name:?}");
        }
        for path in ["up", "/a b", "/%HT", "/$HOME", "/a\nserver x", "/a#b", ""] {
            let settings = Settings { check_path: Some(path.to_owned()), ..Settings::default() };
            assert_eq!(settings.faults().len(), 1, "{path:?}");
        }
        for socket in
            ["/run/x.sock", "unix:run/x.sock", "tcp:localhost:9999", "tcp:127.0.0.1", "http://x", "unix:"]
        {
            let settings = Settings { socket: Some(socket.to_owned()), ..Settings::default() };
            assert_eq!(settings.faults().len(), 1, "{socket:?}");
        }
    }

    #[test]
    fn a_fault_says_what_is_accepted() {
        let fault = |key: &str, reason: &str| (key.to_owned(), reason.to_owned());
        assert_eq!(
            faults(r#"{"socket": "/run/x", "map": "x", "green": "a b", "check-path": "up"}"#),
            [
                fault("socket", "`/run/x` is neither `unix:/PATH` nor `tcp:ADDRESS:PORT`"),
                fault(
                    "map",
                    "`x` is no path that goes into a configuration: absolute, of letters, digits and `/._-`"
                ),
                fault("green", "`a b` is no name of a backend: letters, digits and `._:-`"),
                fault(
                    "check-path",
                    "`up` is no path to ask for: it begins with `/`, without blanks and quotes"
                ),
            ]
        );
        assert_eq!(faults(r#"{"socket": "tcp:[::1]:9999", "check-path": "/up?a=1"}"#), []);
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        let expected = [("socket", SOCKET), ("map", MAP), ("blue", BLUE), ("green", GREEN)];
        let expected: toml::Table =
            expected.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        assert_eq!(template["defaults"].as_table().expect("a table"), &expected);
    }
}
