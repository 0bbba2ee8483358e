//! Whether a router gets a connection to an instance: asked of the router's own host.

use std::time::Duration;

use cutover_host::operation::{Answer, Fault, FaultKind, Operation};
use tokio::time::timeout;

use crate::model::{Color, HostName, Trouble};
use crate::run::world::performer::{Performer, Result, host_failure};
use crate::run::world::site::Site;
use crate::transport::Failure;

/// For a connection from a router to an instance.
const CONNECT: Duration = Duration::from_secs(2);

/// For the router's host to say what became of it.
const ANSWER: Duration = Duration::from_secs(5);

/// What routers find where an instance listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// This one gets a connection.
    Answers(HostName),
    /// None does: each was refused, found no way, or waited in vain.
    Nothing,
    /// None that could be asked does; this one is no host, so it could not be.
    Unasked(HostName),
}

impl Performer {
    /// What all routers find where a colour listens on a host.
    ///
    /// # Errors
    /// When a router's host can't say. That is no sign that it finds nothing.
    pub(super) async fn reach(&self, host: &HostName, color: Color) -> Result<Reach> {
        let mut reach = Reach::Nothing;
        for router in &self.deployment.router.names {
            let Some(site) = self.sites.get(router) else {
                reach = Reach::Unasked(router.clone());
                continue;
            };
            if self.connects(router, site, host, color).await? {
                return Ok(Reach::Answers(router.clone()));
            }
        }
        Ok(reach)
    }

    /// Whether a router's host gets a connection to an instance.
    async fn connects(&self, router: &HostName, site: &Site, host: &HostName, color: Color) -> Result<bool> {
        let port = self.deployment.application.color(color).port;
        let name = self.deployment.hosts.get(host).map(|host| host.address.clone()).unwrap_or_default();
        let addresses = match site.perform(None, ANSWER, Operation::Resolve { name: name.clone() }).await {
            Ok(Answer::Names(addresses)) if !addresses.is_empty() => addresses,
            // What does not resolve now may have when the router asked.
            Ok(_) => {
                let message = format!("{router} does not say what addresses `{name}` has");
                return Err(Trouble::new("host/nonsense", message).into());
            }
            Err(failure) => return Err(host_failure(router, &failure)),
        };
        for address in addresses {
            let connect_ms = u32::try_from(CONNECT.as_millis()).unwrap_or(u32::MAX);
            let operation = Operation::Relay { address, port, connect_ms: connect_ms.into() };
            let flow =
                site.link.open(operation.call()).await.map_err(|failure| host_failure(router, &failure))?;
            let said = match timeout(ANSWER, flow.answer).await {
                // A connection that is made stays open until one side closes it.
                Err(_) => return Ok(true),
                Ok(Ok(said)) => said,
                Ok(Err(_)) => Err(Failure::Broken("the answer was lost".to_owned())),
            };
            if is_connected(said).map_err(|failure| host_failure(router, &failure))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What an answer to [`Operation::Relay`] says of what listens there. Only what comes of connecting says that nothing does; that the
/// router's host may not connect, can't, or talks nonsense says nothing of it.
fn is_connected(said: Result<Answer, Failure>) -> Result<bool, Failure> {
    match said {
        Ok(_) => Ok(true),
        Err(Failure::Fault(Fault {
            kind: FaultKind::Refused | FaultKind::NoRoute | FaultKind::TimedOut,
            ..
        })) => Ok(false),
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_connection_that_failed_says_that_nothing_listens() {
        let fault = |kind| Failure::Fault(Fault::new(kind, "no"));
        assert_eq!(is_connected(Ok(Answer::Done)), Ok(true), "it was made, and closed by the other side");
        for kind in [FaultKind::Refused, FaultKind::NoRoute, FaultKind::TimedOut] {
            assert_eq!(is_connected(Err(fault(kind))), Ok(false), "{kind:?}");
        }
        for kind in [FaultKind::Permission, FaultKind::NotAllowed, FaultKind::NotFound, FaultKind::Failed] {
            assert_eq!(is_connected(Err(fault(kind))), Err(fault(kind)));
        }
        let word = || "helper gone".to_owned();
        for failure in [Failure::Broken(word()), Failure::Nonsense(word()), Failure::Unreachable(word())] {
            assert_eq!(is_connected(Err(failure.clone())), Err(failure));
        }
    }
}
