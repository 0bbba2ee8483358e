//! Records and pruning.

use std::collections::BTreeSet;
use std::time::Duration;

use cutover_host::operation::{Application, Operation};
use futures_util::future::try_join_all;

use crate::driver;
use crate::model::{Color, HostName, LiveRecord, LiveRelease, Outcome, Plan, ReleaseId, Trouble};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::world::afterwards::Afterwards;
use crate::run::world::performer::{Performer, Result, driver_failure, host_failure, store_fault};

const PATIENCE: Duration = Duration::from_mins(5);

/// Of the releases that never had traffic, so many are kept: the newest, for another try by `deploy --release`.
const KEPT_FAILED: usize = 1;

/// Results of operations of ended deployments that a host keeps, for people to look at.
const KEPT_OPERATIONS: usize = 20;

impl Performer {
    /// What a person wants to know at the end. `moved`: somebody else has moved a router meanwhile.
    pub(crate) async fn afterwards(&self, plan: &Plan, outcome: Outcome, moved: bool) -> Afterwards {
        let mut seen = Afterwards::default();
        match outcome {
            Outcome::RolledBack | Outcome::NothingChanged if plan.live.is_some() => {
                (seen.old, seen.warm) = tokio::join!(self.old_health(plan), self.warm_health(plan));
            }
            Outcome::Stuck => seen.routers = self.shown_by_routers(plan).await,
            Outcome::RolledBack | Outcome::NothingChanged | Outcome::Deployed | Outcome::Unfinished => {}
        }
        if outcome == Outcome::RolledBack && moved {
            seen.routers = self.shown_by_routers(plan).await;
        }
        seen
    }

    /// Records at the home what is live.
    pub(crate) async fn record_live(&self, plan: &Plan, color: Color) -> Result<Performed> {
        let now = self.home.live().await.map_err(|fault| store_fault(&fault))?;
        let maintenance =
            now.as_ref().and_then(|record| record.maintenance).filter(|_| plan.target().is_none());
        if let Some(record) = &now
            && record.live.color == color
            && record.live.release.id == plan.release.id
        {
            if record.maintenance != maintenance {
                self.set_live(record.clone().in_maintenance(maintenance)).await?;
            }
            return Ok(Performed::done(Summary::Nothing));
        }
        let live = LiveRelease {
            color,
            release: plan.release.clone(),
            since: self.reporter.now(),
            excluded: self.excluded().into_iter().collect(),
        };
        self.set_live(LiveRecord::following(now, live, maintenance)).await?;
        Ok(Performed::done(Summary::Nothing))
    }

    /// Records at the home that what is live gets no requests.
    pub(crate) async fn record_maintenance(&self) -> Result<Performed> {
        let now = self.home.live().await.map_err(|fault| store_fault(&fault))?;
        let nothing = || Trouble::new("maintenance/nothing-live", "the record says that nothing is live");
        let record = now.ok_or_else(nothing)?;
        if record.maintenance.is_none() {
            self.set_live(record.in_maintenance(Some(self.reporter.now()))).await?;
        }
        Ok(Performed::done(Summary::Nothing))
    }

    async fn set_live(&self, wanted: LiveRecord) -> Result<()> {
        let set = self.home.set_live(&self.lock, wanted).await;
        set.map(drop).map_err(|fault| store_fault(&fault))
    }

    /// Removes what a host needs no more: releases beyond those to keep, what cut-off stagings and removals left, and the results of
    /// operations of deployments before this one. Those are over: no deployment begins while another is open.
    pub(crate) async fn prune(&self, plan: &Plan, host: &HostName) -> Result<Performed> {
        let site = self.site(host)?;
        let directory = site.slot(&self.deployment, host, Color::Blue)?.directory().to_owned();
        self.prune_releases(plan, host).await?;
        let guard = Some(site.guard(self.lock.epoch()));
        let forget = Operation::ForgetOperations {
            state: site.state.path().to_owned(),
            spare: plan.deployment.clone(),
            newest: KEPT_OPERATIONS,
        };
        // What a removal leaves for moments is such a leftover too.
        for operation in [forget, Operation::RemovePartials { directory }] {
            let done = site.perform(guard.clone(), PATIENCE, operation).await;
            done.map_err(|failure| host_failure(host, &failure))?;
        }
        Ok(Performed::done(Summary::Nothing))
    }

    /// Removes releases beyond those to keep, with their logs, and words by which none that stays is started. Not while this deployment has
    /// words of its own that are no release's yet: before it writes any, or after its end.
    pub(super) async fn prune_releases(&self, plan: &Plan, host: &HostName) -> Result<()> {
        let site = self.site(host)?;
        let slots = [
            site.slot(&self.deployment, host, Color::Blue)?,
            site.slot(&self.deployment, host, Color::Green)?,
        ];
        let directory = slots[0].directory().to_owned();
        let found = site.application(&directory, PATIENCE).await;
        let found = found.map_err(|failure| host_failure(host, &failure))?;
        let mut needed: BTreeSet<String> = BTreeSet::from([plan.release.id.to_string()]);
        needed.extend(plan.live.iter().filter_map(|(_, id)| id.as_ref()).map(ToString::to_string));
        let record = self.live.iter().flat_map(|live| std::iter::once(&live.live).chain(&live.previous));
        needed.extend(record.map(|live| live.release.id.to_string()));
        let guard = Some(site.guard(self.lock.epoch()));
        let mut at_once = Vec::new();
        let keep = self.deployment.application.keep_releases;
        let mut kept: BTreeSet<ReleaseId> =
            found.releases.iter().filter_map(|staged| ReleaseId::parse(&staged.id)).collect();
        for id in prunable(&found, &needed, &self.never_live, keep) {
            let directory = directory.clone();
            kept.remove(&id);
            at_once.push(Operation::RemoveRelease { directory, release: id.to_string() });
            at_once.extend(slots.iter().flat_map(|slot| slot.forget_logs(&id)));
        }
        let spare = driver::spare_launches(site.link.as_ref(), &slots, &kept).await;
        at_once.extend(spare.map_err(|failure| driver_failure(host, &failure))?);
        let remove = async |operation| {
            let done = site.perform(guard.clone(), PATIENCE, operation).await;
            done.map(drop).map_err(|failure| host_failure(host, &failure))
        };
        // Each waits for the disk, and none for another.
        try_join_all(at_once.into_iter().map(remove)).await.map(drop)
    }
}

/// Releases to remove, never one that is needed or that a link points to: of those that never had traffic all but the newest, whatever
/// `keep` says, so that failed deployments push out nothing that a rollback could go to; of the others the oldest beyond `keep`.
fn prunable(
    found: &Application,
    needed: &BTreeSet<String>,
    never_live: &BTreeSet<ReleaseId>,
    keep: usize,
) -> Vec<ReleaseId> {
    let links = [&found.current, &found.blue, &found.green];
    let linked = |id: &String| links.iter().any(|link| link.as_ref() == Some(id));
    let ids = found.releases.iter().filter_map(|staged| ReleaseId::parse(&staged.id));
    let (failed, others): (Vec<ReleaseId>, Vec<ReleaseId>) = ids.partition(|id| never_live.contains(id));
    let beyond = |ids: Vec<ReleaseId>, keep: usize| {
        let excess = ids.len().saturating_sub(keep);
        let is_free = |id: &ReleaseId| !needed.contains(id.as_str()) && !linked(&id.to_string());
        ids.into_iter().filter(is_free).take(excess).collect::<Vec<_>>()
    };
    [beyond(failed, KEPT_FAILED), beyond(others, keep)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_host::operation::StagedRelease;

    #[test]
    fn what_is_needed_is_never_pruned() {
        let staged = |id: &str| StagedRelease { id: id.into(), digest: String::new(), record: String::new() };
        let found = Application {
            exists: true,
            releases: ["r1", "r2", "r3", "r4", "r5"].map(staged).to_vec(),
            current: Some("r5".into()),
            blue: Some("r1".into()),
            green: Some("r5".into()),
            ..Application::default()
        };
        let pruned = |needed: &[&str], keep| {
            let needed = needed.iter().map(ToString::to_string).collect();
            let pruned = prunable(&found, &needed, &BTreeSet::new(), keep);
            pruned.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(pruned(&["r5"], 3), ["r2", "r3"]);
        assert_eq!(pruned(&["r5", "r2"], 3), ["r3", "r4"]);
        assert_eq!(pruned(&["r5"], 1), ["r2", "r3", "r4"]);
        assert_eq!(pruned(&["r5"], 5), Vec::<String>::new());
    }

    #[test]
    fn what_never_had_traffic_pushes_out_nothing() {
        let staged = |number: u32| StagedRelease {
            id: format!("r{number}"),
            digest: String::new(),
            record: String::new(),
        };
        let found = Application {
            exists: true,
            releases: (1..=9).map(staged).collect(),
            current: Some("r9".into()),
            blue: Some("r4".into()),
            green: Some("r9".into()),
            ..Application::default()
        };
        let needed = BTreeSet::from(["r9".to_owned()]);
        let id = |number: u32| ReleaseId::parse(&format!("r{number}")).expect("an identifier");
        let pruned = |failed: &[u32], keep| {
            let failed = failed.iter().map(|number| id(*number)).collect();
            let pruned = prunable(&found, &needed, &failed, keep);
            pruned.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(pruned(&[3, 5, 6, 7, 8], 5), ["r3", "r5", "r6", "r7"]);
        assert_eq!(pruned(&[3, 5, 6, 7, 8], 3), ["r3", "r5", "r6", "r7", "r1"]);
        // One that a link points to stays, and counts.
        assert_eq!(pruned(&[2, 4], 9), ["r2"]);
        assert_eq!(pruned(&[8], 9), Vec::<String>::new());
    }
}
