//! Which components a configuration names, over all of its environments.

use std::collections::BTreeMap;

use crate::model::{ComponentDigest, Deployment, HookSource, Locked};

/// A component that does not ship with the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// As the configuration names it.
    pub requested: String,
    /// Where it is.
    pub source: HookSource,
    /// What the configuration says that it is; more than one only where it contradicts itself.
    pub pins: Vec<ComponentDigest>,
    /// What the lock file says that it is.
    pub locked: Option<Locked>,
    /// The hooks that it is used as.
    pub titles: Vec<String>,
}

impl Wanted {
    /// All of them, by name: `deployments` are the same configuration in each of its environments.
    #[must_use]
    pub fn all<'a>(deployments: impl IntoIterator<Item = &'a Deployment>) -> Vec<Self> {
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for deployment in deployments {
            for hook in deployment.hooks() {
                if matches!(hook.source, HookSource::Builtin(_)) {
                    continue;
                }
                let requested = hook.source.requested(&deployment.root);
                let one = all.entry(requested.clone()).or_insert_with(|| Self {
                    requested,
                    source: hook.source.clone(),
                    pins: Vec::new(),
                    locked: hook.locked.clone(),
                    titles: Vec::new(),
                });
                one.pins.extend(hook.sha256.clone().filter(|pin| !one.pins.contains(pin)));
                if !one.titles.contains(&hook.title) {
                    one.titles.push(hook.title.clone());
                }
            }
        }
        all.into_values().collect()
    }

    /// Whether people call it so: by what the configuration names, or by a hook that it is used as.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.requested == name || self.titles.iter().any(|title| title == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HostName;

    #[test]
    fn one_component_is_wanted_once() {
        let host = HostName::new("web1").expect("a name");
        let mut staging = Deployment::for_tests(std::slice::from_ref(&host), std::slice::from_ref(&host));
        staging.router.hook.source = HookSource::File("/project/hooks/lb.wasm".into());
        staging.health_check.hook.source = HookSource::Https("https://hooks.example.com/up.wasm".to_owned());
        let mut production = staging.clone();
        production.build.hook.source = HookSource::File("/project/./hooks/lb.wasm".into());
        production.router.hook.sha256 = ComponentDigest::parse(&"a".repeat(64));
        let told: Vec<_> = Wanted::all([&staging, &production])
            .into_iter()
            .map(|one| (one.requested, one.titles.join(" "), one.pins.len()))
            .collect();
        let expected =
            [("hooks/lb.wasm", "router build", 1), ("https://hooks.example.com/up.wasm", "health-check", 0)];
        assert_eq!(told, expected.map(|(name, titles, pins)| (name.to_owned(), titles.to_owned(), pins)));
    }
}
