//! Requests that are open, by application, colour and host: what a drain waits for.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::{Color, HostName, Name};

/// The requests of one application.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// How many there were.
    pub(super) number: AtomicU64,
    open: Mutex<OpenCounts>,
}

/// One request, from its first byte to its last, or to the end of its websocket.
#[derive(Debug)]
pub(super) struct Open {
    traffic: Arc<Traffic>,
    color: Color,
    /// Where it is. Until that is known, it counts at each of those that it may get to.
    hosts: Vec<HostName>,
}

/// How many requests of an application are open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCounts {
    /// At blue.
    pub blue: OpenAt,
    /// At green.
    pub green: OpenAt,
}

/// How many are open at a colour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAt {
    /// All of them.
    pub requests: u64,
    /// At hosts; those with none are left out.
    pub hosts: BTreeMap<HostName, u64>,
}

/// By application; those with none may be left out.
pub(super) type AllOpen = BTreeMap<Name, OpenCounts>;

/// The requests of all applications.
#[derive(Debug, Default)]
pub(super) struct Traffics {
    by_name: Mutex<BTreeMap<Name, Arc<Traffic>>>,
}

impl Traffic {
    fn counts(&self) -> MutexGuard<'_, OpenCounts> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one that goes to the first of these that can be reached.
    pub(super) fn open<'a>(
        self: &Arc<Self>,
        color: Color,
        hosts: impl Iterator<Item = &'a HostName>,
    ) -> Open {
        let mut hosts: Vec<HostName> = hosts.cloned().collect();
        hosts.sort_unstable();
        hosts.dedup();
        let mut counts = self.counts();
        let at = counts.of(color);
        at.requests += 1;
        for host in &hosts {
            *at.hosts.entry(host.clone()).or_default() += 1;
        }
        drop(counts);
        Open { traffic: Arc::clone(self), color, hosts }
    }
}

impl Open {
    /// It has got to this one, and gets to no other.
    pub(super) fn settle(&mut self, host: &HostName) {
        let left = self.hosts.iter().filter(|other| *other != host);
        self.traffic.counts().of(self.color).leave(left);
        self.hosts.retain(|other| other == host);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut counts = self.traffic.counts();
        let at = counts.of(self.color);
        at.requests = at.requests.saturating_sub(1);
        at.leave(self.hosts.iter());
    }
}

impl OpenAt {
    fn leave<'a>(&mut self, hosts: impl Iterator<Item = &'a HostName>) {
        for host in hosts {
            if let Some(count) = self.hosts.get_mut(host) {
                *count = count.saturating_sub(1);
            }
        }
        self.hosts.retain(|_, count| *count > 0);
    }

    // What is added may be what another process says.
    fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        for (host, more) in &other.hosts {
            let count = self.hosts.entry(host.clone()).or_default();
            *count = count.saturating_add(*more);
        }
    }
}

impl OpenCounts {
    const fn of(&mut self, color: Color) -> &mut OpenAt {
        match color {
            Color::Blue => &mut self.blue,
            Color::Green => &mut self.green,
        }
    }

    /// Of both colours.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.blue.requests.saturating_add(self.green.requests)
    }

    /// With those of another process.
    pub(super) fn add(&mut self, other: &Self) {
        self.blue.add(&other.blue);
        self.green.add(&other.green);
    }
}

impl Traffics {
    pub(super) fn of(&self, name: &Name) -> Arc<Traffic> {
        let mut all = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(name.clone()).or_default())
    }

    pub(super) fn open(&self) -> AllOpen {
        let all = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(name, traffic)| (name.clone(), traffic.counts().clone())).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_where_it_is_and_before_wherever_it_may_get_to() {
        let hosts = ["web1", "web2", "web1"].map(|host| HostName::new(host).unwrap());
        let traffics = Traffics::default();
        let shop = Name::new("shop").unwrap();
        let said = || {
            let open = traffics.open().remove(&shop).unwrap_or_default();
            assert_eq!(open.blue, OpenAt::default());
            let hosts: Vec<_> =
                open.green.hosts.iter().map(|(host, count)| format!("{host} {count}")).collect();
            (open.total(), hosts.join(", "))
        };
        assert_eq!(said(), (0, String::new()));
        let mut one = traffics.of(&shop).open(Color::Green, hosts.iter());
        let mut two = traffics.of(&shop).open(Color::Green, hosts[..1].iter());
        assert_eq!(said(), (2, "web1 2, web2 1".to_owned()));
        one.settle(&hosts[1]);
        two.settle(&hosts[0]);
        assert_eq!(said(), (2, "web1 1, web2 1".to_owned()));
        let mut all = traffics.open().remove(&shop).unwrap();
        all.add(&all.clone());
        assert_eq!((all.total(), all.green.hosts[&hosts[1]]), (4, 2));
        drop(one);
        assert_eq!(said(), (1, "web1 1".to_owned()));
        drop(two);
        assert_eq!(said(), (0, String::new()));
    }
}
