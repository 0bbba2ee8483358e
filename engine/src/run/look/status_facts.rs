//! What `status` and `doctor` go by: all that home, hosts, routers and front doors say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_host::operation::Lock;
use futures_util::future::join_all;
use tokio::time::sleep;

use super::status::shares;
use crate::model::view::{Behind, FrontDoorStatus, Unfinished};
use crate::model::{
    Color, Deployment, Health, HistoryEntry, HookCall, HostName, LiveRecord, LiveRelease, Maintenance,
    Observation, Outcome, Progress, Record, Release, ReleaseId, Timestamp, never_live, ways_on,
};
use crate::run::execute::moment::is_alive;
use crate::run::world::asked::Asked;
use crate::run::world::front_doors::FrontDoors;
use crate::run::world::hooks::Hooks;
use crate::run::world::host_sight::HostSight;
use crate::run::world::lease::{Gone, at_step, gone, is_dead};
use crate::run::world::observe::{all_app_hosts, observing_call};
use crate::run::world::performer::instances;
use crate::run::world::probe::{Probe, Proof, judge};
use crate::run::world::session::Setting;
use crate::store::HomeState;

/// How long a router may take to settle before that is worth telling: for 5 s after a reload of nginx, nobody can tell whether it is done.
const SETTLING: Duration = Duration::from_secs(7);

/// Between two looks at a router that has not settled.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Everything that was found out. What could not be is an error in words; nothing of it keeps the rest from being shown.
#[derive(Debug, Clone, Default)]
pub struct StatusFacts {
    /// When.
    pub asked: Timestamp,
    /// What the home's record says is live, and the history, oldest first. None before the first deployment, and when it is not known.
    pub record: Option<(LiveRecord, Vec<HistoryEntry>)>,
    /// Why the home's record is not known.
    pub record_problem: Option<String>,
    /// The lock.
    pub lock: Option<Result<Lock, String>>,
    /// Why the lock's holder is not at work any more.
    pub holder_gone: Option<Gone>,
    /// A deployment without an end.
    pub unfinished: Option<Unfinished>,
    /// Application hosts.
    pub hosts: BTreeMap<HostName, Result<HostSight, String>>,
    /// One health check of each instance that runs: whether it passed, and what it said.
    pub health: BTreeMap<(HostName, Color), (bool, String)>,
    /// Releases that never went live.
    pub never_live: BTreeSet<ReleaseId>,
    /// Routers, in configuration order.
    pub routers: Vec<(HostName, Result<Observation, String>)>,
    /// Front doors, in configuration order.
    pub front_doors: Vec<FrontDoorStatus>,
    /// Distance from the branch.
    pub behind: Option<Behind>,
    /// Age that the live release may have.
    pub max_age: Option<Duration>,
}

/// Asks home, hosts, routers and front doors.
pub(super) async fn look_around(setting: &Setting) -> StatusFacts {
    let deployment = Arc::clone(&setting.deployment);
    let (pool, http, reporter) = (&setting.hooks, Arc::clone(&setting.http), setting.reporter.clone());
    let loading = Hooks::load_to_look(&deployment, pool, http, Arc::clone(&setting.secrets), reporter);
    let (asked, mut hooks) = tokio::join!(Asked::all(setting, false), loading);
    hooks.reach(&asked.sites);
    let home = asked.home(&deployment);
    let state: Result<HomeState<Record>, String> = match &home {
        Ok(home) => home.read_all().await.map_err(|fault| fault.to_string()),
        Err(trouble) => Err(trouble.message.clone()),
    };
    let mut facts = StatusFacts { asked: setting.reporter.now(), ..StatusFacts::default() };
    let (mut live, mut planned) = (None, None);
    match state {
        Ok(state) => {
            (facts.unfinished, planned) = unfinished(&state).unzip();
            facts.lock = Some(Ok(at_step(state.lock, state.open.as_ref())));
            live.clone_from(&state.live);
            facts.never_live = never_live(&state.history, live.as_ref());
            facts.record = state.live.map(|record| (record, state.history));
        }
        Err(reason) => {
            // The lock may be readable where something else is not.
            let lock = match &home {
                Ok(home) => home.read_lock().await.map_err(|fault| fault.to_string()),
                Err(trouble) => Err(trouble.message.clone()),
            };
            facts.lock = Some(lock);
            facts.record_problem = Some(reason);
        }
    }
    if let (Some(Ok(lock)), Ok(home)) = (&facts.lock, &home) {
        let now = home.now().await.unwrap_or(facts.asked);
        facts.holder_gone = gone(lock, now, is_dead_here(setting, lock));
    }
    look_at_hosts(&deployment, &asked, &hooks, live.as_ref(), &mut facts).await;
    let call = observing_call(&deployment, live.as_ref());
    // Whoever is at work moves it, and waits for it.
    let patience = if is_held(facts.lock.as_ref()) { Duration::ZERO } else { SETTLING };
    let routers = deployment
        .router
        .names
        .iter()
        .map(async |router| (router.clone(), look_at_router(&hooks, &call, router, patience).await));
    facts.routers = join_all(routers).await;
    let doors = FrontDoors { deployment: &deployment, sites: &asked.sites, hooks: &hooks };
    // Who is at work may just be moving the traffic, and where it is shared either colour answers: each of the two is right.
    let at_work = facts.holder_gone.is_none() && is_held(facts.lock.as_ref());
    let planned = planned.filter(|_| at_work || shares(&facts.routers).is_some());
    let moves = |unfinished: &Unfinished| at_work && Maintenance::of(&unfinished.command).is_some();
    let moves = facts.unfinished.as_ref().is_some_and(moves);
    let rests = live.as_ref().is_some_and(|record| record.maintenance.is_some());
    let closed = live.as_ref().filter(|_| rests || moves).map(|record| record.live.clone());
    let recorded = live.map(|record| (record.live.color, record.live.release));
    let open = recorded.into_iter().chain(planned).filter(|_| !rests || moves);
    let expected = Expected { open: open.collect(), closed };
    facts.front_doors = front_doors(doors, &expected).await;
    facts
}

fn is_held(lock: Option<&Result<Lock, String>>) -> bool {
    lock.is_some_and(|lock| lock.as_ref().is_ok_and(|lock| lock.holder.is_some()))
}

/// Whether the holder of a lock was a process of this place that is gone.
pub(super) fn is_dead_here(setting: &Setting, lock: &Lock) -> bool {
    let place = setting.operator.place.as_deref();
    lock.holder.as_ref().is_some_and(|holder| is_dead(holder, place, is_alive))
}

/// What a router shows, when it has settled; or what it shows at last, when it does not.
async fn look_at_router(
    hooks: &Hooks,
    call: &HookCall,
    router: &HostName,
    patience: Duration,
) -> Result<Observation, String> {
    let deadline = Instant::now() + patience;
    loop {
        let seen = hooks.observe(call, router).await.map_err(|failure| failure.trouble.message)?;
        if seen.settled || Instant::now() >= deadline {
            return Ok(seen);
        }
        sleep(LOOK_AGAIN).await;
    }
}

async fn look_at_hosts(
    deployment: &Deployment,
    asked: &Asked,
    hooks: &Hooks,
    live: Option<&LiveRecord>,
    facts: &mut StatusFacts,
) {
    let looks = all_app_hosts(deployment).into_iter().map(async |host| {
        let sight = match (asked.sites.get(&host), asked.silent.get(&host)) {
            (Some(site), _) => HostSight::look(site.link.as_ref(), deployment, &host, &site.facts).await,
            (None, Some(trouble)) => Err(trouble.message.clone()),
            (None, None) => Err("it is no host of this configuration".to_owned()),
        };
        (host, sight)
    });
    facts.hosts = join_all(looks).await.into_iter().collect();
    let running = Color::ALL.iter().flat_map(|color| instances(deployment, live, *color, &BTreeSet::new())).filter(
        |instance| matches!(facts.hosts.get(&instance.host), Some(Ok(sight)) if sight.is_running(instance.color)),
    );
    let asks = running.map(async |instance| {
        let call = observing_call(deployment, live);
        let call = HookCall { instances: vec![instance.clone()], ..call };
        let began = Instant::now();
        let said = match hooks.check_health(&call, &instance).await {
            Ok(Health::Healthy(_)) => (true, format!("ok, {} ms", began.elapsed().as_millis())),
            Ok(Health::Starting(reason) | Health::Unhealthy(reason)) => (false, reason),
            Err(failure) => (false, failure.trouble.message),
        };
        ((instance.host, instance.color), said)
    });
    facts.health = join_all(asks).await.into_iter().collect();
}

/// The deployment that has not ended, and what it puts where.
fn unfinished(state: &HomeState<Record>) -> Option<(Unfinished, (Color, Release))> {
    let journal = state.open.as_ref()?;
    let progress = Progress::replay(journal.entries()).ok()?;
    if progress.outcome().is_some_and(|outcome| outcome != Outcome::Stuck) {
        return None;
    }
    let Some(Record::Planned { plan, origin }) = journal.entries().next() else { return None };
    let step = journal.entries().rev().find_map(|record| record.step(plan)).map(|step| step.to_string());
    let unfinished = Unfinished {
        deployment: plan.deployment.clone(),
        command: plan.command.clone(),
        who: origin.who.clone(),
        since: plan.made,
        step: step.unwrap_or_else(|| "lock".to_owned()),
        color: plan.color,
        release: plan.release.number,
        ways: ways_on(&progress).to_owned(),
    };
    Some((unfinished, (plan.color, plan.release.clone())))
}

/// What a front door may say: any of it is right. Where it is nothing, so is everything.
struct Expected {
    /// Answers of these.
    open: Vec<(Color, Release)>,
    /// Any that is not of this.
    closed: Option<LiveRelease>,
}

/// What the front doors say where their names lead: what each router says by itself is the router's business.
async fn front_doors(asking: FrontDoors<'_>, expected: &Expected) -> Vec<FrontDoorStatus> {
    let asks = asking.deployment.router.front_doors.iter().map(async |door| {
        let probe = Probe { door, router: None, required: true };
        let (url, answer) = (door.url.clone(), asking.fetch(&probe).await);
        let mut wrong = None;
        if let Some(live) = &expected.closed {
            match asking.closed(&probe, &answer, live) {
                Ok(shown) => {
                    return FrontDoorStatus { url, ok: true, says: format!("gives {shown}: in maintenance") };
                }
                Err(reason) => wrong = Some(reason),
            }
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => return FrontDoorStatus { url, ok: false, says: failure.to_string() },
        };
        let marker = asking.deployment.application.release_marker.as_ref();
        for (color, release) in &expected.open {
            let says = match judge(&answer, door.body.as_deref(), marker, *color, release, None) {
                Ok(Proof::Proven) => format!("says release {}", release.number),
                Ok(Proof::Answered) => format!("answers {} (no release marker)", answer.status),
                Err(reason) => {
                    wrong.get_or_insert(reason.reason);
                    continue;
                }
            };
            return FrontDoorStatus { url, ok: true, says };
        }
        let says = wrong.clone().unwrap_or_else(|| format!("answers {}", answer.status));
        FrontDoorStatus { url, ok: wrong.is_none(), says }
    });
    join_all(asks).await
}
