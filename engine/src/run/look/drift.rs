//! What is not as it should be, in sentences for `status` and `doctor`.

use super::status_facts::StatusFacts;
use crate::driver;
use crate::model::view::{IdleStatus, InstanceState, InstanceStatus, RouterStatus};
use crate::model::{Color, Deployment, HostName, LiveRecord, Observation, Release, ReleaseId, Routing};
use crate::run::world::host_sight::{HostSight, InstanceSight};

/// Where the world is not as it should be. While a deployment is under way that is not what the record says: what has the traffic is
/// held against what it should be, and nothing else.
pub(super) fn drift(
    deployment: &Deployment,
    facts: &StatusFacts,
    instances: &[InstanceStatus],
    routers: &[RouterStatus],
    under_way: bool,
    serving: &[Color],
) -> Vec<String> {
    let mut drift = Vec::new();
    let turns = deployment.has_turns();
    // Where hosts have one place each, that is called nothing.
    let of = |color: Color| if turns { String::new() } else { format!(" {color}") };
    let live = facts.record.as_ref().map(|(record, _)| &record.live);
    for RouterStatus { name, observation, agrees, problem } in routers {
        match (observation, problem) {
            _ if *agrees => {}
            // Nothing to hold it against.
            (Some(_), _) if facts.record_problem.is_some() || under_way => {}
            (Some(seen), _) => {
                let record = facts.record.as_ref().map(|(record, _)| record);
                drift.push(router_drift(name, seen, record, turns));
            }
            (None, problem) => {
                let problem = problem.as_deref().unwrap_or("no answer");
                drift.push(format!("router {name} could not be asked: {problem}"));
            }
        }
    }
    // What runs there may be anything.
    let silent = facts.hosts.iter().filter_map(|(host, sight)| Some((host, sight.as_ref().err()?)));
    drift.extend(silent.map(|(host, problem)| format!("{host} could not be asked: {problem}")));
    if live.is_none() && !under_way {
        return drift;
    }
    let recorded = live.into_iter().filter(|_| !under_way);
    let recorded = recorded.flat_map(|live| sights(facts, live.color).map(move |sight| (live, sight)));
    for (live, (host, sight, instance)) in recorded {
        match &instance.state {
            driver::InstanceState::Running { release: Some(release), .. } if *release != live.release.id => {
                let runs = number(sight, release);
                drift.push(format!(
                    "{host}{} runs release {runs}, not {}",
                    of(live.color),
                    live.release.number
                ));
            }
            driver::InstanceState::Running { .. } => {}
            driver::InstanceState::Stopped | driver::InstanceState::Failed { .. } => {
                drift.push(format!("{host}{} is live by the record and does not run", of(live.color)));
            }
        }
    }
    let sick = instances.iter().filter(|instance| {
        serving.contains(&instance.color)
            && instance.state == InstanceState::Sick
            && instance.up_since.is_some()
    });
    drift.extend(sick.map(|instance| {
        let said = instance.health.as_deref().unwrap_or("no answer");
        format!("{}{} is live and not healthy: {said}", instance.host, of(instance.color))
    }));
    let closed = facts.front_doors.iter().filter(|door| !door.ok);
    drift.extend(closed.map(|door| format!("front door {}: {}", door.url, door.says)));
    drift
}

fn router_drift(name: &HostName, seen: &Observation, record: Option<&LiveRecord>, turns: bool) -> String {
    let words = |routing: &Routing| if turns { routing.turns() } else { routing.to_string() };
    let shown = seen.routing.as_ref().map_or_else(|| "nothing of it".to_owned(), words);
    let recorded = match record {
        Some(record) if turns && record.maintenance.is_some() => "that none does, for maintenance".to_owned(),
        Some(_) if turns => "that all do".to_owned(),
        Some(record) if record.maintenance.is_some() => "no colour, for maintenance".to_owned(),
        Some(record) => record.live.color.to_string(),
        None => "nothing is live".to_owned(),
    };
    let unsettled = if seen.settled { "" } else { " and is not settled" };
    let shows = if turns { "shows that" } else { "shows" };
    format!("router {name} {shows} {shown}{unsettled}, the record says {recorded}")
}

fn number(sight: &HostSight, id: &ReleaseId) -> String {
    sight.release(id).map_or_else(|| id.to_string(), |release: &Release| release.number.to_string())
}

/// Only what a person would do something about, and that is not drift.
pub(super) fn warnings(
    facts: &StatusFacts,
    live: Option<Color>,
    idle: Option<&IdleStatus>,
    instances: &[InstanceStatus],
) -> Vec<String> {
    let mut warnings = Vec::new();
    // Where nothing is warm, that is how it is wanted or a reboot ago; where some are, a rollback is slower than it looks.
    if let Some(idle) = idle.filter(|idle| idle.warm > 0) {
        let cold = instances
            .iter()
            .filter(|instance| instance.color == idle.color && instance.state != InstanceState::Warm)
            .map(|instance| {
                format!("{} {} is not warm: rollback must start it first", instance.host, idle.color)
            });
        warnings.extend(cold);
    }
    let recorded = facts.record.iter().map(|(record, _)| &record.live);
    for (live, host) in recorded.flat_map(|live| live.excluded.iter().map(move |host| (live, host))) {
        let number = live.release.number;
        let text = format!(
            "{host} was left out when release {number} went live: the next deployment that reaches it brings it up to date"
        );
        warnings.push(text);
    }
    if live.is_none()
        && facts.record_problem.is_none()
        && instances.iter().any(|instance| instance.state == InstanceState::Warm)
    {
        warnings.push("processes run, and nothing is recorded as live".to_owned());
    }
    warnings
}

/// Instances of a colour on the hosts that answered.
pub(super) fn sights(
    facts: &StatusFacts,
    color: Color,
) -> impl Iterator<Item = (&HostName, &HostSight, &InstanceSight)> {
    facts.hosts.iter().filter_map(move |(host, sight)| {
        let sight = sight.as_ref().ok()?;
        Some((host, sight, sight.instance(color)?))
    })
}
