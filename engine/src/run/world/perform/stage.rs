//! Bringing a release to a host.

use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::Operation;

use crate::model::{Color, EventKind, HostName, Plan, Step, Transfer, Trouble};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::world::performer::{Performer, Result, host_failure};
use crate::transport::{self, Stand};

/// For asking, and for making a whole release durable (fsync of 100,000 files).
const PATIENCE: Duration = Duration::from_mins(10);

impl Performer {
    /// Brings the release to a host, whole or not at all. Makes room first: of what failed before, the newest alone is left.
    pub(crate) async fn stage(&self, plan: &Plan, host: &HostName) -> Result<Performed> {
        let site = self.site(host)?;
        // What can't be removed now is tried again at the end, and told then.
        let _ = self.prune_releases(plan, host).await;
        let directory = site.slot(&self.deployment, host, Color::Blue)?.directory().to_owned();
        let release = &plan.release;
        let Some(made) = &self.made else {
            return self.require_staged(plan, host, &directory).await;
        };
        let (reporter, place) = (self.reporter.clone(), host.to_string());
        let progress = Arc::new(move |transfer: Transfer| {
            reporter.tell(EventKind::StepProgress {
                step: Step::Stage,
                place: Some(place.clone()),
                text: String::new(),
                transfer: Some(transfer),
            });
        });
        let link = site.link.as_ref();
        let stand = Stand {
            directory: &directory,
            release: release.id.as_str(),
            token: &plan.deployment,
            twin: made.twin_on(host),
        };
        let staged = transport::stage(link, stand, &made.artifact, progress).await;
        let staging = staged.map_err(|failure| host_failure(host, &failure))?;
        let application = &self.deployment.application;
        let record = serde_json::to_string(release)
            .map_err(|error| Trouble::new("internal/record", format!("release record: {error}")))?;
        let finish = Operation::StageFinish {
            directory,
            release: release.id.to_string(),
            token: plan.deployment.clone(),
            record,
            linked_dirs: application.linked_dirs.clone(),
            linked_files: application.linked_files.clone(),
        };
        let finished = site.perform(Some(site.guard(self.lock.epoch())), PATIENCE, finish).await;
        finished.map_err(|failure| host_failure(host, &failure))?;
        let sent = Transfer { done: staging.received_bytes, total: staging.total_bytes };
        Ok(Performed::done(Summary::Sent(sent)))
    }

    async fn require_staged(&self, plan: &Plan, host: &HostName, directory: &str) -> Result<Performed> {
        let site = self.site(host)?;
        let found = site.application(directory, PATIENCE).await;
        let found = found.map_err(|failure| host_failure(host, &failure))?;
        let release = &plan.release;
        match found.releases.iter().find(|staged| staged.id == release.id.as_str()) {
            Some(staged) if staged.digest == release.digest => {
                Ok(Performed::done(Summary::Text("there already".into())))
            }
            Some(_) => {
                let message =
                    format!("{host}: release {} there has another digest than its record says", release.id);
                Err(Trouble::new("stage/digest", message).into())
            }
            None => {
                let message = format!("{host}: release {} is not there", release.id);
                Err(Trouble::new("stage/missing", message)
                    .hint("`cutover deploy` builds and stages it anew")
                    .into())
            }
        }
    }

    /// Removes what an unfinished staging left.
    pub(crate) async fn remove_partial(&self, host: &HostName) -> Result<Performed> {
        let site = self.site(host)?;
        let directory = site.slot(&self.deployment, host, Color::Blue)?.directory().to_owned();
        let remove = Operation::RemovePartials { directory };
        let removed = site.perform(Some(site.guard(self.lock.epoch())), PATIENCE, remove).await;
        removed.map_err(|failure| host_failure(host, &failure))?;
        Ok(Performed::done(Summary::Nothing))
    }
}
