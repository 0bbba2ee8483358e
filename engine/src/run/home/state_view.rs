//! `cutover state show`, put together out of what hosts keep.

use super::examine::{Examination, Examined};
use crate::model::view::{
    HostPart, KeptHolder, KeptJournal, KeptLock, KeptRecord, KeptState, Part, StateView,
};
use crate::model::{Deployment, HostName, Record, Timestamp, Trouble};
use crate::run::world::lease::{LAPSED, silent};
use crate::store::{ReadJournal, StateSight, StoreFault, disagreements};

/// Puts it together.
pub(crate) fn state_view(deployment: &Deployment, asked: Timestamp, seen: &Examination) -> StateView {
    let home = &deployment.keeper();
    let order = std::iter::once(home).chain(seen.keys().filter(|name| *name != home));
    let hosts = order.filter_map(|name| Some(host_part(name, seen.get(name)?))).collect();
    let of_home = seen.get(home).and_then(|examined| examined.as_ref().ok());
    StateView {
        title: deployment.title(),
        asked,
        home: home.clone(),
        kept: of_home.and_then(|examined| Some(kept(examined.state()?, Timestamp(examined.facts.now_ms)))),
        hosts,
        problems: problems(home, seen),
    }
}

fn host_part(host: &HostName, examined: &Result<Examined, Trouble>) -> HostPart {
    let state = examined.as_ref().ok().and_then(Examined::state);
    let membership = examined.as_ref().ok().and_then(Examined::membership);
    let part = match (examined, state.map(|state| &state.membership), membership) {
        (Err(_), ..) | (Ok(_), Some(Err(_)), _) => Part::Unknown,
        (Ok(_), _, None) => Part::None,
        (Ok(_), _, Some(membership)) if membership.home => Part::Home,
        (Ok(_), _, Some(membership)) if membership.moved_to.is_some() => Part::FormerHome,
        (Ok(_), _, Some(_)) => Part::Member,
    };
    HostPart {
        host: host.clone(),
        part,
        moved_to: membership.and_then(|membership| membership.moved_to.clone()),
        fence: state.and_then(|state| state.fence.as_ref().ok()).copied().filter(|epoch| *epoch > 0),
        lineage: membership.map(|membership| membership.lineage.to_string()),
        path: state.map(|state| state.path.clone()),
    }
}

/// What a state directory keeps; `now` is what its host's clock shows.
fn kept(state: &StateSight<Record>, now: Timestamp) -> KeptState {
    let membership = state.membership.as_ref().ok().and_then(Option::as_ref);
    let lock = state.lock.as_ref().ok().map(|lock| KeptLock {
        epoch: lock.epoch,
        holder: lock.holder.as_ref().map(|holder| {
            let silent = silent(lock, now);
            KeptHolder {
                who: holder.who.clone(),
                command: holder.command.clone(),
                deployment: holder.deployment.clone(),
                since: Timestamp(lock.acquired_ms),
                step: lock.step.clone(),
                silent_ms: u64::try_from(silent.as_millis()).unwrap_or(u64::MAX),
                lapsed: silent > LAPSED,
            }
        }),
    });
    let live = state.live.as_ref().ok().and_then(Option::as_ref);
    KeptState {
        path: state.path.clone(),
        lineage: membership.map(|membership| membership.lineage.to_string()),
        lock,
        live: live.map(|record| KeptRecord {
            generation: record.generation,
            live: record.live.clone(),
            previous: record.previous.clone(),
        }),
        open: state.journal.as_ref().and_then(|journal| journal.as_ref().ok()).map(open),
        deployments: state.history.as_ref().ok().copied(),
        journals: state.journals,
        bytes: state.bytes,
    }
}

fn open(journal: &ReadJournal<Record>) -> KeptJournal {
    let records = || journal.records.iter().map(|(_, record)| record);
    let plan = match records().next() {
        Some(Record::Planned { plan, .. }) => Some(plan),
        Some(_) | None => None,
    };
    let last = plan.and_then(|plan| records().rev().find_map(|record| record.step(plan)));
    KeptJournal {
        deployment: journal.deployment.clone(),
        command: plan.map(|plan| plan.command.clone()),
        since: plan.map(|plan| plan.made),
        step: last.map(|step| step.to_string()),
        records: journal.records.len(),
        torn: journal.torn.is_some(),
    }
}

fn problems(home: &HostName, seen: &Examination) -> Vec<String> {
    let told = seen.values().filter_map(|examined| examined.as_ref().err());
    let mut problems: Vec<String> = told.map(|trouble| trouble.message.clone()).collect();
    problems.extend(placement(home, seen).iter().map(ToString::to_string));
    let hosts = seen.iter().filter_map(|(host, examined)| Some((host, examined.as_ref().ok()?)));
    for (host, examined) in hosts {
        problems.extend(unreadable(examined, host == home).iter().map(ToString::to_string));
    }
    problems
}

/// What is wrong with where the state is kept.
pub(crate) fn placement(home: &HostName, seen: &Examination) -> Vec<StoreFault> {
    let answered: Vec<(&HostName, &Examined)> =
        seen.iter().filter_map(|(host, examined)| Some((host, examined.as_ref().ok()?))).collect();
    let twice = answered.iter().filter_map(|(host, examined)| {
        let mut members = examined.states.iter().filter(|state| !matches!(state.membership, Ok(None)));
        let (first, second) = (members.next()?, members.next()?);
        let (first, second) = (first.path.clone(), second.path.clone());
        Some(StoreFault::TwoStates { host: (*host).clone(), first, second })
    });
    let mut faults: Vec<StoreFault> = twice.collect();
    // Of a home that can't be read nothing follows for the others.
    let of_home = answered.iter().find(|(host, _)| *host == home).map(|(_, examined)| *examined);
    if let Some(of_home) = of_home
        && of_home.state().is_none_or(|state| state.membership.is_ok())
    {
        let others = answered.iter().filter(|(_, examined)| !is_same_place(of_home, examined));
        let others = others.map(|(host, examined)| examined.said(host));
        faults.extend(disagreements(of_home.said(home), others));
    }
    faults
}

/// Whether it is the home under another name, as a machine is that is deployed to over SSH from itself: what it keeps is the home's own, and by
/// no means one too many. Containers have their machine's boot, and often the same paths; what they keep would differ.
fn is_same_place(home: &Examined, other: &Examined) -> bool {
    let machine = |of: &Examined| (of.facts.boot_id.clone(), of.facts.home.clone(), of.facts.uid);
    let is_same = |(own, other): (&StateSight<Record>, &StateSight<Record>)| {
        let kept =
            |of: &StateSight<Record>| (of.path.clone(), of.membership.clone().ok(), of.journals, of.bytes);
        kept(own) == kept(other)
            && own.lock.as_ref().ok() == other.lock.as_ref().ok()
            && own.live.as_ref().ok() == other.live.as_ref().ok()
    };
    machine(home) == machine(other) && home.state().zip(other.state()).is_some_and(is_same)
}

/// Files of a host that can't be read; of those that only a home has, when it is one.
pub(crate) fn unreadable(examined: &Examined, is_home: bool) -> Vec<StoreFault> {
    let Some(state) = examined.state() else { return Vec::new() };
    let mut faults = vec![state.membership.as_ref().err(), state.fence.as_ref().err()];
    if is_home {
        faults.extend([
            state.lock.as_ref().err(),
            state.live.as_ref().err(),
            state.open.as_ref().err(),
            state.journal.as_ref().and_then(|journal| journal.as_ref().err()),
            state.history.as_ref().err(),
        ]);
    }
    faults.into_iter().flatten().cloned().collect()
}
