//! The `settings` table.

use std::collections::BTreeMap;

use cutover_hooks::{SettingFault, Statuses};
use serde::Deserialize;

/// All have defaults.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Path and query; `/up`.
    pub path: String,
    /// Name for the Host header (and TLS); the instance's address and port.
    pub host: Option<String>,
    /// `http` or `https`; `http`.
    pub scheme: Scheme,
    /// Statuses that mean healthy; 200 to 299.
    pub status: Statuses,
    /// Text that the body must contain.
    pub body_contains: Option<String>,
    /// Sent with each request.
    pub headers: BTreeMap<String, String>,
}

/// How to speak to the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// In plain text.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "/up".to_owned(),
            host: None,
            scheme: Scheme::Http,
            status: Statuses::default(),
            body_contains: None,
            headers: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        if !self.path.starts_with('/') || self.path.contains(|c: char| c.is_whitespace() || c.is_control()) {
            faults.push(SettingFault::new(
                "path",
                format!("`{}` is no path: it begins with `/` and has no spaces", self.path),
            ));
        }
        if let Some(host) = &self.host
            && (host.is_empty() || host.contains(|c: char| !c.is_ascii_alphanumeric() && !".-:".contains(c)))
        {
            faults.push(SettingFault::new("host", format!("`{host}` is no host name")));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_key() {
        let settings: Settings =
            serde_json::from_str(r#"{"path": "up", "host": "a/b"}"#).expect("the shape is fine");
        assert_eq!(
            settings.faults(),
            [
                SettingFault::new("path", "`up` is no path: it begins with `/` and has no spaces"),
                SettingFault::new("host", "`a/b` is no host name"),
            ]
        );
        assert!(Settings::default().faults().is_empty());
    }
}
