//! A host that a run speaks to, with what was learned of it at the beginning.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::{Answer, Application, Exit, Facts, Guard, Operation};

use super::session::spoken_to;
use crate::driver::Slot;
use crate::model::{Color, Deployment, HostName, Trouble, excerpt};
use crate::store::{Membership, Misplaced, Said, StateDirectory, StoreFault, disagreements};
use crate::transport::{Failure, Link};

/// A host with what it said of itself.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) link: Arc<dyn Link>,
    pub(crate) state: StateDirectory,
    /// What line of deployments it belongs to, as it said before any lock.
    pub(crate) membership: Option<Membership>,
    pub(crate) facts: Facts,
}

/// All hosts of a deployment.
pub(crate) type Sites = BTreeMap<HostName, Site>;

/// Everything that speaks against the home that the configuration names, among the hosts that answered. An object store is not asked here;
/// beside one, no host is a home.
pub(crate) fn misgivings(deployment: &Deployment, sites: &Sites) -> Vec<StoreFault> {
    if deployment.state.is_some() {
        let keeps = members(deployment, sites).find(|said| said.membership.is_some_and(|own| own.home));
        let elsewhere = |said: Said<'_>| {
            Misplaced::Elsewhere { home: deployment.keeper(), kept_on: said.host.clone() }.into()
        };
        return keeps.map(elsewhere).into_iter().collect();
    }
    let Some(home) = sites.get(deployment.home()) else { return Vec::new() };
    disagreements(home.said(), members(deployment, sites))
}

/// What the hosts that answered say of themselves. One that only builds has no part in what the lock is about.
pub(crate) fn members<'a>(deployment: &Deployment, sites: &'a Sites) -> impl Iterator<Item = Said<'a>> {
    let concerned = spoken_to(deployment, false);
    sites.iter().filter(move |(name, _)| concerned.contains(*name)).map(|(_, site)| site.said())
}

impl Site {
    /// What it says of itself.
    fn said(&self) -> Said<'_> {
        self.state.said(self.membership.as_ref())
    }

    /// What a change here is performed under.
    pub(crate) fn guard(&self, epoch: u64) -> Guard {
        self.state.guard(epoch)
    }

    /// The place of a colour here.
    pub(crate) fn slot<'a>(
        &self,
        deployment: &'a Deployment,
        host: &'a HostName,
        color: Color,
    ) -> Result<Slot<'a>, Trouble> {
        Slot::new(deployment, host, color, &self.facts)
            .map_err(|failure| Trouble::new("host/strange-home", format!("{host}: {failure}")))
    }

    /// Its releases, and where the colours point.
    pub(crate) async fn application(
        &self,
        directory: &str,
        patience: Duration,
    ) -> Result<Application, Failure> {
        let inspect = Operation::InspectApplication { directory: directory.to_owned() };
        let Answer::Application(found) = self.perform(None, patience, inspect).await? else {
            return Err(Failure::Nonsense("the host did not say which releases it has".into()));
        };
        Ok(found)
    }

    /// Performs one operation; a question when there is no guard, else a change.
    pub(crate) async fn perform(
        &self,
        guard: Option<Guard>,
        patience: Duration,
        operation: Operation,
    ) -> Result<Answer, Failure> {
        self.link.perform(operation.call().within(patience).under(guard)).await
    }
}

/// The last lines that a program said, for an error.
pub(crate) fn last_words(exit: &Exit, lines: usize) -> String {
    let said = if exit.errors.0.iter().all(u8::is_ascii_whitespace) { &exit.out } else { &exit.errors };
    let said = said.to_text();
    let kept: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    excerpt(kept[kept.len().saturating_sub(lines)..].join("\n"))
}
