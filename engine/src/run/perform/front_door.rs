//! The front door: proof of the switch, asked as users ask.

use std::time::Duration;

use tokio::time::{Instant as Moment, sleep};

use super::super::performed::{Performed, Summary};
use super::super::performer::{Performer, Result};
use super::super::probe::{Proof, judge};
use crate::model::{Color, FrontDoor, Plan, Release, ReleaseId, Trouble};

/// Right answers in a row, each on a fresh connection: one good answer proves nothing (6,048 old ones were measured after one).
const IN_A_ROW: u64 = 20;

/// For the answers to become right after a router has said that it is so.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between a wrong answer and the next question.
const ASK_AGAIN: Duration = Duration::from_millis(100);

impl Performer {
    /// Proves that the colour answers at every front door.
    pub(in super::super) async fn prove(
        &self,
        plan: &Plan,
        color: Color,
        release: &ReleaseId,
    ) -> Result<Performed> {
        let doors = &self.deployment.router.front_doors;
        if doors.is_empty() {
            return Ok(Performed::done(Summary::Text(format!(
                "{} → {color}; not proven: no front door",
                plan.live.as_ref().map_or_else(|| "nothing".to_owned(), |(old, _)| old.to_string())
            ))));
        }
        // On the way back another release is asked for than the plan's own.
        let wanted = match &self.live {
            Some(record) if record.live.release.id == *release => &record.live.release,
            _ => &plan.release,
        };
        let mut all_proven = true;
        for door in doors {
            let deadline = Moment::now() + PATIENCE;
            let mut in_a_row = 0;
            while in_a_row < IN_A_ROW {
                match self.probe(door, color, wanted).await {
                    Ok(proof) => {
                        in_a_row += 1;
                        all_proven &= proof == Proof::Proven;
                    }
                    Err(reason) if Moment::now() >= deadline => {
                        let message = format!("front door {}: {reason}", door.url);
                        return Err(Trouble::new("switch/front-door", message).into());
                    }
                    Err(_) => {
                        in_a_row = 0;
                        sleep(ASK_AGAIN).await;
                    }
                }
            }
        }
        let total = IN_A_ROW * doors.len() as u64;
        let says = if all_proven {
            format!("{total} of {total} probes say {}", wanted.number)
        } else {
            format!("{total} of {total} probes answer; not proven: no release marker")
        };
        let from = plan.live.as_ref().map_or_else(|| "nothing".to_owned(), |(old, _)| old.to_string());
        let text = if color == plan.color { format!("{from} → {color}; {says}") } else { says };
        Ok(Performed::done(Summary::Text(text)))
    }

    /// Asks one front door once.
    pub(in super::super) async fn probe(
        &self,
        door: &FrontDoor,
        color: Color,
        release: &Release,
    ) -> std::result::Result<Proof, String> {
        let via = match &door.via {
            Some(host) => {
                Some(self.sites.get(host).ok_or_else(|| format!("`{host}` is no host"))?.link.clone())
            }
            None => None,
        };
        let answer = self.hooks.fetch(&door.url, via).await?;
        judge(
            &answer,
            door.body.as_deref(),
            self.deployment.application.release_marker.as_ref(),
            color,
            release,
        )
    }
}
