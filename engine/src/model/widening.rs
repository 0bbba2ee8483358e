//! What a change of a project widens: who reads the change before it is merged is to see each of it.
//!
//! Wider is: another machine or another way to one, another key that is believed, another program or component, more that a hook may do or
//! use, a secret from elsewhere or to elsewhere, processes under another user or with other words, another source of what goes live,
//! another place that is spoken to. Not wider is what makes a deployment worse without reaching further: times, probes, policies of the
//! pipeline, fewer smoke tests, settings of a hook (its grants bound it whatever they say), links into `shared/`, what the application's own variables say where they hold
//! no secret and decide no code.
//!
//! Every structure is taken apart by all its fields, so that a new key is not forgotten here.

mod finding;
mod grants;
mod hook;
mod hosts;
mod project;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use self::finding::Findings;
use super::{ComponentDigest, Deployment, Hook, LockFile, Name};

/// All of a project that a change of it could widen.
#[derive(Debug, Clone, Default)]
pub struct Posture {
    /// The configuration in each of its environments; one without a name where there are none.
    pub environments: Vec<Deployment>,
    /// The environment that is meant where none is named.
    pub default: Option<Name>,
    /// Its lock file.
    pub lock: LockFile,
    /// Components that nothing pins, by what the configuration names.
    pub files: BTreeMap<String, ComponentDigest>,
    /// Fingerprints of the keys that it pins, by place.
    pub host_keys: BTreeMap<String, BTreeSet<String>>,
}

/// One thing that a change widens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Widening {
    /// The environments in which it does, where there are any.
    pub environments: Vec<String>,
    /// What kind of thing.
    pub kind: WideningKind,
    /// How it is now: ``hook `router` may run `/usr/sbin/nginx -t` on the routers``.
    pub text: String,
    /// How it was, where something was there.
    pub before: Option<String>,
}

/// What got wider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WideningKind {
    /// An environment, or what it asks of whoever deploys to it.
    Environment,
    /// Where the application lies and where its state is kept.
    Place,
    /// A machine, or the way to it.
    Host,
    /// A key by which a machine is known.
    HostKey,
    /// What is built, and where.
    Source,
    /// What runs on hosts, as whom and with what.
    Process,
    /// What users and probes reach.
    Routing,
    /// Where a secret comes from.
    Secret,
    /// Which component a hook is.
    Hook,
    /// What a component asks for.
    Import,
    /// What a hook may do.
    Grant,
    /// What a hook may use.
    Limit,
}

/// Everything that is wider in `new` than it was in `old`, environment by environment; what is the same in several is told once.
#[must_use]
pub fn widened(old: &Posture, new: &Posture) -> Vec<Widening> {
    let mut all: Vec<Widening> = Vec::new();
    for deployment in &new.environments {
        let mut findings = Findings::new(deployment.environment.as_ref());
        let before = old.counterpart(deployment);
        if before.is_none()
            && let Some(name) = &deployment.environment
        {
            findings.is(WideningKind::Environment, format!("environment `{name}` is new"));
        }
        if let Some(name) = &deployment.environment
            && new.default.as_ref() == Some(name)
            && old.is_meant_instead_of(name)
        {
            let text = format!("`{name}` is meant where no environment is named");
            findings.became(
                WideningKind::Environment,
                text,
                old.default.as_ref().map(|name| format!("`{name}`")),
            );
        }
        project::compare(old, before, new, deployment, &mut findings);
        for found in findings.all() {
            let same = |other: &&mut Widening| {
                (other.kind, &other.text, &other.before) == (found.kind, &found.text, &found.before)
            };
            match all.iter_mut().find(same) {
                Some(known) => known.environments.extend(found.environments),
                None => all.push(found),
            }
        }
    }
    // In the order of the kinds, and within each as they were found.
    all.sort_by_key(|widening| widening.kind);
    all
}

impl Posture {
    /// The deployment that another revision's is to be compared with: that of the same environment, or the whole where there were none.
    fn counterpart(&self, other: &Deployment) -> Option<&Deployment> {
        let named = |name| self.environments.iter().find(|deployment| deployment.environment == name);
        named(other.environment.clone()).or_else(|| named(None))
    }

    /// Whether another environment than this one, or none, was meant where none was named.
    fn is_meant_instead_of(&self, name: &Name) -> bool {
        let has_environments = self.environments.iter().any(|deployment| deployment.environment.is_some());
        has_environments && self.default.as_ref() != Some(name)
    }

    /// Which component a hook has to be, or is where nothing pins it; none where that can't be told.
    fn digest<'a>(&'a self, hook: &'a Hook, of: &Deployment) -> Option<&'a ComponentDigest> {
        pin(hook).or_else(|| self.files.get(&hook.source.requested(&of.root)))
    }
}

/// Which component a hook has to be.
fn pin(hook: &Hook) -> Option<&ComponentDigest> {
    hook.sha256.as_ref().or_else(|| hook.locked.as_ref().map(|locked| &locked.sha256))
}

#[cfg(test)]
mod tests;
