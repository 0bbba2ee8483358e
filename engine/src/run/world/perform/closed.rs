//! The front door in maintenance: proof that nobody gets to the application.

use tokio::time::{Instant as Moment, sleep};

use super::front_door::IN_A_ROW;
use crate::model::{LiveRelease, Plan, Trouble};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::world::front_doors::{ASK_AGAIN, PATIENCE};
use crate::run::world::performer::{Performer, Result};
use crate::run::world::probe::{Probe, probes};

impl Performer {
    /// Proves at every front door that no request gets to the application.
    pub(crate) async fn prove_closed(&self, plan: &Plan) -> Result<Performed> {
        let from = plan.live.as_ref().map_or_else(|| "nothing".to_owned(), |(old, _)| old.to_string());
        let what =
            if self.deployment.has_turns() { String::new() } else { format!("{from} → no colour; ") };
        let probes = probes(&self.deployment);
        let Some(live) = self.live.as_ref().map(|record| &record.live).filter(|_| !probes.is_empty()) else {
            let text = format!("{what}not proven: no front door");
            return Ok(Performed::done(Summary::Text(text)));
        };
        let (mut asked, mut shown) = (0, Vec::new());
        for probe in &probes {
            let said = self.prove_closed_at(probe, live).await?;
            asked += IN_A_ROW;
            if !shown.contains(&said) {
                shown.push(said);
            }
        }
        let what =
            if self.deployment.has_turns() { String::new() } else { format!("{from} → no colour; ") };
        let text = format!("{what}{asked} of {asked} probes get {}", shown.join(", "));
        Ok(Performed::done(Summary::Text(text)))
    }

    /// Asks until so many answers in a row are none of the application's; what was answered last.
    async fn prove_closed_at(&self, probe: &Probe<'_>, live: &LiveRelease) -> Result<String> {
        let deadline = Moment::now() + PATIENCE;
        let (mut in_a_row, mut last) = (0, String::new());
        while in_a_row < IN_A_ROW {
            match self.front_doors().ask_closed(probe, live).await {
                Ok(shown) => (in_a_row, last) = (in_a_row + 1, shown),
                Err(reason) if Moment::now() >= deadline => {
                    let trouble = Trouble::new("switch/front-door", format!("{probe}: {reason}"));
                    return Err(trouble.hint(ELSEWHERE).into());
                }
                Err(_) => {
                    in_a_row = 0;
                    sleep(ASK_AGAIN).await;
                }
            }
        }
        Ok(last)
    }
}

/// What to look at where the routers send nothing, and something answers all the same.
const ELSEWHERE: &str = "does this URL lead past the routers? A page of your own that answers so is told from the application by `app.release-marker`";
