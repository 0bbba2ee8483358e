//! What the actions of a deployment stand on in the configuration: places, names and ways that a plan does not name itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Characters of a value that are shown: it may come from a journal that others have written.
const SHOWN: usize = 120;

/// Settings with their values, by key. Values that can be long or private are digests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Basis(BTreeMap<String, String>);

impl FromIterator<(String, String)> for Basis {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(settings: T) -> Self {
        Self(settings.into_iter().collect())
    }
}

/// A setting that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSetting {
    /// Its key, as in `cutover.toml`.
    pub key: String,
    /// What it was; none: it was not there.
    pub was: Option<String>,
    /// What it is; none: it is gone.
    pub is: Option<String>,
}

impl fmt::Display for ChangedSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<String>| match value {
            Some(value) => format!("`{}`", value.chars().take(SHOWN).collect::<String>()),
            None => "nothing".to_owned(),
        };
        let key: String = self.key.chars().take(SHOWN).collect();
        write!(f, "`{key}` was {}, is {}", text(&self.was), text(&self.is))
    }
}

impl Basis {
    /// What differs in `now`, by key.
    #[must_use]
    pub fn changes(&self, now: &Self) -> Vec<ChangedSetting> {
        let keys: std::collections::BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        let change = |key: &String| ChangedSetting {
            key: key.clone(),
            was: self.0.get(key).cloned(),
            is: now.0.get(key).cloned(),
        };
        keys.into_iter().map(change).filter(|change| change.was != change.is).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let basis = |settings: &[(&str, &str)]| -> Basis {
            settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let was = basis(&[("app.directory", "/srv/a"), ("app.user", "shop"), ("hosts.web1.ssh", "web1")]);
        let is = basis(&[("app.directory", "/srv/b"), ("app.user", "shop"), ("hosts.web2.ssh", "web2")]);
        let changes: Vec<String> = was.changes(&is).iter().map(ToString::to_string).collect();
        assert_eq!(
            changes,
            [
                "`app.directory` was `/srv/a`, is `/srv/b`",
                "`hosts.web1.ssh` was `web1`, is nothing",
                "`hosts.web2.ssh` was nothing, is `web2`",
            ]
        );
        assert_eq!(was.changes(&was), []);
        let long = was.changes(&basis(&[("app.directory", &"x".repeat(9000))]));
        assert!(long.iter().all(|change| change.to_string().len() < 300));
    }
}
