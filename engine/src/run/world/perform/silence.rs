//! Hosts that are left out: nobody may get an answer from what is not the new release there.

use super::reach::Reach;
use crate::model::{Color, HostName, Plan, Trouble};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::execute::runner::Way;
use crate::run::world::performer::{Performer, Result};

impl Performer {
    /// Stops the new colour on a host that is left out, and keeps a reboot from bringing it up: what runs there is another release, or a
    /// sick one, and a router may know its address from long ago. Where the host can't be reached, no router may reach that address
    /// either, as far as routers can be asked: one that is no host can't.
    pub(crate) async fn silence(&self, plan: &Plan, host: &HostName, color: Color) -> Result<Performed> {
        // Whatever it was left out for: what has the traffic is not stopped.
        self.require_unrouted(plan, color, &[], Way::There).await?;
        let silenced = async {
            self.at_boot(host, color, false).await?;
            self.stop(host, color).await
        };
        let Err(unreached) = silenced.await else {
            return Ok(Performed::done(Summary::Text(format!("{color} stopped on {host}"))));
        };
        let text = match self.reach(host, color).await? {
            Reach::Answers(router) => {
                let message = format!(
                    "{host} can't be left out: its {color} answers {router}, and can't be stopped ({})",
                    unreached.trouble.first_line()
                );
                return Err(Trouble::new("exclude/answers", message)
                    .hint("stop it there, or mend the way to the host, then deploy again")
                    .into());
            }
            Reach::Nothing => format!("no router reaches {host}"),
            Reach::Unasked(router) => format!("{host} is not there; {router} can't be asked, and was told"),
        };
        Ok(Performed::done(Summary::Text(text)))
    }
}
