//! Processes, their environment and their links.

use std::time::Duration;

use cutover_host::operation::{Guard, Operation};

use super::super::performed::{Performed, Summary};
use super::super::performer::{Performer, Result, driver_failure, host_failure};
use super::super::runner::Way;
use super::super::site::Site;
use crate::driver::{self, Slot};
use crate::model::{Action, Color, Deployment, EnvValue, HostName, Name, Plan, ReleaseId, Task, Trouble};
use crate::secret::environment;

/// For writing a small file or link.
const SHORT: Duration = Duration::from_secs(20);

impl Performer {
    /// Writes the environment of one release in one colour, 0600. What runs already keeps the one that
    /// it was started with.
    pub(in super::super) async fn configure(
        &self,
        host: &HostName,
        color: Color,
        release: &ReleaseId,
    ) -> Result<Performed> {
        let site = self.site(host)?;
        let slot = site.slot(&self.deployment, host, color)?;
        let placeholders = slot.placeholders(release.as_str());
        let found = self.secrets.get_all(secrets_of(&self.deployment, color)).await.map_err(|fault| {
            let trouble = Trouble::new(fault.code(), fault.to_string());
            Trouble { hint: fault.hint(), ..trouble }
        })?;
        let content = environment(&self.deployment, color, release, &placeholders, &found)
            .map_err(|fault| Trouble::new("config/environment", format!("{host}: {fault}")))?;
        let guard = Some(site.guard(self.lock.epoch()));
        let write = Operation::Write {
            path: slot.env_file(release),
            beneath: None,
            content: content.into(),
            mode: Some(0o600),
        };
        for operation in slot.directories().into_iter().chain([write]) {
            let done = site.perform(guard.clone(), SHORT, operation).await;
            done.map_err(|failure| host_failure(host, &failure))?;
        }
        Ok(Performed::done(Summary::Nothing))
    }

    /// Points `current`, `blue` or `green` to a release, or removes the link.
    pub(in super::super) async fn point(
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

    /// Starts a release in a colour; on the way back, one that was warm there.
    pub(in super::super) async fn start(
        &self,
        host: &HostName,
        color: Color,
        release: &ReleaseId,
        way: Way,
    ) -> Result<Performed> {
        let (site, slot, guard) = self.place(host, color)?;
        let started = driver::start(site.link.as_ref(), Some(&guard), &slot, release).await;
        started.map_err(|failure| driver_failure(host, &failure))?;
        let port = self.deployment.application.color(color).port;
        let previous = self.live.as_ref().and_then(|record| record.previous.as_ref());
        let known = previous.map(|live| &live.release).filter(|known| known.id == *release);
        Ok(Performed::done(Summary::Text(match (way, known) {
            (Way::Back, Some(known)) => format!("release {} warm again on :{port}", known.number),
            (Way::Back, None) => format!("what was warm runs again on :{port}"),
            (Way::There | Way::Retire, _) => format!("{color} on :{port}"),
        })))
    }

    /// Stops what was left running in the idle colour: only if no router was moved to it since the plan was made, which may be as long
    /// ago as a migration takes.
    pub(in super::super) async fn clear(
        &self,
        plan: &Plan,
        host: &HostName,
        color: Color,
    ) -> Result<Performed> {
        let clears = |task: &Task| matches!(&task.action, Action::Clear { host: other, .. } if other == host);
        let mut tasks = plan.stages.iter().flat_map(|stage| &stage.tasks);
        // What ran when the plan was made is what the undo starts again.
        if tasks.any(|task| clears(task) && !task.undo.is_empty()) {
            self.require_unrouted(plan, color).await?;
        }
        self.stop(host, color).await
    }

    /// Stops what runs in a colour.
    pub(in super::super) async fn stop(&self, host: &HostName, color: Color) -> Result<Performed> {
        let (site, slot, guard) = self.place(host, color)?;
        let stopped = driver::stop(site.link.as_ref(), Some(&guard), &slot).await;
        stopped.map_err(|failure| driver_failure(host, &failure))?;
        Ok(Performed::done(Summary::Nothing))
    }

    /// Makes a reboot bring a colour up, or leave it down.
    pub(in super::super) async fn at_boot(
        &self,
        host: &HostName,
        color: Color,
        up: bool,
    ) -> Result<Performed> {
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

    /// Where a process of one colour is changed, and under what.
    fn place<'a>(&'a self, host: &'a HostName, color: Color) -> Result<(&'a Site, Slot<'a>, Guard)> {
        let site = self.site(host)?;
        let slot = site.slot(&self.deployment, host, color)?;
        Ok((site, slot, site.guard(self.lock.epoch())))
    }
}

/// Secrets that the environment of a colour needs.
fn secrets_of(deployment: &Deployment, color: Color) -> impl Iterator<Item = &Name> {
    let application = &deployment.application;
    application.env.values().chain(application.color(color).env.values()).filter_map(|value| match value {
        EnvValue::Secret(name) => Some(name),
        EnvValue::Text(_) => None,
    })
}
