//! `cutover doctor`: what was seen, and what of it is not as it should be. Pure.

use std::time::Duration;

use cutover_host::operation::{Lock, LockHolder};

use super::examine::{Examination, Examined};
use super::state_view::{placement, unreadable};
use crate::hook::Confinement;
use crate::model::view::{
    Diagnosis, DoctorView, HostChecks, InstanceState, LiveStatus, LockStatus, MaintenanceStatus, Severity,
    StatusView, Verdict,
};
use crate::model::{
    Deployment, Hook, HookSource, HostName, Outcome, Plan, Record, Timestamp, Trouble, ways_on,
};
use crate::run::execute::journal_log::replay;
use crate::run::world::lease::{gone, time_words};
use crate::store::{ReadJournal, StateSight, StoreFault};

#[cfg(test)]
mod tests;

/// Clocks further apart than this make times in logs and histories hard to read. No decision needs them to agree: a lock's times are
/// by the home's clock alone.
const APART: Duration = Duration::from_secs(5);

/// All that was seen.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// What the hosts keep.
    pub(crate) hosts: Examination,
    /// What `check --hosts` found.
    pub(crate) checks: HostChecks,
    /// What `status` found.
    pub(crate) status: StatusView,
    /// Whether the holder of the lock was a process of this machine that is gone.
    pub(crate) dead_holder: bool,
    /// What this machine's kernel confines hooks with.
    pub(crate) confinement: Confinement,
}

/// Says what is not as it should be, the gravest first.
pub(crate) fn diagnose(deployment: &Deployment, seen: &Seen) -> DoctorView {
    let home = &deployment.keeper();
    let mut findings: Vec<Diagnosis> = Vec::new();
    for (host, examined) in &seen.hosts {
        if let Err(trouble) = examined {
            findings.push(problem(&trouble.code, host.as_str(), &trouble.message).fix(trouble.hint.clone()));
        }
    }
    findings.extend(placement(home, &seen.hosts).iter().map(|fault| of_fault(home, fault)));
    for (host, examined) in answered(&seen.hosts) {
        findings.extend(unreadable(examined, host == home).iter().map(|fault| of_fault(host, fault)));
    }
    if let Some(Ok(examined)) = seen.hosts.get(home)
        && let Some(state) = examined.state().filter(|_| examined.membership().is_none_or(|own| own.home))
    {
        let now = Timestamp(examined.facts.now_ms);
        findings.extend(work(deployment, home, state, now, seen.dead_holder));
        findings.extend(fences(home, state, &seen.hosts));
    }
    findings.extend(traffic(&seen.status));
    findings.extend(clocks(&seen.hosts));
    findings.extend(leftovers(&seen.hosts, home));
    findings.extend(helpers(&seen.hosts));
    findings.extend(machines(&seen.checks));
    findings.extend(sandbox(deployment, seen.confinement));
    // Those that matter as much stay in this order.
    findings.sort_by_key(|finding| finding.severity);
    DoctorView {
        title: deployment.title(),
        asked: seen.status.asked,
        hosts: deployment.hosts.len(),
        routers: seen.status.routers.len(),
        findings,
    }
}

/// What hooks that did not come with this program are not confined by here.
fn sandbox(deployment: &Deployment, confinement: Confinement) -> Option<Diagnosis> {
    let missing = confinement.missing();
    let kernel =
        "run them where the kernel has it: Landlock is in Linux since 5.13, and has to be in its `lsm=` list";
    let is_foreign = |hook: &&Hook| !matches!(hook.source, HookSource::Builtin(_));
    (!missing.is_empty() && deployment.hooks().iter().any(is_foreign)).then(|| {
        let text =
            format!("its kernel has no {}: WebAssembly alone keeps hooks in", missing.join(" and no "));
        warning("hook/confinement", "this machine", &text).fix(kernel.to_owned())
    })
}

/// What to do about a file of the host side, which no command can do without.
const SPOILT: &str = "look at the file on the host; where it is spoilt, move it away: of `fence` and `lock.json` each tells the epoch alone";

fn answered(hosts: &Examination) -> impl Iterator<Item = (&HostName, &Examined)> {
    hosts.iter().filter_map(|(host, examined)| Some((host, examined.as_ref().ok()?)))
}

fn finding(severity: Severity, code: &str, place: &str, text: &str) -> Diagnosis {
    let text = text.lines().next().unwrap_or_default().to_owned();
    Diagnosis { code: code.to_owned(), severity, place: Some(place.to_owned()), text, fix: None }
}

fn problem(code: &str, place: &str, text: &str) -> Diagnosis {
    finding(Severity::Problem, code, place, text)
}

fn warning(code: &str, place: &str, text: &str) -> Diagnosis {
    finding(Severity::Warning, code, place, text)
}

impl Diagnosis {
    fn fix(self, fix: impl Into<Option<String>>) -> Self {
        Self { fix: fix.into(), ..self }
    }
}

fn of_fault(host: &HostName, fault: &StoreFault) -> Diagnosis {
    problem(fault.code(), fault.host().unwrap_or(host).as_str(), &fault.to_string())
        .fix(fault.hint().unwrap_or_else(|| SPOILT.to_owned()))
}

/// The lock, and the deployment that has no end.
fn work(
    deployment: &Deployment,
    home: &HostName,
    state: &StateSight<Record>,
    now: Timestamp,
    dead_holder: bool,
) -> Vec<Diagnosis> {
    let Ok(lock) = &state.lock else { return Vec::new() };
    let journal = state.journal.as_ref().and_then(|journal| journal.as_ref().ok());
    let mut findings = Vec::new();
    // Who is below the home's own fence is shut out, and whoever comes next finds the lock free (`cutover_host::epoch::take`).
    let is_shut_out = state.fence.as_ref().is_ok_and(|fence| *fence > lock.epoch);
    let named = lock.holder.as_ref().filter(|_| !is_shut_out);
    let gone = gone(lock, now, dead_holder);
    match (named, gone) {
        (Some(holder), None) => findings.push(under_way(home, lock, holder)),
        (Some(holder), Some(gone)) => {
            findings.push(lapsed(home, lock, &format!("{}: {gone}", holder.who), journal.is_some()));
        }
        (None, _) => {}
    }
    if let Some(journal) = journal {
        findings.extend(unfinished(deployment, home, journal, named.is_some() && gone.is_none()));
    }
    findings
}

fn under_way(home: &HostName, lock: &Lock, holder: &LockHolder) -> Diagnosis {
    let step = if lock.step.is_empty() { String::new() } else { format!(", at step `{}`", lock.step) };
    let text = format!("`{}` by {} is under way{step}", holder.command, holder.who);
    finding(Severity::Note, "lock/held", home.as_str(), &text)
        .fix("wait for it; `cutover state show` tells how long it has been silent".to_owned())
}

fn lapsed(home: &HostName, lock: &Lock, holder: &str, open: bool) -> Diagnosis {
    let text = format!("the lock is held by {holder}");
    let fix = if open {
        "`cutover resume` takes it over and ends what was begun".to_owned()
    } else {
        format!("the next run takes it over; to free it now: `cutover unlock --epoch {}`", lock.epoch)
    };
    warning("lock/lapsed", home.as_str(), &text).fix(fix)
}

fn unfinished(
    deployment: &Deployment,
    home: &HostName,
    journal: &ReadJournal<Record>,
    under_way: bool,
) -> Vec<Diagnosis> {
    let name = &journal.deployment;
    let mut findings = Vec::new();
    if journal.torn.is_some() && !under_way {
        let text =
            format!("the last line of the journal of {name} is torn: nothing was done on its strength");
        findings.push(
            warning("journal/torn", home.as_str(), &text).fix(
                "`cutover resume` sets that line aside and ends the deployment, `cutover abort` puts it back"
                    .to_owned(),
            ),
        );
    }
    let Some(first) = journal.entries().next() else {
        let text = format!("deployment {name} has a journal without a record: nothing of it was done");
        findings.push(
            warning("deploy/never-began", home.as_str(), &text).fix("`cutover resume` closes it".to_owned()),
        );
        return findings;
    };
    let progress = match replay(name, journal.entries()) {
        Ok(progress) => progress,
        Err(trouble) => {
            findings.push(of_trouble(home, &trouble));
            return findings;
        }
    };
    if let Err(overreach) = progress.plan().departures(deployment) {
        let text = format!("the journal of {name} is not one that this configuration leads to: {overreach}");
        let fix = "use the configuration that it was begun with; if it is the same, the journal was forged, and \
                   `cutover state recover` sets it aside";
        findings.push(problem("journal/foreign", home.as_str(), &text).fix(fix.to_owned()));
        return findings;
    }
    match progress.outcome() {
        None if under_way => {}
        None => {
            let by = if let Record::Planned { origin, .. } = first { origin.who.as_str() } else { "?" };
            let text = format!(
                "{} has not ended, begun by {by}, got to {}",
                called(progress.plan()),
                step(journal, progress.plan())
            );
            let fix = ways_on(&progress).to_owned();
            findings.push(problem("deploy/unfinished", home.as_str(), &text).fix(fix));
        }
        Some(Outcome::Stuck) => {
            let text = format!("{} needs a person: an undo has failed", called(progress.plan()));
            let fix = "mend what `cutover resume` names, it then tries again";
            findings.push(problem("deploy/stuck", home.as_str(), &text).fix(fix.to_owned()));
        }
        Some(_) if under_way => {}
        Some(_) => {
            let text = format!("{} has ended, and its journal is not closed", called(progress.plan()));
            let fix = "the next run closes it; to do it now: `cutover resume`";
            findings
                .push(finding(Severity::Note, "deploy/not-closed", home.as_str(), &text).fix(fix.to_owned()));
        }
    }
    findings
}

fn of_trouble(home: &HostName, trouble: &Trouble) -> Diagnosis {
    problem(&trouble.code, home.as_str(), &trouble.message).fix(trouble.hint.clone())
}

/// `deploy 01J…`.
fn called(plan: &Plan) -> String {
    format!("{} {}", plan.command, plan.deployment)
}

fn step(journal: &ReadJournal<Record>, plan: &Plan) -> String {
    let last = journal.entries().rev().find_map(|record| record.step(plan));
    last.map_or_else(|| "lock".to_owned(), |step| step.to_string())
}

/// Hosts that have seen a holder of the lock that the home knows nothing of.
fn fences(home: &HostName, state: &StateSight<Record>, hosts: &Examination) -> Vec<Diagnosis> {
    let (Ok(lock), Ok(fence)) = (&state.lock, &state.fence) else { return Vec::new() };
    let known = lock.epoch.max(*fence);
    let beyond = answered(hosts).filter(|(host, _)| *host != home).filter_map(|(host, examined)| {
        let fence = examined.state()?.fence.as_ref().ok().copied().filter(|fence| *fence > known)?;
        let text = format!(
            "it was fenced with epoch {fence}, and the lock on `{home}` is at {known}: the home was put back to an older state"
        );
        let fix = "`cutover state recover` begins above every epoch that a host has seen".to_owned();
        Some(problem("fence/beyond", host.as_str(), &text).fix(fix))
    });
    beyond.collect()
}

/// The record against routers, instances and front doors.
fn traffic(status: &StatusView) -> Vec<Diagnosis> {
    let mut findings = Vec::new();
    for router in &status.routers {
        let place = router.name.as_str();
        match (&router.observation, &router.problem) {
            _ if router.agrees => {}
            // That is what the deployment under way is about.
            (Some(_), _) if status.is_under_way() => {}
            // Against a record that can't be read nothing can be held.
            (Some(_), _) if matches!(status.lock, LockStatus::Unknown { .. }) => {}
            (None, said) => {
                let text =
                    format!("the router could not be asked: {}", said.as_deref().unwrap_or("no answer"));
                findings
                    .push(problem("router/silent", place, &text).fix("`cutover check --hosts`".to_owned()));
            }
            (Some(seen), _) => {
                let shown = seen.routing.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
                let recorded = |live: &LiveStatus| match &status.maintenance {
                    Some(_) => "no colour, for maintenance".to_owned(),
                    None => live.color.to_string(),
                };
                let text = match &status.live {
                    Some(live) if seen.settled => {
                        format!("the router shows {shown}, the record says {}", recorded(live))
                    }
                    Some(live) => {
                        let recorded = recorded(live);
                        format!("the router shows {shown} and is not settled, the record says {recorded}")
                    }
                    None => format!("the router shows {shown}, and nothing is recorded as live"),
                };
                // A deployment that was cut off in the middle of its switch looks so too.
                let severity =
                    if status.unfinished.is_some() { Severity::Warning } else { Severity::Problem };
                let fix = match (&status.unfinished, &status.live) {
                    (Some(unfinished), _) => unfinished.ways.as_str(),
                    (None, Some(_)) => {
                        "put it back by hand, or take its word for it: `cutover deploy --adopt`"
                    }
                    (None, None) => "write the record anew: `cutover state recover`",
                };
                findings.push(finding(severity, "router/drift", place, &text).fix(fix.to_owned()));
            }
        }
    }
    let Some(live) = &status.live else { return findings };
    if let Some(MaintenanceStatus { since, who, .. }) = &status.maintenance {
        let text = format!(
            "in maintenance for {}, by {who}: no colour gets requests",
            time_words(status.asked.since(*since))
        );
        findings.push(
            finding(Severity::Note, "maintenance/on", &live.color.to_string(), &text)
                .fix("`cutover maintenance off` ends it".to_owned()),
        );
    }
    let healthy = |state| matches!(state, InstanceState::Live | InstanceState::Warm);
    let asked = || status.instances.iter().filter(|instance| instance.state != InstanceState::Unknown);
    if asked().next().is_some() && !asked().any(|instance| healthy(instance.state)) {
        let text = "no instance of either colour is healthy, so there is nothing to move the traffic to";
        findings.push(
            problem("colors/sick", &live.color.to_string(), text)
                .fix("mend one colour: `cutover logs`, `cutover exec`; or `cutover deploy`".to_owned()),
        );
    }
    let serving = status.traffic.unwrap_or(live.color);
    let by = if serving == live.color { "is live by the record" } else { "has the traffic" };
    for instance in asked().filter(|instance| instance.color == serving && !healthy(instance.state)) {
        if serving == live.color && live.excluded.contains(&instance.host) {
            let number = live.release.number;
            let text = format!("it was left out when release {number} went live, and does not run that");
            let fix = "`cutover deploy` brings it up to date".to_owned();
            findings.push(problem("instance/left-out", instance.host.as_str(), &text).fix(fix));
            continue;
        }
        let said = instance.health.as_deref().unwrap_or("it does not run");
        let text = format!("{serving} {by} and not healthy: {said}");
        let fix = if status.is_under_way() {
            format!("`cutover logs --host {}`; the deployment that is under way watches it", instance.host)
        } else {
            format!("`cutover logs --host {}`; or go back: `cutover rollback`", instance.host)
        };
        findings.push(problem("instance/sick", instance.host.as_str(), &text).fix(fix));
    }
    for door in status.front_doors.iter().filter(|door| !door.ok) {
        let text = format!("the front door does not answer as it should: {}", door.says);
        findings.push(problem("door/wrong", &door.url, &text).fix("`cutover status`".to_owned()));
    }
    findings
}

fn clocks(hosts: &Examination) -> Vec<Diagnosis> {
    let apart = answered(hosts).filter_map(|(host, examined)| {
        let far = Duration::from_millis(examined.ahead_ms.unsigned_abs());
        (far > APART).then(|| {
            let side = if examined.ahead_ms > 0 { "ahead of" } else { "behind" };
            let text = format!("its clock is {} {side} this machine's", time_words(far));
            warning("clock/apart", host.as_str(), &text)
                .fix("set one of them right, as root: `timedatectl set-ntp true`".to_owned())
        })
    });
    apart.collect()
}

fn leftovers(hosts: &Examination, home: &HostName) -> Vec<Diagnosis> {
    let open = hosts.get(home).and_then(|examined| examined.as_ref().ok()).and_then(Examined::state);
    // While a deployment is open they are its own.
    if open.is_some_and(|state| !matches!(state.open, Ok(None))) {
        return Vec::new();
    }
    let left =
        answered(hosts).filter(|(_, examined)| !examined.partials.is_empty()).map(|(host, examined)| {
            let count = examined.partials.len();
            let text = match count {
                1 => "a part of a release was left behind by a run that was cut off".to_owned(),
                count => format!("{count} parts of releases were left behind by runs that were cut off"),
            };
            finding(Severity::Note, "release/partial", host.as_str(), &text)
                .fix("the next `cutover deploy` removes it".to_owned())
        });
    left.collect()
}

/// Several versions of this program that deploy the same application. What a host keeps says its version, so none misreads it.
fn helpers(hosts: &Examination) -> Vec<Diagnosis> {
    let several = answered(hosts).filter(|(_, examined)| examined.helpers > 1).map(|(host, examined)| {
        let text = format!("{} builds of cutover were at work here lately", examined.helpers);
        finding(Severity::Note, "helper/several", host.as_str(), &text)
            .fix("use one version everywhere; helpers that nobody uses are removed after a while".to_owned())
    });
    several.collect()
}

/// What `check --hosts` found wanting, but for what is told already.
fn machines(checks: &HostChecks) -> Vec<Diagnosis> {
    let mut findings = Vec::new();
    for host in checks {
        let told = |what: &str| matches!(what, "clock" | "reach" | "router" | "ports");
        for found in host.findings.iter().filter(|found| !told(&found.what)) {
            let severity = match found.verdict {
                Verdict::Ok => continue,
                Verdict::Warning => Severity::Warning,
                Verdict::Missing => Severity::Problem,
            };
            let code = format!("setup/{}", found.what.replace(' ', "-"));
            let text = format!("{}: {}", found.what, found.text);
            let fix = match &found.fix {
                Some(fix) if fix.lines().count() == 1 => format!("on {}: {fix}", host.host),
                Some(_) => format!("`cutover setup` prints what to do on {}", host.host),
                None => "make room on the host".to_owned(),
            };
            findings.push(finding(severity, &code, &host.host, &text).fix(fix));
        }
    }
    findings
}
