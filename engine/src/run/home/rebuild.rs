//! What `cutover state recover` would write: the record of a home that was lost or can't be read, rebuilt from what hosts and routers
//! show. Pure; where they contradict each other it is refused.

use std::collections::BTreeMap;

use super::examine::{Examination, Examined};
use super::state_view::placement;
use crate::model::{
    Color, Deployment, HostName, LiveRecord, LiveRelease, Note, Observed, Outcome, Record, Release,
    ReleaseId, Trouble, ways_on,
};
use crate::run::execute::journal_log::replay;
use crate::run::world::observe::Staged;
use crate::run::world::performer::store_fault;
use crate::store::{Lineage, Misplaced, ReadJournal, StateSight, StoreFault, journal_file};

#[cfg(test)]
mod tests;

/// What would be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rebuild {
    /// The line that a new one goes on with; none: the home keeps its own.
    pub(crate) replaces: Option<Lineage>,
    /// Files that can't be read, below the state directory: renamed.
    pub(crate) aside: Vec<String>,
    /// The journal among them is whole, and not one that this configuration leads to.
    foreign: bool,
    /// The new record; none where no router shows a colour.
    pub(crate) live: Option<LiveRecord>,
    /// Hosts of which nobody can tell whether they were left out of what is live.
    unseen: Vec<HostName>,
    /// Ended deployments that stay remembered.
    history: usize,
}

/// What hosts and routers show.
pub(crate) struct World<'a> {
    pub(crate) observed: &'a Observed,
    pub(crate) staged: &'a Staged,
    /// By host: the release that `current` points to there. The end of a deployment points it, on every host that has a part in it.
    pub(crate) current: &'a BTreeMap<HostName, ReleaseId>,
}

/// Who runs a release as one colour.
#[derive(Debug, Clone, PartialEq)]
struct Running {
    release: Release,
    /// Hosts that were left out of it.
    left_out: Vec<HostName>,
    /// Hosts that did not answer.
    unseen: Vec<HostName>,
}

/// Code of the error that what is seen does not fit together.
const CONTRADICTION: &str = "state/contradiction";

/// Says what would be written; none when nothing is to be recovered.
///
/// # Errors
/// When another command is the way, or what is seen leaves it open what the truth is.
pub(crate) fn rebuild(
    deployment: &Deployment,
    seen: &Examination,
    world: &World<'_>,
) -> Result<Option<Rebuild>, Trouble> {
    let home = &deployment.keeper();
    let of_home = match seen.get(home) {
        Some(Ok(of_home)) => of_home,
        Some(Err(trouble)) => return Err(trouble.clone()),
        None => return Err(Trouble::new("internal/home", "the home is no host of this configuration")),
    };
    let replaces = lost_line(home, seen)?;
    let state = of_home.state();
    let (aside, foreign) = state.map(|state| unreadable(deployment, state)).transpose()?.unwrap_or_default();
    let recorded = state.and_then(|state| state.live.as_ref().ok()).and_then(Option::as_ref);
    let shown = shown(world.observed)?;
    let known = |state: &StateSight<Record>| {
        let lock = state.lock.as_ref().map_or(0, |lock| lock.epoch);
        state.fence.as_ref().map_or(lock, |fence| lock.max(*fence))
    };
    let beyond = highest(seen) > state.map_or(0, known);
    let forgotten = shown.is_some() && recorded.is_none();
    if of_home.membership().is_none() && replaces.is_none() {
        return Err(Trouble::new(
            "state/nothing",
            "nothing was deployed yet, so there is nothing to recover",
        )
        .hint("`cutover deploy` begins it; what runs already is taken over by its `--adopt`"));
    }
    if replaces.is_none() && aside.is_empty() && !beyond && !forgotten {
        return Ok(None);
    }
    let (live, unseen) = match (shown, recorded) {
        (Some(color), recorded) => record(deployment, world, color, recorded)?,
        (None, Some(recorded)) if recorded.maintenance.is_some() => {
            (Some(recorded.clone().in_maintenance(recorded.maintenance)), Vec::new())
        }
        (None, Some(recorded)) => {
            let message =
                format!("the record says that {} is live, and no router shows a colour", recorded.live.color);
            return Err(Trouble::new(CONTRADICTION, message)
                .hint("put the routers where they should be, then `cutover state recover` again"));
        }
        (None, None) => (None, Vec::new()),
    };
    let history = state.and_then(|state| state.history.as_ref().ok()).copied().unwrap_or(0);
    Ok(Some(Rebuild { replaces, aside, foreign, live, unseen, history }))
}

/// The highest epoch that any host has seen.
pub(crate) fn highest(seen: &Examination) -> u64 {
    let states = seen.values().filter_map(|examined| examined.as_ref().ok().and_then(Examined::state));
    states.filter_map(|state| state.fence.as_ref().ok()).copied().max().unwrap_or(0)
}

/// The line whose home was lost; none when the home is one, or nothing was deployed yet.
fn lost_line(home: &HostName, seen: &Examination) -> Result<Option<Lineage>, Trouble> {
    let mut lost = false;
    for fault in placement(home, seen) {
        if !matches!(fault, StoreFault::Misplaced(Misplaced::Lost { .. })) {
            return Err(store_fault(&fault).trouble);
        }
        lost = true;
    }
    if !lost {
        return Ok(None);
    }
    let mut lines: BTreeMap<String, (Lineage, Vec<&str>)> = BTreeMap::new();
    for (host, examined) in seen {
        if let Some(membership) = examined.as_ref().ok().and_then(Examined::membership) {
            let line = lines.entry(membership.lineage.to_string());
            line.or_insert_with(|| (membership.lineage.clone(), Vec::new())).1.push(host.as_str());
        }
    }
    if lines.len() > 1 {
        let said: Vec<String> =
            lines.iter().map(|(line, (_, hosts))| format!("{} to `{line}`", hosts.join(" "))).collect();
        let message = format!("the hosts belong to different lines of deployments: {}", said.join(", "));
        return Err(Trouble::new(CONTRADICTION, message).hint(
            "one of them belongs to another setup: give that one another `name`, or take its hosts out of this one",
        ));
    }
    Ok(lines.into_values().next().map(|(lineage, _)| lineage))
}

/// Files of the home that can't be read for good, or say what this configuration can't have written (then true).
fn unreadable(deployment: &Deployment, state: &StateSight<Record>) -> Result<(Vec<String>, bool), Trouble> {
    // The host side's own files are not ours to rename: without them there is no lock to do it under.
    let (membership, lock, fence) = (state.membership.as_ref(), state.lock.as_ref(), state.fence.as_ref());
    if let Some(fault) = membership.err().or(lock.err()).or(fence.err()) {
        return Err(store_fault(fault).trouble);
    }
    let mut aside = Vec::new();
    let open = match (&state.open, &state.journal) {
        (Err(fault), _) => broken(fault)?,
        (Ok(_), Some(journal)) => judge(deployment, journal)?,
        (Ok(_), None) => Open::Sound,
    };
    if open != Open::Sound {
        aside.extend(journal_file(&state.open));
        aside.push("open.json".to_owned());
    }
    if let Err(fault) = &state.live {
        broken(fault)?;
        aside.push("live.json".to_owned());
    }
    if let Err(fault) = &state.history {
        broken(fault)?;
        aside.push("history.jsonl".to_owned());
    }
    Ok((aside, open == Open::Foreign))
}

/// What is to be made of the journal that is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// There is none, or the next run closes it.
    Sound,
    /// Nobody can read it.
    Broken,
    /// It can be read, and this configuration can't have led to it.
    Foreign,
}

/// Judges a journal.
///
/// # Errors
/// When somebody can go on with it, and should.
fn judge(
    deployment: &Deployment,
    journal: &Result<ReadJournal<Record>, StoreFault>,
) -> Result<Open, Trouble> {
    let journal = match journal {
        Ok(journal) => journal,
        Err(fault) => return broken(fault),
    };
    if journal.records.is_empty() {
        return Ok(Open::Sound);
    }
    let Ok(progress) = replay(&journal.deployment, journal.entries()) else { return Ok(Open::Broken) };
    if progress.plan().departures(deployment).is_err() {
        return Ok(Open::Foreign);
    }
    if progress.outcome().is_none_or(|outcome| outcome == Outcome::Stuck) {
        let message = format!("deployment {} has not ended, and its journal is whole", journal.deployment);
        return Err(Trouble::new("deploy/unfinished", message).hint(ways_on(&progress)));
    }
    Ok(Open::Sound)
}

/// A file that is spoilt.
///
/// # Errors
/// When it is only out of reach: then nobody knows what it says.
fn broken(fault: &StoreFault) -> Result<Open, Trouble> {
    let broken = matches!(
        fault,
        StoreFault::JournalBroken { .. }
            | StoreFault::JournalForged { .. }
            | StoreFault::Malformed { .. }
            | StoreFault::TooLarge { .. }
    );
    if broken { Ok(Open::Broken) } else { Err(store_fault(fault).trouble) }
}

/// The colour that all routers show.
fn shown(observed: &Observed) -> Result<Option<Color>, Trouble> {
    observed.live_color().map_err(|disagreement| {
        let said: Vec<String> =
            disagreement.answers.iter().map(|(router, said)| format!("{router} {said}")).collect();
        Trouble::new(CONTRADICTION, format!("the routers do not agree: {}", said.join(", ")))
            .hint("put them on one colour, then `cutover state recover` again")
    })
}

/// The record of what is live, by what hosts run in the colour that routers show; and who did not say.
fn record(
    deployment: &Deployment,
    world: &World<'_>,
    color: Color,
    recorded: Option<&LiveRecord>,
) -> Result<(Option<LiveRecord>, Vec<HostName>), Trouble> {
    let known = |color: Color| {
        let known =
            recorded.into_iter().flat_map(|record| std::iter::once(&record.live).chain(&record.previous));
        known.filter(move |live| live.color == color)
    };
    let running = |of: Color| runs(deployment, world, of, of == color, known(of).next());
    let live = |running: Running, color: Color| {
        let Running { release, left_out, .. } = running;
        let old = known(color).find(|live| live.release.id == release.id);
        // When it went live is not known, unless the old record says so: surely not before it was made.
        let since = old.map_or(release.created, |live| live.since);
        LiveRelease { color, release, since, excluded: left_out }
    };
    let now = running(color)?;
    let (unseen, previous) = (now.unseen.clone(), running(color.other()).ok());
    let record = LiveRecord {
        generation: recorded.map_or(0, |record| record.generation).saturating_add(1),
        live: live(now, color),
        previous: previous.map(|previous| live(previous, color.other())),
        maintenance: None,
    };
    Ok((Some(record), unseen))
}

/// The release that the hosts of a colour run (or would, if it were started), and who was left out of it.
///
/// A host that was left out had the colour stopped and was not told what is current, so it is told from one where the release only does not
/// run at the moment. As many as `pipeline.max-excluded` says may have been; beyond that the hosts contradict each other. One that does
/// not answer is not called left out: it may serve, and then its health must be asked for.
fn runs(
    deployment: &Deployment,
    world: &World<'_>,
    color: Color,
    is_live: bool,
    recorded: Option<&LiveRelease>,
) -> Result<Running, Trouble> {
    let contradiction = |message: String| {
        Trouble::new(CONTRADICTION, message).hint(
            "look at the hosts (`cutover status`, `cutover exec`), make them agree, then `cutover state recover` again",
        )
    };
    let all = deployment.color_hosts(color);
    let most = deployment.pipeline.max_excluded.of(all.len());
    let (seen, unseen): (Vec<&HostName>, Vec<&HostName>) =
        all.iter().partition(|host| !world.observed.unreachable.contains(*host));
    let was_out = |host: &HostName| recorded.is_some_and(|live| live.excluded.contains(host));
    let mut by_release: BTreeMap<ReleaseId, Vec<HostName>> = BTreeMap::new();
    let mut mute = Vec::new();
    for host in seen {
        let instance = world.observed.hosts.get(host).map(|observed| observed.instance(color));
        let release = instance.and_then(|instance| instance.release.as_ref().or(instance.link.as_ref()));
        match release {
            Some(release) => by_release.entry(release.clone()).or_default().push(host.clone()),
            None => mute.push(host.clone()),
        }
    }
    // `current` says nothing of the colour that was live before.
    let tells = is_live && most > 0;
    let has_part = |release: &ReleaseId, host: &HostName| {
        let runs = world.observed.hosts.get(host).is_some_and(|observed| observed.instance(color).running);
        !was_out(host) && (runs || !tells || world.current.get(host) == Some(release))
    };
    let mut left_out = mute.clone();
    let mut parts: Vec<(ReleaseId, Vec<HostName>)> = Vec::new();
    for (release, hosts) in &by_release {
        let (part, out): (Vec<HostName>, Vec<HostName>) =
            hosts.iter().cloned().partition(|host| has_part(release, host));
        left_out.extend(out);
        if !part.is_empty() {
            parts.push((release.clone(), part));
        }
    }
    left_out.sort();
    if parts.len() > 1 || left_out.len() + unseen.len() > most {
        if let Some(host) = mute.first() {
            return Err(contradiction(format!("nothing on {host} says which release its {color} runs")));
        }
        let said = |(release, hosts): (&ReleaseId, &Vec<HostName>)| {
            let hosts: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            format!("{} `{release}`", hosts.join(" "))
        };
        let said: Vec<String> = by_release.iter().map(said).collect();
        return Err(contradiction(format!(
            "the hosts do not run one release as {color}: {}",
            said.join(", ")
        )));
    }
    let Some((id, hosts)) = parts.pop() else {
        return Err(contradiction(format!("no host runs anything as {color}")));
    };
    let release = world.staged.find(id.as_str(), &hosts)?;
    Ok(Running { release, left_out, unseen: unseen.into_iter().cloned().collect() })
}

impl Rebuild {
    /// What would be written, for people. `above` is the highest epoch that a host has seen.
    pub(crate) fn notes(&self, above: u64) -> Vec<Note> {
        let mut notes = Vec::new();
        if let Some(line) = &self.replaces {
            let text = format!(
                "a new one that goes on with `{line}`; the lost home is refused if it turns up again"
            );
            notes.push(Note::new("lineage", text));
        }
        if !self.aside.is_empty() {
            notes.push(Note::new("set aside", self.aside.join(", ")));
        }
        if self.foreign {
            notes.push(Note::new(
                "beware",
                "that journal is whole: with the configuration that it was begun with, `cutover resume` can go on",
            ));
        }
        let told = |live: &LiveRelease| {
            format!("{}, release {} (`{}`)", live.color, live.release.number, live.release.id)
        };
        match &self.live {
            Some(record) => {
                notes.push(Note::new("live", told(&record.live)));
                let none = || "nothing that the hosts agree on".to_owned();
                notes.push(Note::new("before", record.previous.as_ref().map_or_else(none, told)));
            }
            None => notes.push(Note::new("live", "nothing: no router shows a colour")),
        }
        let joined = |hosts: &[HostName]| hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(" ");
        if let Some(live) =
            self.live.as_ref().map(|record| &record.live).filter(|live| !live.excluded.is_empty())
        {
            notes.push(Note::new("left out", joined(&live.excluded)));
        }
        if !self.unseen.is_empty() {
            let text = format!(
                "whether {} was left out: it does not answer, so it is taken for one that serves",
                joined(&self.unseen)
            );
            notes.push(Note::new("not known", text));
        }
        let history = match self.history {
            1 => "1 deployment is still remembered".to_owned(),
            kept @ 1.. => format!("{kept} deployments are still remembered"),
            0 => "begun anew; release numbers go on from those on the hosts".to_owned(),
        };
        notes.push(Note::new("history", history));
        notes.push(Note::new("epoch", format!("above {above}, the highest that a host has seen")));
        notes
    }
}
