//! The `settings` table.

use std::time::Duration;

use cutover_hooks::{Color, SettingFault, http};
use serde::Deserialize;

/// The same default stands in `grants.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// URL of the API of the foundation.
    pub api: String,
    /// Host of the route.
    pub host: String,
    /// Domain of the route.
    pub domain: String,
    /// Name of blue's app.
    pub blue: String,
    /// Name of green's app.
    pub green: String,
    /// Seconds in which both apps have the route.
    #[serde(default = "overlap")]
    pub overlap: u32,
    /// Secret with the bearer token.
    #[serde(default = "token")]
    pub token: String,
    /// Certificates of the foundation's own authorities: for the engine, which reads it by `grants.toml`.
    pub ca: Option<String>,
}

fn overlap() -> u32 {
    5
}

fn token() -> String {
    "cf-token".to_owned()
}

impl Settings {
    /// The app of a colour.
    pub(crate) fn app(&self, color: Color) -> &str {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }

    /// URL of the API, without a path.
    pub(crate) fn api(&self) -> &str {
        self.api.trim_end_matches('/')
    }

    /// What people call the route.
    pub(crate) fn url(&self) -> String {
        format!("{}.{}", self.host, self.domain)
    }

    pub(crate) fn overlap(&self) -> Duration {
        Duration::from_secs(self.overlap.into())
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults: Vec<SettingFault> =
            http::origin_fault("api", &self.api, "API of Cloud Foundry").into_iter().collect();
        let mut fault = |key: &str, reason: String| faults.push(SettingFault::new(key, reason));
        let Self { host, domain, blue, green, overlap, .. } = self;
        for (key, value, what, more) in [
            ("host", host, "host of a route", "-_"),
            ("domain", domain, "domain", "-."),
            ("blue", blue, "name of an app that goes into a request", "-_."),
            ("green", green, "name of an app that goes into a request", "-_."),
        ] {
            let plain = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            if value.is_empty() || !value.chars().all(plain) {
                fault(key, format!("`{value}` is no {what}: letters, digits and `{more}`"));
            }
        }
        if blue == green {
            fault("green", format!("`{green}` is blue's app too: want another one for each colour"));
        }
        if !(1..=20).contains(overlap) {
            fault("overlap", format!("`{overlap}` is not from 1 to 20 seconds"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(change: &[(&str, Value)]) -> String {
        let mut table = json!({
            "api": "https://api.cf.example.com", "host": "shop", "domain": "apps.example.com",
            "blue": "shop-blue", "green": "shop-green",
        });
        for (key, value) in change {
            table[*key] = value.clone();
        }
        let settings: Settings = serde_json::from_value(table).expect("settings");
        settings.faults().iter().map(|fault| format!("{}: {}\n", fault.key, fault.reason)).collect()
    }

    #[test]
    fn what_is_wrong_is_said_of_its_key() {
        assert_eq!(faults(&[]), "");
        let said = [
            faults(&[("api", json!("http://api.cf.example.com"))]),
            faults(&[("host", json!("shop.apps"))]),
            faults(&[("domain", json!(""))]),
            faults(&[("blue", json!("a&names=b"))]),
            faults(&[("green", json!("shop-blue"))]),
            faults(&[("overlap", json!(0))]),
            faults(&[("overlap", json!(21))]),
        ];
        assert_eq!(said.concat(), include_str!("../golden/faults.txt"));
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        assert_eq!(template["defaults"]["token"].as_str(), Some(token().as_str()));
        assert_eq!(template["defaults"]["ca"].as_str(), Some(""));
        assert_eq!(template["defaults"].as_table().map(toml::Table::len), Some(2));
    }
}
