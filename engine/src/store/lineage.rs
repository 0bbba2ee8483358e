//! Which line of deployments a host belongs to, and whether it keeps its state.
//!
//! The first deployment writes one random identifier to the home and to every host; the home's file says that it is the home.
//! Later ones compare: a host of another lineage is shared with another setup, and a home without one (while hosts have one) was
//! lost, or is not the home that the last deployment used. All of that could let two deployments run at once, so none of it is
//! ever guessed over.
//!
//! One file says all of it, so that who the home is changes by one rename: `{"version":1,"lineage":"…"}` on a host, with
//! `"home":true` at the home, and with `"moved-to":"lb2"` where the home was before it was moved.

use std::fmt;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::{Misplaced, StoreFault};
use crate::model::HostName;

/// Name of the file.
pub(super) const LINEAGE: &str = "lineage";

/// Identifier of a line of deployments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lineage(Ulid);

impl Lineage {
    /// For a first deployment: `id` is fresh and random.
    #[must_use]
    pub const fn new(id: Ulid) -> Self {
        Self(id)
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Lineage> for String {
    fn from(lineage: Lineage) -> Self {
        lineage.to_string()
    }
}

impl TryFrom<String> for Lineage {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let id = Ulid::from_string(&text);
        id.map(Self).map_err(|_| format!("`{}` is no lineage", text.escape_debug()))
    }
}

/// A host's part in a line of deployments: the whole of the file `lineage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Membership {
    /// The line.
    pub lineage: Lineage,
    /// Whether this host keeps its state.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub home: bool,
    /// The host that the state was moved to from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<HostName>,
    /// At the home: lines that it goes on with, since their own home was lost. A host of one of them joins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Lineage>,
}

impl Membership {
    /// Of a host that keeps no state.
    #[must_use]
    pub const fn host(lineage: Lineage) -> Self {
        Self { lineage, home: false, moved_to: None, replaces: Vec::new() }
    }

    /// Of a home.
    #[must_use]
    pub fn home(lineage: Lineage) -> Self {
        Self { home: true, ..Self::host(lineage) }
    }

    /// Whether a host with this membership may join the home that has `home`.
    fn may_join(&self, home: &Self) -> bool {
        !self.home && home.replaces.contains(&self.lineage)
    }
}

/// What a host says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The host.
    pub host: &'a HostName,
    /// Its state directory.
    pub path: &'a str,
    /// Its part in a line of deployments, when it has one.
    pub membership: Option<&'a Membership>,
}

impl Said<'_> {
    fn is_home(&self) -> bool {
        self.membership.is_some_and(|membership| membership.home)
    }

    fn moved_to(&self) -> Option<&HostName> {
        self.membership.and_then(|membership| membership.moved_to.as_ref())
    }
}

/// Everything that speaks against using `home`, which the configuration names, as the home; `others` are the other hosts.
///
/// A host without a membership is new here and will join. The home is written first (see [`super::Home::settle_lineage`]), so a
/// first deployment that dies in between leaves hosts without a lineage, never a home without one.
#[must_use]
pub fn disagreements<'a>(home: Said<'a>, others: impl IntoIterator<Item = Said<'a>>) -> Vec<StoreFault> {
    let others: Vec<Said<'_>> = others.into_iter().filter(|other| other.host != home.host).collect();
    let name = || home.host.clone();
    if !home.is_home() {
        // Whoever has it says so; whoever had it says where it went.
        if let Some(other) = others.iter().find(|other| other.is_home()) {
            return vec![Misplaced::Elsewhere { home: name(), kept_on: other.host.clone() }.into()];
        }
        if let Some(to) = home.moved_to() {
            return vec![Misplaced::Moved { host: name(), to: to.clone() }.into()];
        }
        if let Some(other) = others.iter().find(|other| other.moved_to() == Some(home.host)) {
            return vec![Misplaced::UnderWay { from: other.host.clone(), to: name() }.into()];
        }
        if let Some(membership) = home.membership {
            return vec![Misplaced::Lost { home: name(), lineage: membership.lineage.to_string() }.into()];
        }
    }
    let mut faults = Vec::new();
    for other in others {
        let Some(found) = other.membership else { continue };
        let own = home.membership;
        if !own.is_some_and(|own| own.lineage == found.lineage || own.replaces.contains(&found.lineage)) {
            faults.push(StoreFault::Lineage {
                host: other.host.clone(),
                found: found.lineage.to_string(),
                path: format!("{}/{LINEAGE}", other.path),
                home: name(),
                expected: own.map(|own| own.lineage.to_string()),
            });
        } else if found.home {
            let (other, path) = (other.host.clone(), other.path.to_owned());
            faults.push(Misplaced::Second { home: name(), other, path }.into());
        }
    }
    faults
}

/// Which of the hosts that agree are still to be written.
pub(super) fn is_to_join(of_host: Option<&Membership>, home: &Membership) -> bool {
    of_host.is_none_or(|found| found.may_join(home))
}
