//! The `settings` table.

use cutover_hooks::{Color, SettingFault, http};
use serde::Deserialize;

/// The same defaults stand in `grants.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// URL of the API server.
    pub server: String,
    /// Namespace of what is switched.
    pub namespace: String,
    /// How a colour is chosen.
    #[serde(default)]
    pub style: Style,
    /// Service whose selector names the live colour.
    pub service: Option<String>,
    /// Label of the pods that says `blue` or `green`.
    pub label: Option<String>,
    /// HTTPRoute that shares requests between two Services.
    pub route: Option<String>,
    /// Service of blue's pods.
    pub blue: Option<String>,
    /// Service of green's pods.
    pub green: Option<String>,
    /// Secret with the bearer token.
    #[serde(default = "token")]
    pub token: String,
    /// Certificates of the cluster's own authorities: for the engine, which reads it by `grants.toml`.
    pub ca: Option<String>,
}

fn token() -> String {
    "kubernetes-token".to_owned()
}

/// How a colour is chosen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// By a label in a Service's selector.
    #[default]
    Service,
    /// By the weights of an HTTPRoute.
    Gateway,
}

impl Settings {
    /// The label that tells the colours apart.
    pub(crate) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or("color")
    }

    /// The Service of a colour's pods, in the style `gateway`.
    pub(crate) fn backend(&self, color: Color) -> &str {
        let name = match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        };
        // `faults` finds a table without it.
        name.as_deref().unwrap_or_default()
    }

    /// URL of the API server, without a path.
    pub(crate) fn server(&self) -> &str {
        self.server.trim_end_matches('/')
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults: Vec<SettingFault> =
            http::origin_fault("server", &self.server, "API server").into_iter().collect();
        let mut fault = |key: &str, reason: String| faults.push(SettingFault::new(key, reason));
        let Self { namespace, service, label, route, blue, green, .. } = self;
        let of_service = [("service", service, true), ("label", label, false)];
        let of_gateway = [("route", route, true), ("blue", blue, true), ("green", green, true)];
        let (own, others, other) = match self.style {
            Style::Service => (&of_service[..], &of_gateway[..], "gateway"),
            Style::Gateway => (&of_gateway[..], &of_service[..], "service"),
        };
        for (key, ..) in own.iter().filter(|(_, value, needed)| *needed && value.is_none()) {
            fault(key, "is missing".to_owned());
        }
        for (key, ..) in others.iter().filter(|(_, value, _)| value.is_some()) {
            fault(key, format!("belongs to `style = \"{other}\"`"));
        }
        let namespace = Some(namespace.clone());
        for (key, value) in [
            ("namespace", &namespace),
            ("service", service),
            ("route", route),
            ("blue", blue),
            ("green", green),
        ] {
            if let Some(value) = value.as_ref().filter(|value| !is_name(value)) {
                fault(
                    key,
                    format!("`{value}` is no name in Kubernetes: lower-case letters, digits, `-` and `.`"),
                );
            }
        }
        if let Some(label) = label.as_ref().filter(|label| !is_label(label)) {
            fault(
                "label",
                format!(
                    "`{label}` is no key of a label: letters, digits and `-_.`, and one `/` after a prefix"
                ),
            );
        }
        if blue.is_some() && blue == green {
            fault("green", "is blue's Service too: want another one for each colour".to_owned());
        }
        faults
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    !text.is_empty()
        && text.len() <= 253
        && text.chars().all(plain)
        && !text.starts_with(['-', '.'])
        && !text.ends_with(['-', '.'])
}

fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut parts = text.split('/');
    parts.clone().count() <= 2 && parts.all(|part| !part.is_empty() && part.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(change: &[(&str, Value)]) -> String {
        let mut table =
            json!({"server": "https://k8s.example.com:6443", "namespace": "shop", "service": "shop"});
        for (key, value) in change {
            table[*key] = value.clone();
        }
        let settings: Settings = serde_json::from_value(table).expect("settings");
        settings.faults().iter().map(|fault| format!("{}: {}\n", fault.key, fault.reason)).collect()
    }

    #[test]
    fn each_style_has_its_own() {
        assert_eq!(faults(&[]), "");
        assert_eq!(faults(&[("label", json!("example.com/color"))]), "");
        let gateway = [("service", Value::Null), ("style", json!("gateway")), ("route", json!("shop"))];
        let both = [("blue", json!("shop-blue")), ("green", json!("shop-green"))];
        assert_eq!(
            faults(&[gateway.clone(), [both[0].clone(), both[1].clone(), both[0].clone()]].concat()),
            ""
        );
        let said = [
            faults(&[("service", Value::Null)]),
            faults(&[("route", json!("shop"))]),
            faults(&gateway),
            faults(&[("style", json!("gateway"))]),
            faults(&[("namespace", json!("Shop"))]),
            faults(&[("service", json!("shop/../x"))]),
            faults(&[("label", json!("a=b"))]),
            faults(&[("server", json!("http://k8s.example.com"))]),
            faults(&[("server", json!("https://k8s.example.com/x"))]),
        ];
        assert_eq!(said.concat(), include_str!("../golden/faults.txt"));
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        assert_eq!(template["defaults"]["token"].as_str(), Some(token().as_str()));
        assert_eq!(template["defaults"]["style"].as_str(), Some("service"));
        assert_eq!(template["defaults"]["ca"].as_str(), Some(""));
        assert_eq!(template["defaults"].as_table().map(toml::Table::len), Some(3));
    }
}
