//! Which line of deployments a host belongs to, and whether it keeps its state.
//!
//! The first deployment writes one random identifier to the home and to every host; the home's file says that it is the home.
//! Later ones compare: a host of another lineage is shared with another setup, and a home without one (while hosts have one) was
//! lost, or is not the home that the last deployment used. All of that could let two deployments run at once, so none of it is
//! ever guessed over.
//!
//! One file says all of it, so that who the home is changes by one rename: `{"version":1,"lineage":"…"}` on a host, with
//! `"home":true` at the home, and with `"moved-to":"lb2"` where the home was before it was moved.

use std::collections::BTreeMap;
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
    let Some(own) = home.membership.filter(|own| own.home) else {
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
        return lost(home, &others);
    };
    let mut faults = Vec::new();
    for other in others {
        let Some(found) = other.membership else { continue };
        if own.lineage != found.lineage && !own.replaces.contains(&found.lineage) {
            faults.push(StoreFault::Lineage {
                host: other.host.clone(),
                found: found.lineage.to_string(),
                path: format!("{}/{LINEAGE}", other.path),
                home: name(),
                expected: own.lineage.to_string(),
            });
        } else if found.home {
            let (other, path) = (other.host.clone(), other.path.to_owned());
            faults.push(Misplaced::Second { home: name(), other, path }.into());
        }
    }
    faults
}

/// A home that is none, and nobody says where it is: nothing is wrong where nobody is a member of anything.
fn lost(home: Said<'_>, others: &[Said<'_>]) -> Vec<StoreFault> {
    let mut lines: BTreeMap<String, Vec<HostName>> = BTreeMap::new();
    for said in std::iter::once(&home).chain(others) {
        if let Some(membership) = said.membership {
            lines.entry(membership.lineage.to_string()).or_default().push(said.host.clone());
        }
    }
    let lost = |(lineage, members)| Misplaced::Lost { home: home.host.clone(), members, lineage }.into();
    lines.into_iter().map(lost).collect()
}

/// Which of the hosts that agree are still to be written.
pub(super) fn is_to_join(of_host: Option<&Membership>, home: &Membership) -> bool {
    of_host.is_none_or(|found| found.may_join(home))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "00000000000000000000000001";
    const B: &str = "00000000000000000000000002";

    /// `-`, or the lineage with `home`, `to HOST` or `over LINEAGE`.
    fn membership(text: &str) -> Option<Membership> {
        let lineage = |text: &str| Lineage::try_from(text.to_owned()).expect("a lineage");
        let mut words = text.split(' ');
        let id = match words.next()? {
            "-" => return None,
            id => lineage(id),
        };
        Some(match words.collect::<Vec<_>>()[..] {
            ["home"] => Membership::home(id),
            ["home", "over", other] => Membership { replaces: vec![lineage(other)], ..Membership::home(id) },
            ["to", host] => Membership { moved_to: Some(name(host)), ..Membership::host(id) },
            _ => Membership::host(id),
        })
    }

    fn name(text: &str) -> HostName {
        HostName::new(text).expect("a name")
    }

    /// What speaks against `lb1`, when it says this and `lb2` and `web1` say that.
    fn against(said: [&str; 3]) -> Vec<String> {
        let hosts = ["lb1", "lb2", "web1"].map(name);
        let memberships = said.map(membership);
        let said = |index: usize| Said {
            host: &hosts[index],
            path: "/state",
            membership: memberships[index].as_ref(),
        };
        let faults = disagreements(said(0), [said(0), said(1), said(2)]);
        faults.iter().map(|fault| format!("{}: {fault}", fault.code())).collect()
    }

    #[test]
    fn a_home_is_never_guessed() {
        let (home_a, home_b) = (&format!("{A} home"), &format!("{B} home over {A}"));
        let (to_lb1, to_lb2) = (&format!("{A} to lb1"), &format!("{A} to lb2"));
        let none: &[&str] = &[];
        let foreign = &*format!(
            "state/lineage: `web1` belongs to lineage `{B}` (/state/lineage), but the home `lb1` to `{A}`"
        );
        let lost_by = |members: &str| {
            format!("state/lost: {members} to lineage `{A}`, and the home `lb1` does not keep its state")
        };
        let homeless = &*lost_by("`web1` belongs");
        let lost = &*lost_by("`lb1`, `web1` belong");
        let elsewhere =
            "state/elsewhere: the state is kept on `lb2`, and this configuration looks for it on `lb1`";
        let second = "state/second-home: `lb1` and `lb2` both keep a state of this application";
        let table: [([&str; 3], &[&str]); 14] = [
            (["-", "-", "-"], none),
            ([home_a, A, A], none),
            ([home_a, "-", A], none),
            ([home_a, to_lb1, A], none),
            ([home_b, A, B], none),
            ([home_a, A, B], &[foreign]),
            ([home_a, home_a, A], &[second]),
            ([home_b, home_a, B], &[second]),
            (["-", "-", A], &[homeless]),
            (["-", home_a, A], &[elsewhere]),
            ([A, home_a, A], &[elsewhere]),
            ([to_lb2, home_a, A], &[elsewhere]),
            ([to_lb2, A, A], &["state/moved: the state was moved from `lb1` to `lb2`"]),
            ([A, "-", A], &[lost]),
        ];
        for (said, expected) in table {
            assert_eq!(against(said), expected, "{said:?}");
        }
        let under_way = "state/under-way: the state is on its way from `lb2` to `lb1`: moving it was cut off";
        assert_eq!(against([A, to_lb1, A]), [under_way]);
        assert_eq!(against(["-", to_lb1, A]), [under_way]);
    }

    #[test]
    fn the_file_says_only_what_is_so() {
        let texts = [
            (Membership::host(Lineage(Ulid(1))), format!("{{\"lineage\":\"{A}\"}}")),
            (Membership::home(Lineage(Ulid(1))), format!("{{\"lineage\":\"{A}\",\"home\":true}}")),
            (
                Membership { moved_to: Some(name("lb2")), ..Membership::host(Lineage(Ulid(1))) },
                format!("{{\"lineage\":\"{A}\",\"moved-to\":\"lb2\"}}"),
            ),
        ];
        for (membership, text) in texts {
            assert_eq!(serde_json::to_string(&membership).expect("JSON"), text);
            assert_eq!(serde_json::from_str::<Membership>(&text).expect("reads"), membership);
        }
    }
}
