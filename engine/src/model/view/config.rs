//! What `cutover config` shows: the merged configuration, each value with where it comes from.

use serde::Serialize;

/// A merged configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigView {
    /// `shop/production`.
    pub title: String,
    /// Values in the order of the documentation.
    pub entries: Vec<ConfigEntry>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigEntry {
    /// Its key, dotted: `app.blue.port`.
    pub key: String,
    /// The value as it would be written in TOML; secrets are masked.
    pub value: String,
    /// `cutover.toml:12`, `cutover.toml:88 (environments.production)`, `default`.
    pub origin: String,
}
