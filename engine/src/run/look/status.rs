//! `cutover status`: the record against what hosts and routers say, put together out of what was found out.

use std::collections::BTreeMap;

use cutover_host::operation::Lock;

use super::drift::{drift, sights, warnings};
use super::status_facts::StatusFacts;
use crate::driver;
use crate::model::view::{
    IdleStatus, InstanceState, InstanceStatus, LiveStatus, LockStatus, MaintenanceStatus, ReleaseState,
    ReleaseStatus, RouterStatus, StatusView,
};
use crate::model::{
    Color, Deployment, HistoryEntry, HostName, LiveRecord, Observation, Observed, Outcome, Release,
    ReleaseId, Routing, Timestamp, maintenance_begun,
};
use crate::run::world::host_sight::HostSight;
use crate::run::world::lease::time_words;

/// Puts a status together.
#[must_use]
pub fn status_view(deployment: &Deployment, facts: StatusFacts) -> StatusView {
    let live = facts.record.as_ref().map(|(record, _)| &record.live);
    let live_color = live.map(|live| live.color);
    let first = live_color.unwrap_or(Color::Blue);
    let lock = lock(&facts);
    let under_way =
        facts.unfinished.as_ref().is_some_and(|unfinished| lock.is_at_work_on(&unfinished.deployment));
    let shown = shown(&facts.routers);
    let maintenance = facts.record.as_ref().and_then(|(record, history)| maintenance(record, history));
    let traffic = if under_way || maintenance.is_some() { shown } else { shown.or(live_color) };
    let shares = shares(&facts.routers);
    let serve = |color: Color| match &shares {
        Some(shares) => shares.share(color) > 0,
        None => traffic == Some(color),
    };
    let serving: Vec<Color> = Color::ALL.into_iter().filter(|color| serve(*color)).collect();
    let mut instances = Vec::new();
    for (host, sight) in &facts.hosts {
        for color in [first, first.other()] {
            if deployment.color_hosts(color).contains(host) {
                instances.push(instance(deployment, &facts, host, color, sight, &serving));
            }
        }
    }
    let routed = live_color.filter(|_| maintenance.is_none());
    let routers: Vec<RouterStatus> =
        facts.routers.iter().map(|(name, seen)| router(name, seen.clone(), routed)).collect();
    let idle = idle(&facts, first.other(), &instances);
    StatusView {
        title: deployment.title(),
        asked: facts.asked,
        live: facts.record.as_ref().map(|(record, history)| live_status(record, history)),
        record_problem: facts.record_problem.clone(),
        maintenance,
        warnings: warnings(&facts, live_color, idle.as_ref().filter(|_| !under_way), &instances),
        drift: drift(deployment, &facts, &instances, &routers, under_way, &serving),
        too_old: too_old(&facts),
        idle,
        releases: releases(&facts),
        behind: facts.behind,
        lock,
        unfinished: facts.unfinished,
        traffic,
        shares,
        instances,
        routers,
        front_doors: facts.front_doors,
    }
}

fn live_status(record: &LiveRecord, history: &[HistoryEntry]) -> LiveStatus {
    let live = &record.live;
    let put_it_live = |entry: &&HistoryEntry| {
        entry.outcome == Outcome::Deployed
            && entry.release.as_ref().is_some_and(|release| release.id == live.release.id)
    };
    let entry = history.iter().rfind(put_it_live);
    LiveStatus {
        color: live.color,
        release: live.release.clone(),
        since: live.since,
        who: entry.map_or_else(|| "nobody remembers who".to_owned(), |entry| entry.who.clone()),
        ci: entry.and_then(|entry| entry.ci.clone()),
        excluded: live.excluded.clone(),
    }
}

/// That what is live gets no requests, where the record says so, and by whose wish.
fn maintenance(record: &LiveRecord, history: &[HistoryEntry]) -> Option<MaintenanceStatus> {
    let since = record.maintenance?;
    let entry = maintenance_begun(history);
    Some(MaintenanceStatus {
        since,
        who: entry.map_or_else(|| "nobody remembers who".to_owned(), |entry| entry.who.clone()),
        ci: entry.and_then(|entry| entry.ci.clone()),
        message: entry.and_then(|entry| entry.message.clone()),
    })
}

fn instance(
    deployment: &Deployment,
    facts: &StatusFacts,
    host: &HostName,
    color: Color,
    sight: &Result<HostSight, String>,
    serving: &[Color],
) -> InstanceStatus {
    let port = deployment.application.color(color).port;
    let found = sight.as_ref().ok().and_then(|sight| Some((sight, sight.instance(color)?)));
    let Some((sight, instance)) = found else {
        let (state, health) = (InstanceState::Unknown, sight.as_ref().err().cloned());
        return InstanceStatus {
            host: host.clone(),
            color,
            release: None,
            state,
            port,
            up_since: None,
            health,
        };
    };
    let checked = facts.health.get(&(host.clone(), color));
    let is_live = serving.contains(&color);
    let (state, up_since, said) = match &instance.state {
        driver::InstanceState::Running { since, .. } => match checked {
            Some((true, said)) if is_live => (InstanceState::Live, *since, Some(said.clone())),
            Some((true, said)) => (InstanceState::Warm, *since, Some(said.clone())),
            Some((false, said)) => (InstanceState::Sick, *since, Some(said.clone())),
            None => (InstanceState::Sick, *since, Some("not asked".to_owned())),
        },
        driver::InstanceState::Failed { why, .. } => (InstanceState::Sick, None, Some(why.clone())),
        driver::InstanceState::Stopped if instance.link.is_some() => (InstanceState::Stopped, None, None),
        driver::InstanceState::Stopped => (InstanceState::Empty, None, None),
    };
    let release = instance.release().and_then(|id| sight.release(id)).map(|release| release.number);
    InstanceStatus { host: host.clone(), color, release, state, port, up_since, health: said }
}

fn idle(facts: &StatusFacts, color: Color, instances: &[InstanceStatus]) -> Option<IdleStatus> {
    facts.record.as_ref()?;
    let of_color = || instances.iter().filter(|instance| instance.color == color);
    let release = sights(facts, color).find_map(|(_, sight, instance)| sight.release(instance.release()?));
    let warm = of_color().filter(|instance| instance.state == InstanceState::Warm).count();
    let is_used =
        of_color().any(|instance| !matches!(instance.state, InstanceState::Empty | InstanceState::Unknown));
    is_used.then(|| IdleStatus { color, release: release.cloned(), warm, instances: of_color().count() })
}

/// Releases of the hosts that answered, newest first.
fn releases(facts: &StatusFacts) -> Vec<ReleaseStatus> {
    let asked = || facts.hosts.iter().filter_map(|(host, sight)| Some((host, sight.as_ref().ok()?)));
    let mut known: BTreeMap<&ReleaseId, &Release> = BTreeMap::new();
    for release in asked().flat_map(|(_, sight)| &sight.releases) {
        known.entry(&release.id).or_insert(release);
    }
    let live = facts.record.as_ref().map(|(record, _)| &record.live.release.id);
    let runs = |id: &ReleaseId| {
        asked().flat_map(|(_, sight)| &sight.instances).any(|instance| instance.state.runs(id))
    };
    let mut releases: Vec<ReleaseStatus> = known
        .into_iter()
        .map(|(id, release)| {
            let (having, lacking) = asked().partition::<Vec<_>, _>(|(_, sight)| sight.release(id).is_some());
            let names = |hosts: Vec<(&HostName, &HostSight)>| {
                hosts.into_iter().map(|(host, _)| host.clone()).collect()
            };
            ReleaseStatus {
                release: release.clone(),
                state: match () {
                    () if live == Some(id) => ReleaseState::Live,
                    () if runs(id) => ReleaseState::Warm,
                    () if facts.never_live.contains(id) => ReleaseState::NeverLive,
                    () => ReleaseState::Kept,
                },
                hosts: names(having),
                lacking: names(lacking),
            }
        })
        .collect();
    releases.sort_by(|a, b| b.release.number.cmp(&a.release.number).then(b.release.id.cmp(&a.release.id)));
    releases
}

fn router(name: &HostName, seen: Result<Observation, String>, live: Option<Color>) -> RouterStatus {
    match seen {
        Ok(observation) => {
            let shown = observation.routing.as_ref();
            let agrees = match live {
                Some(color) => shown == Some(&Routing::all_to(color)) && observation.settled,
                None => shown.is_none_or(|routing| *routing == Routing::none()),
            };
            RouterStatus { name: name.clone(), observation: Some(observation), agrees, problem: None }
        }
        Err(problem) => {
            RouterStatus { name: name.clone(), observation: None, agrees: false, problem: Some(problem) }
        }
    }
}

/// The colour that all routers show.
fn shown(routers: &[(HostName, Result<Observation, String>)]) -> Option<Color> {
    observed(routers)?.live_color().ok().flatten()
}

/// How all routers share the requests, where they do.
pub(super) fn shares(routers: &[(HostName, Result<Observation, String>)]) -> Option<Routing> {
    observed(routers)?.shares().cloned()
}

/// What the routers show, where all of them answer.
fn observed(routers: &[(HostName, Result<Observation, String>)]) -> Option<Observed> {
    let each = routers.iter().map(|(name, seen)| Some((name.clone(), seen.as_ref().ok()?.clone())));
    Some(Observed { routers: each.collect::<Option<Vec<_>>>()?, ..Observed::default() })
}

fn lock(facts: &StatusFacts) -> LockStatus {
    match facts.lock.clone() {
        Some(Ok(Lock { holder: Some(holder), epoch, acquired_ms, step, .. })) => LockStatus::Held {
            who: holder.who,
            command: holder.command,
            deployment: holder.deployment,
            since: Timestamp(acquired_ms),
            step,
            epoch,
            gone: facts.holder_gone.map(|gone| gone.to_string()),
        },
        Some(Ok(Lock { holder: None, .. })) => LockStatus::Free,
        Some(Err(reason)) => LockStatus::Unknown { reason },
        None => LockStatus::Unknown { reason: "the home was not asked".to_owned() },
    }
}

fn too_old(facts: &StatusFacts) -> Option<String> {
    let (record, _) = facts.record.as_ref()?;
    let age = facts.asked.since(record.live.since);
    let allowed = facts.max_age.filter(|allowed| age > *allowed)?;
    let number = record.live.release.number;
    Some(format!(
        "release {number} has been live for {}, allowed are {}",
        time_words(age),
        time_words(allowed)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::driver::sample;
    use crate::model::view::{FrontDoorStatus, Unfinished};
    use crate::model::{Driver, HistoryRelease, LiveRelease};
    use crate::run::world::host_sight::InstanceSight;
    use crate::run::world::lease::Gone;
    use cutover_host::operation::LockHolder;

    const DAY: u64 = 86_400_000;

    fn release(number: u64) -> Release {
        Release::for_tests(&format!("r{number}"), number)
    }

    fn running(number: u64) -> driver::InstanceState {
        let (release, since) = (Some(release(number).id), Some(Timestamp(DAY)));
        driver::InstanceState::Running { release, since, pid: Some(7) }
    }

    /// The mock-up of the design: green 43 live, blue 42 warm on one of two hosts.
    fn facts() -> StatusFacts {
        let live = LiveRelease {
            color: Color::Green,
            release: release(43),
            since: Timestamp(DAY),
            excluded: Vec::new(),
        };
        let entry = HistoryEntry {
            deployment: "01J".into(),
            command: "deploy".into(),
            release: Some(HistoryRelease::from(&release(43))),
            color: Some(Color::Green),
            who: "ann@desk".into(),
            ci: Some("CI run 812".into()),
            message: None,
            started: Timestamp(0),
            ended: Timestamp(DAY),
            outcome: Outcome::Deployed,
            exit_code: 0,
            error: None,
            excluded: Vec::new(),
            denied: Vec::new(),
            switches: Vec::new(),
            settings: None,
        };
        let sight = |blue: driver::InstanceState| HostSight {
            releases: vec![release(42), release(43)],
            instances: vec![
                InstanceSight { color: Color::Blue, link: Some(release(42).id), state: blue },
                InstanceSight { color: Color::Green, link: Some(release(43).id), state: running(43) },
            ],
        };
        let hosts = [
            (sample::name("web1"), Ok(sight(running(42)))),
            (sample::name("web2"), Ok(sight(driver::InstanceState::Stopped))),
        ];
        let healthy = |host, color| ((sample::name(host), color), (true, "200, 3 ms".to_owned()));
        let routing = Some(Routing::all_to(Color::Green));
        let seen = Observation { routing, settled: true, labels: Vec::new() };
        StatusFacts {
            asked: Timestamp(3 * DAY),
            record: Some((
                LiveRecord { generation: 4, live, previous: None, maintenance: None },
                vec![entry],
            )),
            lock: Some(Ok(Lock::default())),
            hosts: hosts.into_iter().collect(),
            health: [
                healthy("web1", Color::Green),
                healthy("web1", Color::Blue),
                healthy("web2", Color::Green),
            ]
            .into_iter()
            .collect(),
            routers: vec![(sample::name("lb1"), Ok(seen))],
            ..StatusFacts::default()
        }
    }

    fn view(facts: StatusFacts) -> StatusView {
        status_view(&sample::deployment(Driver::Detached), facts)
    }

    #[test]
    fn a_sound_world_has_no_drift() {
        let view = view(facts());
        let rows: Vec<String> = view
            .instances
            .iter()
            .map(|row| {
                format!(
                    "{} {} {:?} {:?} {} {:?}",
                    row.host,
                    row.color,
                    row.release,
                    row.state,
                    row.port,
                    row.health.as_deref().unwrap_or("-")
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                "web1 green Some(43) Live 4002 \"200, 3 ms\"",
                "web1 blue Some(42) Warm 4001 \"200, 3 ms\"",
                "web2 green Some(43) Live 4002 \"200, 3 ms\"",
                "web2 blue Some(42) Stopped 4001 \"-\"",
            ]
        );
        let live = view.live.expect("something is live");
        assert_eq!((live.who.as_str(), live.ci.as_deref()), ("ann@desk", Some("CI run 812")));
        assert_eq!(
            view.idle,
            Some(IdleStatus { color: Color::Blue, release: Some(release(42)), warm: 1, instances: 2 })
        );
        assert!(view.routers[0].agrees);
        assert_eq!(view.lock, LockStatus::Free);
        assert_eq!(view.warnings, ["web2 blue is not warm: rollback must start it first"]);
        assert_eq!((view.drift, view.too_old), (Vec::<String>::new(), None));
    }

    #[test]
    fn a_deployment_that_nobody_is_at_work_on_is_amiss() {
        let left = || Unfinished {
            deployment: "01J".to_owned(),
            command: "deploy".to_owned(),
            who: "ann@desk".to_owned(),
            since: Timestamp(0),
            step: "watch".to_owned(),
            color: Color::Blue,
            release: 44,
            ways: "`cutover abort`".to_owned(),
        };
        assert!(!view(facts()).is_amiss());
        let unfinished = StatusFacts { unfinished: Some(left()), ..facts() };
        assert!(view(unfinished).is_amiss());
        let holder = LockHolder {
            who: "ann@desk pid 7".into(),
            deployment: "01J".into(),
            command: "deploy".into(),
            process: None,
        };
        let lock = Lock { epoch: 7, holder: Some(holder), ..Lock::default() };
        let held = || StatusFacts { unfinished: Some(left()), lock: Some(Ok(lock.clone())), ..facts() };
        assert!(!view(held()).is_amiss());

        // The traffic is where the deployment has brought it, and that is healthy.
        let mut switched = held();
        let blue =
            Observation { routing: Some(Routing::all_to(Color::Blue)), settled: true, labels: Vec::new() };
        switched.routers = vec![(sample::name("lb1"), Ok(blue))];
        let seen = view(switched.clone());
        let states = |view: &StatusView| -> Vec<String> {
            let rows = view.instances.iter();
            rows.map(|row| format!("{} {} {:?}", row.host, row.color, row.state)).collect()
        };
        assert_eq!((seen.is_amiss(), seen.traffic), (false, Some(Color::Blue)));
        assert_eq!((seen.drift.as_slice(), seen.warnings.as_slice()), ([].as_slice(), [].as_slice()));
        assert_eq!(
            states(&seen),
            ["web1 green Warm", "web1 blue Live", "web2 green Warm", "web2 blue Stopped"]
        );
        switched.health.insert((sample::name("web1"), Color::Blue), (false, "500".into()));
        assert_eq!(view(switched.clone()).drift, ["web1 blue is live and not healthy: 500"]);

        // Its holder is gone: then all of it is amiss again.
        switched.holder_gone = Some(Gone::Ended);
        let left = view(switched);
        assert!(left.is_amiss() && left.traffic == Some(Color::Blue));
        let drift =
            ["router lb1 shows blue 100 %, the record says green", "web1 blue is live and not healthy: 500"];
        assert_eq!(left.drift, drift);
        let LockStatus::Held { gone, .. } = left.lock else { panic!("held: {:?}", left.lock) };
        assert_eq!(gone.as_deref(), Some("its process is gone"));
    }

    #[test]
    fn every_difference_is_a_sentence() {
        let mut facts = facts();
        facts.max_age = Some(Duration::from_secs(36 * 3600));
        facts.lock = Some(Ok(Lock {
            epoch: 7,
            holder: Some(LockHolder {
                who: "ci@box".into(),
                deployment: "01J".into(),
                command: "deploy".into(),
                process: None,
            }),
            acquired_ms: 5,
            step: "watch".into(),
            ..Lock::default()
        }));
        if let Some((_, Ok(seen))) = facts.routers.first_mut() {
            seen.routing = Some(Routing::all_to(Color::Blue));
            seen.settled = false;
        }
        facts.routers.push((sample::name("lb2"), Err("connection timed out".into())));
        if let Some(Ok(sight)) = facts.hosts.get_mut(&sample::name("web1")) {
            sight.instances[1].state = running(42);
        }
        facts.hosts.insert(sample::name("web2"), Err("connection refused".into()));
        facts.health.insert((sample::name("web1"), Color::Green), (false, "500".into()));
        facts.front_doors = vec![FrontDoorStatus {
            url: "https://shop/up".into(),
            ok: false,
            says: "connection refused".into(),
        }];
        let view = view(facts);
        assert_eq!(
            view.drift,
            [
                "router lb1 shows blue 100 % and is not settled, the record says green",
                "router lb2 could not be asked: connection timed out",
                "web2 could not be asked: connection refused",
                "web1 green runs release 42, not 43",
                "web1 green is live and not healthy: 500",
                "front door https://shop/up: connection refused",
            ]
        );
        assert_eq!(view.warnings, ["web2 blue is not warm: rollback must start it first"]);
        assert_eq!(view.too_old.as_deref(), Some("release 43 has been live for 2 d, allowed are 36 h"));
        let LockStatus::Held { who, epoch, .. } = view.lock else { panic!("held: {:?}", view.lock) };
        assert_eq!((who.as_str(), epoch), ("ci@box", 7));
    }

    #[test]
    fn a_record_that_can_not_be_read_is_not_an_empty_one() {
        let mut facts = facts();
        facts.record = None;
        facts.record_problem = Some("`live.json` is not a regular file".to_owned());
        let view = view(facts);
        assert_eq!((view.live, view.idle), (None, None));
        assert_eq!(view.record_problem.as_deref(), Some("`live.json` is not a regular file"));
        assert_eq!((view.drift, view.warnings), (Vec::<String>::new(), Vec::<String>::new()));
    }

    #[test]
    fn before_the_first_deployment_nothing_is_amiss() {
        let empty = HostSight {
            releases: Vec::new(),
            instances: Color::ALL
                .map(|color| InstanceSight { color, link: None, state: driver::InstanceState::Stopped })
                .to_vec(),
        };
        let mut facts = StatusFacts { lock: Some(Ok(Lock::default())), ..StatusFacts::default() };
        facts.hosts.insert(sample::name("web1"), Ok(empty));
        let seen = Observation { routing: None, settled: true, labels: Vec::new() };
        facts.routers.push((sample::name("lb1"), Ok(seen)));
        let view = view(facts);
        assert!(
            view.live.is_none() && view.idle.is_none() && view.drift.is_empty() && view.warnings.is_empty()
        );
        assert!(view.instances.iter().all(|instance| instance.state == InstanceState::Empty));
    }
}
