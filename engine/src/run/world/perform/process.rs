//! Processes, their environment and their links.

use std::time::Duration;

use cutover_host::operation::{Guard, Operation};
use futures_util::future::try_join_all;

use crate::driver::{self, DriverFailure, InstanceState, Launch, Renewal, Slot};
use crate::model::{Action, Color, HostName, Plan, ReleaseId, Trouble};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::execute::runner::Way;
use crate::run::world::performer::{Performer, Result, driver_failure, host_failure, secret_trouble};
use crate::run::world::site::Site;
use crate::secret::environment;

/// For writing a small file or link.
const SHORT: Duration = Duration::from_secs(20);

impl Performer {
    /// Writes environment and launch of a release, 0600: of both colours where the host has both, since a rollback may fill the other one.
    /// What runs already keeps the environment that it was started with, and what the release is started by so far stays its own.
    ///
    /// A rollback starts a release as it was deployed, so it leaves what is there. Only where the colour listens elsewhere now is the
    /// environment written anew, which has ports and addresses filled in.
    pub(crate) async fn configure(
        &self,
        plan: &Plan,
        host: &HostName,
        color: Color,
        release: &ReleaseId,
    ) -> Result<Performed> {
        let (site, slot, guard) = self.place(host, color)?;
        let mut writes = Vec::new();
        if plan.command == "rollback" {
            let now = Launch::configured(&slot);
            let kept = Launch::kept(site.link.as_ref(), &slot, release).await;
            match kept.map_err(|failure| driver_failure(host, &failure))? {
                Some(kept) if kept.listens_as(&now) => {}
                Some(kept) => {
                    let launch = kept.with_environment_of(&now);
                    writes.extend(self.configuration(plan, host, color, release, launch).await?);
                }
                None => writes.extend(self.configuration(plan, host, color, release, now).await?),
            }
        } else {
            let configured = self.colors(host).map(async |color| {
                let launch = Launch::configured(&self.place(host, color)?.1);
                self.configuration(plan, host, color, release, launch).await
            });
            writes = try_join_all(configured).await?.concat();
        }
        let write = async |operation| {
            let done = site.perform(Some(guard.clone()), SHORT, operation).await;
            done.map(drop).map_err(|failure| host_failure(host, &failure))
        };
        for operation in slot.directories() {
            write(operation).await?;
        }
        // Each waits for the disk, and none for another.
        try_join_all(writes.into_iter().map(write)).await?;
        Ok(Performed::done(Summary::Nothing))
    }

    /// From now on a release starts by what was written for this deployment, in either colour.
    pub(in super::super) async fn renew(
        &self,
        plan: &Plan,
        host: &HostName,
        release: &ReleaseId,
    ) -> Result<Performed> {
        self.exchange(plan, host, release, async |words| words.take().await).await
    }

    /// A release starts by what it started by before this deployment.
    pub(in super::super) async fn revert(
        &self,
        plan: &Plan,
        host: &HostName,
        release: &ReleaseId,
    ) -> Result<Performed> {
        self.exchange(plan, host, release, async |words| words.put_back().await).await
    }

    async fn exchange(
        &self,
        plan: &Plan,
        host: &HostName,
        release: &ReleaseId,
        change: impl AsyncFn(Renewal<'_>) -> std::result::Result<(), DriverFailure>,
    ) -> Result<Performed> {
        let changed = self.colors(host).map(async |color| {
            let (site, slot, guard) = self.place(host, color)?;
            let done = change(renewal(site, &slot, &guard, plan, release)).await;
            done.map_err(|failure| driver_failure(host, &failure))
        });
        try_join_all(changed).await?;
        Ok(Performed::done(Summary::Nothing))
    }

    /// Colours that a host has.
    fn colors(&self, host: &HostName) -> impl Iterator<Item = Color> {
        Color::ALL.into_iter().filter(|color| self.deployment.color_hosts(*color).contains(host))
    }

    /// The writes of one release's environment, as `cutover.toml` has it, and of its launch.
    async fn configuration(
        &self,
        plan: &Plan,
        host: &HostName,
        color: Color,
        release: &ReleaseId,
        launch: Launch,
    ) -> Result<[Operation; 2]> {
        let (site, slot, guard) = self.place(host, color)?;
        let placeholders = slot.placeholders(release.as_str());
        let found = self.secrets.get_all(self.deployment.environment_secrets(color)).await;
        let found = found.map_err(|fault| secret_trouble(&fault))?;
        let content = environment(&self.deployment, color, release, &placeholders, &found)
            .map_err(|fault| Trouble::new("config/environment", format!("{host}: {fault}")))?;
        let writes = renewal(site, &slot, &guard, plan, release).writes(launch, content).await;
        writes.map_err(|failure| driver_failure(host, &failure))
    }

    /// Points `current`, `blue` or `green` to a release, or removes the link.
    pub(crate) async fn point(
        &self,
        host: &HostName,
        link: &str,
        release: Option<&ReleaseId>,
    ) -> Result<Performed> {
        let site = self.site(host)?;
        let slot = site.slot(&self.deployment, host, Color::Blue)?;
        let path = format!("{}/{link}", slot.directory());
        let operation = match release {
            Some(release) => {
                Operation::WriteLink { path, beneath: None, target: format!("releases/{release}") }
            }
            None => Operation::Remove { path, beneath: None },
        };
        let done = site.perform(Some(site.guard(self.lock.epoch())), SHORT, operation).await;
        done.map_err(|failure| host_failure(host, &failure))?;
        Ok(Performed::done(Summary::Nothing))
    }

    /// Starts a release in a colour; on the way back, one that was warm there, which is called so only when it answers.
    pub(crate) async fn start(
        &self,
        plan: &Plan,
        host: &HostName,
        color: Color,
        release: &ReleaseId,
        way: Way,
    ) -> Result<Performed> {
        let (site, slot, guard) = self.place(host, color)?;
        let started = driver::start(site.link.as_ref(), Some(&guard), &slot, release).await;
        started.map_err(|failure| driver_failure(host, &failure))?;
        let port = self.deployment.application.color(color).port;
        if way != Way::Back {
            let what = if plan.is_rolling() {
                format!("release {}", plan.release.number)
            } else {
                color.to_string()
            };
            return Ok(Performed::done(Summary::Text(format!("{what} on :{port}"))));
        }
        let known = self.known_release(release);
        if plan.is_rolling() {
            // Whether it answers is awaited before it is let in.
            let text = format!("release {} again on {host}", known.number);
            return Ok(Performed::done(Summary::Text(text)));
        }
        let name = match known.number {
            0 => "what was warm".to_owned(),
            number => format!("release {number}"),
        };
        Ok(Performed::done(match self.await_warm(plan, host, color, &known).await? {
            None => Summary::Text(format!("{name} warm again on :{port}")),
            Some(wrong) => {
                let wrong = wrong.lines().next().unwrap_or_default();
                Summary::Warning(format!("{host}: {name} started again on :{port}, not yet healthy: {wrong}"))
            }
        }))
    }

    /// Stops what runs in a colour.
    pub(crate) async fn stop(&self, host: &HostName, color: Color) -> Result<Performed> {
        let (site, slot, guard) = self.place(host, color)?;
        let stopped = driver::stop(site.link.as_ref(), Some(&guard), &slot).await;
        stopped.map_err(|failure| driver_failure(host, &failure))?;
        Ok(Performed::done(Summary::Nothing))
    }

    /// Makes a reboot bring a colour up, or leave it down.
    pub(crate) async fn at_boot(&self, host: &HostName, color: Color, up: bool) -> Result<Performed> {
        let (site, slot, guard) = self.place(host, color)?;
        let link = site.link.as_ref();
        let done = if up {
            driver::enable(link, Some(&guard), &slot).await
        } else {
            driver::disable(link, Some(&guard), &slot).await
        };
        done.map_err(|failure| driver_failure(host, &failure))?;
        Ok(Performed::done(Summary::Nothing))
    }

    /// Makes a reboot leave a colour down. After the pivot, what is left warm is looked at: it is called so only if it runs.
    pub(crate) async fn disable(
        &self,
        plan: &Plan,
        host: &HostName,
        color: Color,
        way: Way,
    ) -> Result<Performed> {
        let done = self.at_boot(host, color, false).await?;
        if way != Way::Retire
            || plan.retire_tasks().any(|(_, task)| matches!(task.action, Action::Stop { .. }))
        {
            return Ok(done);
        }
        let (site, slot, _) = self.place(host, color)?;
        let what = self.deployment.called(color);
        Ok(match driver::state(site.link.as_ref(), &slot).await {
            Ok(InstanceState::Stopped) => {
                done.saying(Summary::Warning(format!("{host}: {what} does not run any more")))
            }
            Ok(InstanceState::Failed { why, .. }) => {
                done.saying(Summary::Warning(format!("{host}: {what} ended by itself: {why}")))
            }
            // What can't be seen is not told of: nothing depends on it.
            Ok(InstanceState::Running { .. }) | Err(_) => done,
        })
    }

    /// Where a process of one colour is changed, and under what.
    fn place<'a>(&'a self, host: &'a HostName, color: Color) -> Result<(&'a Site, Slot<'a>, Guard)> {
        let site = self.site(host)?;
        let slot = site.slot(&self.deployment, host, color)?;
        Ok((site, slot, site.guard(self.lock.epoch())))
    }
}

/// The plan's words for a release in a slot.
pub(super) fn renewal<'a>(
    site: &'a Site,
    slot: &'a Slot<'a>,
    guard: &'a Guard,
    plan: &'a Plan,
    release: &'a ReleaseId,
) -> Renewal<'a> {
    Renewal { link: site.link.as_ref(), guard, slot, release, deployment: &plan.deployment }
}
