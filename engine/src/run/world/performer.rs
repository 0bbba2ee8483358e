//! Does actions in the real world: the other side of [`World`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_host::operation::{Fault, FaultKind};
use tokio::sync::watch;

use super::claim::told_apart;
use super::hooks::Hooks;
use super::lease::Lease;
use super::made::Made;
use super::observe::all_app_hosts;
use super::session::Session;
use super::site::{Site, Sites};
use super::switching::Switching;
use super::turns::{AtTurn, Round, Turns};
use crate::driver::DriverFailure;
use crate::model::{
    Action, Color, Deployment, End, HookCall, HookRelease, HostName, Instance, LiveRecord, Note,
    Placeholders, Plan, Record, Release, ReleaseId, ReleaseMarker, Routing, Step, Trouble, never_live,
};
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::performed::{Performed, Summary};
use crate::run::execute::reporter::Reporter;
use crate::run::execute::runner::{Way, World};
use crate::secret::{SecretFault, Secrets};
use crate::store::{HeldLock, Home, HomeState, StoreFault};
use crate::transport::{Failure, reach_action};

/// Does actions on hosts, through hooks, and at the home.
pub(crate) struct Performer {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) sites: Sites,
    /// Hosts that could not be reached when the run began, with why.
    pub(crate) silent: BTreeMap<HostName, Trouble>,
    pub(crate) hooks: Hooks,
    pub(crate) home: Home,
    pub(crate) lock: HeldLock,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) reporter: Reporter,
    /// Our turns at routers that others change too.
    pub(crate) turns: Turns,
    /// What this run has moved routers to.
    pub(crate) moved: Mutex<BTreeMap<HostName, Routing>>,
    /// What this run has seen of the switch that is under way.
    pub(crate) switching: Mutex<Switching>,
    /// Hosts that have no part in the new colour.
    pub(crate) excluded: Mutex<BTreeSet<HostName>>,
    /// What is staged; none for a release that is on the hosts.
    pub(crate) made: Option<Made>,
    pub(crate) interrupts: watch::Receiver<Interrupts>,
    /// Record of what was live when the run took the lock.
    pub(crate) live: Option<LiveRecord>,
    /// Releases that never had traffic, as the history told then.
    pub(crate) never_live: BTreeSet<ReleaseId>,
}

impl World for Performer {
    async fn perform(&self, plan: &Plan, action: &Action, way: Way) -> Performed {
        let mut round = Round::default();
        match AtTurn::of(action) {
            AtTurn::Needs(patience) => match self.reporter.for_lock(self.turns.take(patience)).await {
                Ok(taken) => round = taken,
                Err(busy) => return without_turn(action, way, busy),
            },
            AtTurn::Keeps => {}
            AtTurn::Ends => self.reporter.for_lock(self.turns.let_go()).await,
        }
        reach_action(action);
        let result = match action {
            Action::Stage { host, .. } => self.stage(plan, host).await,
            Action::RemovePartial { host } => self.remove_partial(host).await,
            Action::Migrate { host, color, release } => self.migrate(plan, host, *color, release).await,
            Action::Clear { host, color } | Action::Stop { host, color } => self.stop(host, *color).await,
            Action::Configure { host, color, release } => self.configure(plan, host, *color, release).await,
            Action::Renew { host, release } => self.renew(plan, host, release).await,
            Action::Revert { host, release } => self.revert(plan, host, release).await,
            Action::Point { host, color, release } => {
                self.point(host, color.as_str(), release.as_ref()).await
            }
            Action::Start { host, color, release } => self.start(plan, host, *color, release, way).await,
            Action::AwaitHealthy { host, color, release } => {
                self.await_healthy(plan, host, *color, release).await
            }
            Action::Silence { host, color } => self.silence(plan, host, *color).await,
            Action::Smoke { test, color, hosts, .. } => self.smoke(plan, test, *color, hosts).await,
            Action::Enable { host, color } => self.at_boot(host, *color, true).await,
            Action::Disable { host, color } => self.disable(plan, host, *color, way).await,
            Action::Prepare { router, want } => self.prepare(plan, router, want, round).await,
            Action::Discard { router } => self.discard(plan, router, way).await,
            Action::Switch { router, want } => self.switch(plan, router, want, way, round).await,
            Action::Prove { color, release, weight } => self.prove(plan, *color, release, *weight).await,
            Action::ProveClosed => self.prove_closed(plan).await,
            Action::Watch { color, weight, .. } => self.watch(plan, *color, *weight).await,
            Action::RequireHealthy { color } => self.require_healthy(plan, *color).await,
            Action::RequireOthers { color, hosts } => self.require_others(plan, *color, hosts).await,
            Action::RequireUnrouted { color, hosts } => self.require_unrouted(plan, *color, hosts, way).await,
            Action::Drain { color, hosts } => self.drain(plan, *color, hosts, way).await,
            Action::RecordLive { color, .. } => self.record_live(plan, *color).await,
            Action::RecordMaintenance => self.record_maintenance().await,
            Action::SetCurrent { host, release } => self.point(host, "current", Some(release)).await,
            Action::Prune { host } => self.prune(plan, host).await,
        };
        let performed = self.judged(action, result.unwrap_or_else(Performed::from)).await;
        performed.masked(self.secrets.redactor())
    }

    async fn ask(&self, plan: &Plan, action: &Action) -> Performed {
        let Action::Migrate { host, .. } = action else {
            let message = format!("`{action}` can't be asked about");
            return Performed::failed(Trouble::new("internal/ask", message));
        };
        let performed = self.ask_migration(plan, host).await.unwrap_or_else(Performed::from);
        performed.masked(self.secrets.redactor())
    }

    fn leave_out(&self, hosts: BTreeSet<HostName>) {
        if let Ok(mut excluded) = self.excluded.lock() {
            *excluded = hosts;
        }
    }

    fn wait(&self, step: Step, action: &Action) -> Option<Duration> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "few steps wait")]
        match step {
            Step::Health => Some(self.deployment.health_check.deadline),
            Step::Watch => match action {
                Action::Watch { weight, .. } => Some(self.deployment.pipeline.watch_at(*weight)),
                _ => None,
            },
            Step::Drain | Step::Out => Some(self.deployment.pipeline.drain_timeout),
            _ => None,
        }
    }

    fn turns(&self) -> Vec<HostName> {
        if self.deployment.has_turns() { all_app_hosts(&self.deployment) } else { Vec::new() }
    }
}

/// What becomes of an action that changes a router while another application keeps the turn there.
#[expect(clippy::wildcard_enum_match_arm, reason = "all else fails as it would by itself")]
fn without_turn(action: &Action, way: Way, busy: Trouble) -> Performed {
    match action {
        // It has no effect on traffic, and what is prepared next replaces it.
        Action::Discard { router, .. } if way == Way::Back => {
            let text = format!("what was prepared may still be there: {}", busy.message);
            Performed::done(Summary::Nothing).with(vec![Note::new(router.to_string(), text)])
        }
        // Traffic has to go back, so this is tried again.
        Action::Switch { .. } if way == Way::Back => {
            Performed { end: End::Unknown(busy), ..Performed::done(Summary::Nothing) }
        }
        _ => Performed::failed(busy),
    }
}

/// Why an action has no result; what it means for the journal.
#[derive(Debug)]
pub(crate) struct Unperformed {
    pub(crate) trouble: Trouble,
    pub(crate) unknown: bool,
    pub(crate) details: Vec<Note>,
}

impl From<Unperformed> for Performed {
    fn from(unperformed: Unperformed) -> Self {
        let end = if unperformed.unknown {
            End::Unknown(unperformed.trouble)
        } else {
            End::Failed(unperformed.trouble)
        };
        Self { end, summary: Summary::Nothing, details: unperformed.details, switched: None }
    }
}

impl From<Trouble> for Unperformed {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, unknown: false, details: Vec::new() }
    }
}

/// What an action comes to.
pub(crate) type Result<T, E = Unperformed> = std::result::Result<T, E>;

/// Code of the error that a host's fence holds another epoch than ours.
const FENCED: &str = "host/fenced";

/// An answer that a host did not give, as an error of the host.
pub(crate) fn host_failure(host: &HostName, failure: &Failure) -> Unperformed {
    let code = match failure {
        Failure::Fault(Fault { kind: FaultKind::Fenced, .. }) => FENCED,
        Failure::Fault(_) => "host/refused",
        Failure::Unreachable(_) => "host/unreachable",
        Failure::Untrusted(_) => "host/untrusted",
        Failure::Broken(_) => "host/broken",
        Failure::Nonsense(_) => "host/nonsense",
    };
    let trouble = match failure {
        // Their words name the host.
        Failure::Unreachable(_) | Failure::Untrusted(_) => {
            let fault = StoreFault::new(host, failure.clone());
            Trouble { code: code.to_owned(), message: fault.to_string(), hint: fault.hint() }
        }
        Failure::Fault(_) | Failure::Broken(_) | Failure::Nonsense(_) => {
            Trouble::new(code, format!("{host}: {failure}"))
        }
    };
    Unperformed { trouble, unknown: failure.is_unknown(), details: Vec::new() }
}

/// What a driver did not do, as an error of the host.
pub(crate) fn driver_failure(host: &HostName, failure: &DriverFailure) -> Unperformed {
    if let DriverFailure::Host(
        refused @ (Failure::Fault(Fault { kind: FaultKind::Fenced, .. }) | Failure::Untrusted(_)),
    ) = failure
    {
        return host_failure(host, refused);
    }
    let mut trouble = Trouble::new("driver/failed", format!("{host}: {failure}"));
    trouble.hint = failure.hint().map(str::to_owned);
    Unperformed { trouble, unknown: failure.is_unknown(), details: Vec::new() }
}

/// A secret that can't be had.
pub(crate) fn secret_trouble(fault: &SecretFault) -> Trouble {
    Trouble { hint: fault.hint(), ..Trouble::new(fault.code(), fault.to_string()) }
}

/// What the home did not keep.
pub(crate) fn store_fault(fault: &StoreFault) -> Unperformed {
    let trouble = Trouble { code: fault.code().to_owned(), message: fault.to_string(), hint: fault.hint() };
    Unperformed { trouble, unknown: false, details: Vec::new() }
}

impl Performer {
    /// For a plan under our lock. `made` is what is staged, `state` that of the home when the lock was taken.
    pub(crate) fn new(
        session: &Session,
        lease: &Lease,
        plan: &Plan,
        made: Option<Made>,
        state: &HomeState<Record>,
    ) -> Self {
        Self {
            deployment: Arc::clone(&session.deployment),
            sites: session.sites.clone(),
            silent: session.excluded.clone(),
            hooks: session.hooks.clone(),
            home: session.home.clone(),
            lock: lease.lock().clone(),
            secrets: session.secrets.clone(),
            reporter: session.reporter.clone(),
            turns: Turns::new(session, &plan.command, &plan.deployment),
            moved: Mutex::default(),
            switching: Mutex::default(),
            excluded: Mutex::default(),
            made,
            interrupts: session.interrupts.clone(),
            live: state.live.clone(),
            never_live: never_live(&state.history, state.live.as_ref()),
        }
    }

    /// What became of an action; where a fence refused it, whether someone took over, or the host only claims so.
    async fn judged(&self, action: &Action, performed: Performed) -> Performed {
        let End::Failed(trouble) = &performed.end else { return performed };
        if trouble.code != FENCED {
            return performed;
        }
        let host = action.host().unwrap_or_else(|| self.home.directory().host()).clone();
        let fault = StoreFault::Fenced { host, message: trouble.message.clone() };
        let fault = told_apart(&self.home, &self.lock, fault).await;
        Performed { end: End::Failed(store_fault(&fault).trouble), ..performed }
    }

    /// The host of that name.
    pub(crate) fn site(&self, host: &HostName) -> Result<&Site> {
        let unknown = || Trouble::new("host/unknown", format!("`{host}` is no host of this configuration"));
        let missing = || self.silent.get(host).cloned().unwrap_or_else(unknown);
        Ok(self.sites.get(host).ok_or_else(missing)?)
    }

    /// What a question to a hook is about.
    pub(crate) fn call(
        &self,
        plan: &Plan,
        release: &Release,
        instances: Vec<Instance>,
        attempt: u32,
    ) -> HookCall {
        hook_call(
            &self.deployment,
            &plan.deployment,
            release,
            self.live.as_ref(),
            plan.color,
            instances,
            attempt,
        )
    }

    /// Instances of one colour, as a router is told of them: those are labelled that were left out when the colour was filled. A host that
    /// is left out now may have the old one all the same. Where hosts have turns, what routers are asked for says who is out.
    pub(crate) fn instances(&self, plan: &Plan, color: Color) -> Vec<Instance> {
        let filled = color == plan.color && !plan.is_rolling();
        let excluded = self.excluded().into_iter().chain(plan.excluded.iter().cloned());
        instances(&self.deployment, self.live.as_ref(), color, &excluded.filter(|_| filled).collect())
    }

    /// Those of them that get requests when their colour has the traffic: their health counts. Who is left out now serves as the old
    /// colour all the same.
    pub(crate) fn serving(&self, plan: &Plan, color: Color) -> Vec<Instance> {
        let mut instances = self.instances(plan, color);
        instances.retain(|instance| !is_left_out(instance));
        instances
    }

    /// Hosts that have no part in the new colour.
    pub(crate) fn excluded(&self) -> BTreeSet<HostName> {
        self.excluded.lock().map(|excluded| excluded.clone()).unwrap_or_default()
    }
}

/// Label of an instance that gets no requests: its host was left out when its colour was filled.
const LEFT_OUT: &str = "left-out";

fn is_left_out(instance: &Instance) -> bool {
    instance.labels.iter().any(|(key, _)| key == LEFT_OUT)
}

/// Instances of one colour: where they listen, and how others reach them. Labelled are those on hosts that are left out now, or were when
/// what is live was deployed.
pub(crate) fn instances(
    deployment: &Deployment,
    live: Option<&LiveRecord>,
    color: Color,
    excluded: &BTreeSet<HostName>,
) -> Vec<Instance> {
    let then = live.map(|record| &record.live).filter(|live| live.color == color);
    let is_out = |host| excluded.contains(host) || then.is_some_and(|live| live.excluded.contains(host));
    let hosts = deployment.color_hosts(color).iter();
    hosts
        .map(|host| {
            // Neither listening address nor port depends on release or directory.
            let placeholders = Placeholders::new(deployment, host, color, "", "");
            Instance {
                host: host.clone(),
                color,
                listen: placeholders.listen().to_owned(),
                address: deployment.hosts.get(host).map(|host| host.address.clone()).unwrap_or_default(),
                port: deployment.application.color(color).port,
                labels: if is_out(host) { vec![(LEFT_OUT.to_owned(), "yes".to_owned())] } else { Vec::new() },
            }
        })
        .collect()
}

/// What a question to a hook is about.
pub(crate) fn hook_call(
    deployment: &Deployment,
    id: &str,
    release: &Release,
    live: Option<&LiveRecord>,
    color: Color,
    instances: Vec<Instance>,
    attempt: u32,
) -> HookCall {
    let mut facts = Vec::new();
    if let Some(environment) = &deployment.environment {
        facts.push(("environment".to_owned(), environment.to_string()));
    }
    match &deployment.application.release_marker {
        Some(ReleaseMarker::Header(name)) => facts.push(("marker-header".to_owned(), name.clone())),
        Some(ReleaseMarker::Json(pointer)) => facts.push(("marker-json".to_owned(), pointer.clone())),
        None => {}
    }
    HookCall {
        deployment: id.to_owned(),
        app: deployment.app.to_string(),
        release: HookRelease::from(release),
        previous: live.map(|record| HookRelease::from(&record.live.release)),
        color,
        attempt,
        instances,
        facts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_changed_is_told_as_one_whoever_met_it() {
        let host = HostName::new("web1").expect("a name");
        let untrusted = Failure::Untrusted("the key of host `web1` has changed".to_owned());
        let met = driver_failure(&host, &DriverFailure::Host(untrusted.clone()));
        assert_eq!(met.trouble.code, "host/untrusted");
        assert_eq!(met.trouble, host_failure(&host, &untrusted).trouble);
        let broken = driver_failure(&host, &DriverFailure::Host(Failure::Broken("gone".to_owned())));
        assert_eq!((broken.trouble.code.as_str(), broken.unknown), ("driver/failed", true));
    }
}
