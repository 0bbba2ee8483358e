//! The `settings` table.

use cutover_hooks::{Call, SettingFault, setup};
use serde::Deserialize;

use crate::map::Map;
use crate::servers::Servers;

/// All have defaults. `{name}` in them is the application's name, with `-ENVIRONMENT` where there are environments. The same defaults
/// stand in `grants.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// How the colour is chosen.
    pub style: StyleName,
    /// HAProxy's admin socket: `unix:/PATH` or `tcp:ADDRESS:PORT`.
    pub socket: Option<String>,

    /// `map`: the map file, which the deploy user writes and HAProxy reads when it starts.
    pub map: Option<String>,
    /// `map`: name of blue's backend.
    pub blue: Option<String>,
    /// `map`: name of green's backend.
    pub green: Option<String>,
    /// `map`: the file of both backends that `cutover setup` writes, and HAProxy reads beside its own.
    pub config: Option<String>,

    /// `servers`: name of the backend.
    pub backend: Option<String>,
    /// `servers`: what its servers are called, with `{color}` and `{host}`.
    pub server: Option<String>,
    /// `servers`: the file that HAProxy reads the states of all servers from when it starts.
    pub state_file: Option<String>,

    /// Path that HAProxy asks each server for, in what `cutover setup` prints.
    pub check_path: Option<String>,
}

/// How the colour is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StyleName {
    /// By a map that is looked into for each request.
    #[default]
    Map,
    /// By the states of the servers of one backend.
    Servers,
}

/// A style with all that it needs.
#[derive(Debug)]
pub enum Style {
    /// See [`StyleName::Map`].
    Map(Map),
    /// See [`StyleName::Servers`].
    Servers(Servers),
}

pub(crate) const SOCKET: &str = "unix:/run/haproxy/admin.sock";
pub(crate) const MAP: &str = "/var/lib/cutover-haproxy/{name}/green.map";
pub(crate) const BLUE: &str = "{name}-blue";
pub(crate) const GREEN: &str = "{name}-green";
pub(crate) const CONFIG: &str = "/etc/haproxy/cutover-{name}.cfg";
pub(crate) const BACKEND: &str = "{name}";
pub(crate) const SERVER: &str = "{color}-{host}";

impl Settings {
    /// The style, for the application of a call.
    #[must_use]
    pub fn style(&self, call: &Call) -> Style {
        let name = call.title();
        let text = |own: &Option<String>, default: &str| {
            own.clone().unwrap_or_else(|| default.replace("{name}", &name))
        };
        let (socket, check_path) = (text(&self.socket, SOCKET), self.check_path.clone());
        match self.style {
            StyleName::Map => Style::Map(Map {
                socket,
                map: text(&self.map, MAP),
                blue: text(&self.blue, BLUE),
                green: text(&self.green, GREEN),
                config: text(&self.config, CONFIG),
                check_path,
                name,
            }),
            StyleName::Servers => Style::Servers(Servers {
                socket,
                backend: text(&self.backend, BACKEND),
                server: text(&self.server, SERVER),
                state_file: self.state_file.clone(),
                check_path,
                name,
            }),
        }
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        self.add_foreign(&mut faults);
        if let Some(socket) = self.socket.as_ref().filter(|socket| !is_socket(socket)) {
            let reason = format!("`{socket}` is neither `unix:/PATH` nor `tcp:ADDRESS:PORT`");
            faults.push(SettingFault::new("socket", reason));
        }
        let paths = [("map", &self.map), ("config", &self.config), ("state-file", &self.state_file)];
        faults.extend(setup::path_faults(&paths));
        let mut fault = |key: &str, reason: String| faults.push(SettingFault::new(key, reason));
        for (key, name) in [("blue", &self.blue), ("green", &self.green), ("backend", &self.backend)] {
            if let Some(name) = name.as_ref().filter(|name| !is_plain_name(name)) {
                fault(key, format!("`{name}` is no name of a backend: letters, digits and `._:-`"));
            }
        }
        if let Some(name) = self.server.as_ref().filter(|name| !is_template(name)) {
            let reason = "is no name of a server: `{color}`, `{host}`, letters, digits and `._:-`";
            fault("server", format!("`{name}` {reason}"));
        }
        if let Some(path) = self.check_path.as_ref().filter(|path| !is_url_path(path)) {
            fault(
                "check-path",
                format!("`{path}` is no path to ask for: it begins with `/`, without blanks and quotes"),
            );
        }
        faults
    }

    /// Keys of the other style would do nothing.
    fn add_foreign(&self, faults: &mut Vec<SettingFault>) {
        let map = [
            ("map", self.map.is_some()),
            ("blue", self.blue.is_some()),
            ("green", self.green.is_some()),
            ("config", self.config.is_some()),
        ];
        let servers = [
            ("backend", self.backend.is_some()),
            ("server", self.server.is_some()),
            ("state-file", self.state_file.is_some()),
        ];
        let (foreign, style) = match self.style {
            StyleName::Map => (servers.as_slice(), "servers"),
            StyleName::Servers => (map.as_slice(), "map"),
        };
        for (key, _) in foreign.iter().filter(|(_, written)| *written) {
            faults.push(SettingFault::new(*key, format!("belongs to `style = \"{style}\"`")));
        }
    }
}

fn is_socket(socket: &str) -> bool {
    match socket.split_once(':') {
        Some(("unix", path)) => setup::is_plain_path(path),
        Some(("tcp", address)) => {
            address.parse::<std::net::SocketAddr>().is_ok_and(|address| address.port() > 0)
        }
        _ => false,
    }
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}

/// Each of both once: no two servers have the same name.
fn is_template(name: &str) -> bool {
    let rest = name.replacen("{color}", "", 1).replacen("{host}", "", 1);
    rest.len() + "{color}{host}".len() == name.len() && (rest.is_empty() || is_plain_name(&rest))
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
    fn a_key_of_the_other_style_is_a_fault() {
        let belongs = |key: &str, style: &str| (key.to_owned(), format!("belongs to `style = \"{style}\"`"));
        assert_eq!(faults(r#"{"backend": "shop"}"#), [belongs("backend", "servers")]);
        assert_eq!(
            faults(r#"{"style": "servers", "map": "/m", "blue": "b", "check-path": "/"}"#),
            [belongs("map", "map"), belongs("blue", "map")]
        );
    }

    #[test]
    fn no_two_servers_have_the_same_name() {
        for server in
            ["", "shop", "{color}", "{host}", "{color}-{host}-{host}", "{color} {host}", "{color}/{host}"]
        {
            let settings = Settings {
                server: Some(server.to_owned()),
                style: StyleName::Servers,
                ..Settings::default()
            };
            assert_eq!(settings.faults().len(), 1, "{server:?}");
        }
        for server in ["{color}{host}", "{host}_{color}", "shop-{color}-{host}"] {
            assert!(
                faults(&format!(r#"{{"style": "servers", "server": "{server}"}}"#)).is_empty(),
                "{server}"
            );
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
        assert_eq!(
            faults(r#"{"style": "servers", "server": "web", "state-file": "x"}"#),
            [
                fault(
                    "state-file",
                    "`x` is no path that goes into a configuration: absolute, of letters, digits and `/._-`"
                ),
                fault(
                    "server",
                    "`web` is no name of a server: `{color}`, `{host}`, letters, digits and `._:-`"
                ),
            ]
        );
        assert_eq!(faults(r#"{"socket": "tcp:[::1]:9999", "check-path": "/up?a=1"}"#), []);
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        let expected = [
            ("style", "map"),
            ("socket", SOCKET),
            ("map", MAP),
            ("blue", BLUE),
            ("green", GREEN),
            ("backend", BACKEND),
            // None: nothing is granted then.
            ("state-file", ""),
        ];
        let expected: toml::Table =
            expected.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        assert_eq!(template["defaults"].as_table().expect("a table"), &expected);
    }
}
