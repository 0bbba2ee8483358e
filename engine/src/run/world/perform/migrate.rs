//! The migration: once, detached, its result kept on the host, so that a lost answer is asked for and never leads to a second run.

use std::time::Duration;

use cutover_host::operation::{Answer, Detached, Operation};

use super::process::renewal;
use crate::model::{Color, End, HostName, Note, Plan, ReleaseId, Trouble};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::world::performer::{Performer, Result, driver_failure, host_failure};
use crate::run::world::site::last_words;
use crate::transport::Failure;

/// How long one question waits on the host.
const WAIT: Duration = Duration::from_secs(5);

impl Performer {
    /// Runs the migration from the new release, in its environment.
    pub(crate) async fn migrate(
        &self,
        plan: &Plan,
        host: &HostName,
        color: Color,
        release: &ReleaseId,
    ) -> Result<Performed> {
        let Some(command) = &self.deployment.application.migrate else {
            return Err(
                Trouble::new("migrate/none", "`app.migrate` is not in the configuration any more").into()
            );
        };
        let site = self.site(host)?;
        let slot = site.slot(&self.deployment, host, color)?;
        let guard = site.guard(self.lock.epoch());
        let launch = renewal(site, &slot, &guard, plan, release).words().await;
        let launch = launch.map_err(|failure| driver_failure(host, &failure))?;
        let operation = Operation::Begin {
            state: site.state.path().to_owned(),
            operation: operation_id(plan),
            program: slot.program(release, &launch, command),
        };
        let begun = site.perform(Some(guard), WAIT * 4, operation).await;
        let answer = begun.map_err(|failure| host_failure(host, &failure))?;
        self.follow(plan, host, answer, &command.join(" ")).await
    }

    /// Asks what became of the migration.
    pub(crate) async fn ask_migration(&self, plan: &Plan, host: &HostName) -> Result<Performed> {
        let answer = self.outcome(plan, host, Duration::ZERO).await?;
        let command = self.deployment.application.migrate.clone().unwrap_or_default().join(" ");
        self.follow(plan, host, answer, &command).await
    }

    async fn outcome(&self, plan: &Plan, host: &HostName, wait: Duration) -> Result<Answer> {
        let site = self.site(host)?;
        let operation = Operation::Outcome {
            state: site.state.path().to_owned(),
            operation: operation_id(plan),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        };
        let answer = site.perform(None, wait + WAIT, operation).await;
        answer.map_err(|failure| host_failure(host, &failure))
    }

    async fn follow(
        &self,
        plan: &Plan,
        host: &HostName,
        mut answer: Answer,
        command: &str,
    ) -> Result<Performed> {
        loop {
            let Answer::Operation(found) = answer else {
                let failure = Failure::Nonsense("the host did not say what became of the migration".into());
                return Err(host_failure(host, &failure));
            };
            return Ok(match found {
                Detached::Running => {
                    answer = self.outcome(plan, host, WAIT).await?;
                    continue;
                }
                Detached::Ended(exit) if exit.status == 0 => Performed::done(Summary::Text(command.to_owned())),
                Detached::Ended(exit) => {
                    let message = format!("{host}: `{command}` ended with status {}", exit.status);
                    let trouble = Trouble::new("migrate/failed", message);
                    Performed::failed(trouble).with(vec![Note::new(format!("{host} says"), last_words(&exit, 5))])
                }
                Detached::NeverBegan => {
                    Performed { end: End::NeverBegan, ..Performed::done(Summary::Nothing) }
                }
                Detached::Lost => Performed::failed(
                    Trouble::new("migrate/lost", format!("{host} went down in the middle of `{command}`"))
                        .hint("look at the database: the migration is neither known to have run nor to have not"),
                ),
            });
        }
    }
}

fn operation_id(plan: &Plan) -> String {
    format!("{}-migrate", plan.deployment)
}
