//! Hosts that are left out: nobody may get an answer from what is not the new release there.

use std::time::Duration;

use cutover_host::operation::{Answer, Operation};
use tokio::time::timeout;

use crate::model::{Color, HostName, Plan, Trouble};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::world::performer::{Performer, Result, host_failure};
use crate::run::world::site::Site;

/// For a connection from a router to an instance.
const CONNECT: Duration = Duration::from_secs(2);

/// For the router's host to say what became of it.
const ANSWER: Duration = Duration::from_secs(5);

impl Performer {
    /// Stops the new colour on a host that is left out, and keeps a reboot from bringing it up: what runs there is another release, or a
    /// sick one, and a router may know its address from long ago. Where the host can't be reached, no router may reach that address
    /// either; a router that is no host can't be asked.
    pub(crate) async fn silence(&self, plan: &Plan, host: &HostName, color: Color) -> Result<Performed> {
        // Whatever it was left out for: what has the traffic is not stopped.
        self.require_unrouted(plan, color).await?;
        let silenced = async {
            self.at_boot(host, color, false).await?;
            self.stop(host, color).await
        };
        let Err(unreached) = silenced.await else {
            return Ok(Performed::done(Summary::Text(format!("{color} stopped on {host}"))));
        };
        for router in &self.deployment.router.names {
            if let Some(site) = self.sites.get(router)
                && self.answers(router, site, host, color).await?
            {
                let message = format!(
                    "{host} can't be left out: its {color} answers {router}, and can't be stopped ({})",
                    unreached.trouble.first_line()
                );
                return Err(Trouble::new("exclude/answers", message)
                    .hint("stop it there, or mend the way to the host, then deploy again")
                    .into());
            }
        }
        Ok(Performed::done(Summary::Text(format!("no router reaches {host}"))))
    }

    /// Whether a router's host gets a connection to an instance.
    async fn answers(&self, router: &HostName, site: &Site, host: &HostName, color: Color) -> Result<bool> {
        let port = self.deployment.application.color(color).port;
        let name = self.deployment.hosts.get(host).map(|host| host.address.clone()).unwrap_or_default();
        let addresses = match site.perform(None, ANSWER, Operation::Resolve { name }).await {
            Ok(Answer::Names(addresses)) => addresses,
            // A name that the router can't resolve leads nowhere.
            Ok(_) | Err(crate::transport::Failure::Fault(_)) => Vec::new(),
            Err(failure) => return Err(host_failure(router, &failure)),
        };
        for address in addresses {
            let connect_ms = u32::try_from(CONNECT.as_millis()).unwrap_or(u32::MAX);
            let operation = Operation::Relay { address, port, connect_ms: connect_ms.into() };
            let flow =
                site.link.open(operation.call()).await.map_err(|failure| host_failure(router, &failure))?;
            // A connection that is made stays open until one side closes it.
            if !matches!(timeout(ANSWER, flow.answer).await, Ok(Ok(Err(crate::transport::Failure::Fault(_)))))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
