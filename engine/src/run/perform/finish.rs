//! Records and pruning.

use std::collections::BTreeSet;
use std::time::Duration;

use cutover_host::operation::{Application, Operation};
use futures_util::future::try_join_all;

use super::super::ending::Afterwards;
use super::super::performed::{Performed, Summary};
use super::super::performer::{Performer, Result, host_failure, store_fault};
use crate::model::{Color, HostName, LiveRelease, Outcome, Plan, ReleaseId};

const PATIENCE: Duration = Duration::from_mins(5);

/// Results of operations of ended deployments that a host keeps, for people to look at.
const KEPT_OPERATIONS: usize = 20;

impl Performer {
    /// What a person wants to know at the end.
    pub(in super::super) async fn afterwards(&self, plan: &Plan, outcome: Outcome) -> Afterwards {
        let mut seen = Afterwards::default();
        match outcome {
            Outcome::RolledBack | Outcome::NothingChanged if plan.live.is_some() => {
                seen.old = self.old_health(plan).await;
            }
            Outcome::Stuck => seen.routers = self.shown_by_routers(plan).await,
            Outcome::RolledBack | Outcome::NothingChanged | Outcome::Deployed | Outcome::Unfinished => {}
        }
        seen
    }

    /// Records at the home what is live.
    pub(in super::super) async fn record_live(&self, plan: &Plan, color: Color) -> Result<Performed> {
        let now = self.home.live().await.map_err(|fault| store_fault(&fault))?;
        if let Some(record) = &now
            && record.live.color == color
            && record.live.release.id == plan.release.id
        {
            return Ok(Performed::done(Summary::Nothing));
        }
        let live = LiveRelease {
            color,
            release: plan.release.clone(),
            since: self.reporter.now(),
            excluded: self.excluded().into_iter().collect(),
        };
        let (generation, previous) = now.map_or((0, None), |record| (record.generation, Some(record.live)));
        let set = self.home.set_live(&self.lock, generation, live, previous).await;
        set.map_err(|fault| store_fault(&fault))?;
        Ok(Performed::done(Summary::Nothing))
    }

    /// Removes what a host needs no more: releases beyond those to keep, what cut-off stagings and removals left, and the results of
    /// operations of deployments before this one. Those are over: no deployment begins while another is open.
    pub(in super::super) async fn prune(&self, plan: &Plan, host: &HostName) -> Result<Performed> {
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
        let mut at_once = vec![Operation::ForgetOperations {
            state: site.state.path().to_owned(),
            spare: plan.deployment.clone(),
            newest: KEPT_OPERATIONS,
        }];
        for id in prunable(&found, &needed, self.deployment.application.keep_releases) {
            let directory = directory.clone();
            at_once.push(Operation::RemoveRelease { directory, release: id.to_string() });
            at_once.extend(slots.iter().flat_map(|slot| slot.forget(&id)));
        }
        let remove = async |operation| {
            let done = site.perform(guard.clone(), PATIENCE, operation).await;
            done.map(drop).map_err(|failure| host_failure(host, &failure))
        };
        // Each waits for the disk, and none for another.
        try_join_all(at_once.into_iter().map(remove)).await?;
        // What a removal leaves for moments is such a leftover too.
        remove(Operation::RemovePartials { directory }).await?;
        Ok(Performed::done(Summary::Nothing))
    }
}

/// Releases to remove: the oldest beyond `keep`, never one that is needed or that a link points to.
fn prunable(found: &Application, needed: &BTreeSet<String>, keep: usize) -> Vec<ReleaseId> {
    let links = [&found.current, &found.blue, &found.green];
    let linked = |id: &String| links.iter().any(|link| link.as_ref() == Some(id));
    let excess = found.releases.len().saturating_sub(keep);
    let removable =
        found.releases.iter().filter(|staged| !needed.contains(&staged.id) && !linked(&staged.id));
    removable.take(excess).filter_map(|staged| ReleaseId::parse(&staged.id)).collect()
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
            prunable(&found, &needed, keep).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(pruned(&["r5"], 3), ["r2", "r3"]);
        assert_eq!(pruned(&["r5", "r2"], 3), ["r3", "r4"]);
        assert_eq!(pruned(&["r5"], 1), ["r2", "r3", "r4"]);
        assert_eq!(pruned(&["r5"], 5), Vec::<String>::new());
    }
}
