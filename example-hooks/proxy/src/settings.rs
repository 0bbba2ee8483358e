//! The `settings` table.

use cutover_hooks::testers::Testers;
use cutover_hooks::{SettingFault, setup};
use serde::Deserialize;

/// All have defaults. The same default stands in `grants.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The proxy's --directory, with its control socket.
    pub directory: Option<String>,
    /// Host names of the application; none: all that no other application of this proxy has.
    pub host_names: Vec<String>,
    /// What says in a request of which colour it wants to be, while requests are shared.
    pub testers: Option<Testers>,
    /// Where the proxy listens: for `cutover setup` alone.
    pub listen: Option<Vec<String>>,
    /// Where the program lies on the router's host: for `cutover setup` alone.
    pub program: Option<String>,
}

const DIRECTORY: &str = "/var/lib/cutover-proxy";
const LISTEN: &str = "0.0.0.0:80";
const PROGRAM: &str = "/usr/local/bin/cutover";

impl Settings {
    pub(crate) fn directory(&self) -> &str {
        self.directory.as_deref().unwrap_or(DIRECTORY)
    }

    pub(crate) fn program(&self) -> &str {
        self.program.as_deref().unwrap_or(PROGRAM)
    }

    pub(crate) fn listen(&self) -> Vec<&str> {
        self.listen.as_ref().map_or_else(|| vec![LISTEN], |all| all.iter().map(String::as_str).collect())
    }

    /// As `hosts::exchange` takes it.
    pub(crate) fn socket(&self) -> String {
        format!("unix:{}/control.sock", self.directory())
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = setup::path_faults(&[("directory", &self.directory), ("program", &self.program)]);
        faults.extend(self.testers.iter().flat_map(Testers::faults));
        let plain = |name: &String| {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
            !name.is_empty() && name.len() <= 253 && name.chars().all(fits)
        };
        for odd in self.host_names.iter().filter(|name| !plain(name)) {
            let reason = format!(
                "`{odd}` is no host name: letters, digits, `.` and `-`, in lower case, without a port"
            );
            faults.push(SettingFault::new("host-names", reason));
        }
        if self.listen.as_ref().is_some_and(Vec::is_empty) {
            faults.push(SettingFault::new("listen", "it has no address: `0.0.0.0:80` is all of IPv4"));
        }
        let addresses = self.listen.iter().flatten();
        for odd in addresses.filter(|text| text.parse::<std::net::SocketAddr>().is_err()) {
            let reason = format!("`{odd}` is no address and port: `0.0.0.0:80`, `[::]:80`");
            faults.push(SettingFault::new("listen", reason));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_is_told() {
        let faults = |json: &str| serde_json::from_str::<Settings>(json).expect("settings").faults();
        assert_eq!(faults("{}"), []);
        let good = r#"{"directory": "/srv/p", "host-names": ["shop.example"], "listen": ["[::]:80", "10.0.0.1:8080"]}"#;
        assert_eq!(faults(good), []);
        let plain = "is no path that goes into a configuration: absolute, of letters, digits and `/._-`";
        assert_eq!(
            faults(r#"{"directory": "p", "program": "/a b", "host-names": ["Shop:80"], "listen": ["80"]}"#),
            [
                SettingFault::new("directory", format!("`p` {plain}")),
                SettingFault::new("program", format!("`/a b` {plain}")),
                SettingFault::new(
                    "host-names",
                    "`Shop:80` is no host name: letters, digits, `.` and `-`, in lower case, without a port"
                ),
                SettingFault::new("listen", "`80` is no address and port: `0.0.0.0:80`, `[::]:80`"),
            ]
        );
        assert_eq!(
            faults(r#"{"listen": []}"#),
            [SettingFault::new("listen", "it has no address: `0.0.0.0:80` is all of IPv4")]
        );
        assert_eq!(
            faults(r#"{"testers": {"cookie": "a b"}}"#),
            [SettingFault::new("testers.cookie", "`a b` is no name of a cookie: letters, digits and `_`")]
        );
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        assert_eq!(template["defaults"]["directory"].as_str(), Some(DIRECTORY));
    }
}
