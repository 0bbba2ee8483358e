//! Reads the world: hosts and routers, all at the same time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinSet;

use super::before::Before;
use super::hooks::{HookTrouble, Hooks};
use super::host_sight::HostSight;
use super::insist::insist;
use super::performer::{hook_call, instances};
use super::session::Session;
use super::site::Site;
use crate::driver::{InstanceState, Launch, Noted};
use crate::model::{
    Color, Deployment, Health, HookCall, HostName, Instance, LiveRecord, Note, Observation, Observed,
    ObservedHost, ObservedInstance, Release, ReleaseId, Routing, Timestamp, Trouble,
};

/// How long a router is asked again that could not answer just now. Nothing was begun yet, so that whoever waits is better told soon.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a host keeps beside what a plan needs: the records of its releases.
#[derive(Debug, Clone, Default)]
pub(crate) struct Staged {
    /// Whole releases of each host, oldest first; a record that can't be read is left out.
    pub(crate) releases: Vec<(HostName, Vec<Release>)>,
}

impl Staged {
    /// Every number that any host knows of.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.releases.iter().flat_map(|(_, releases)| releases).map(|release| release.number)
    }

    /// The release of that number or identifier, when every one of the hosts has it.
    pub(crate) fn find(&self, wanted: &str, hosts: &[HostName]) -> Result<Release, Trouble> {
        let number = wanted.trim_start_matches('#').parse::<u64>().ok();
        let is_it = |release: &&Release| Some(release.number) == number || release.id.as_str() == wanted;
        let known: Vec<&Release> =
            self.releases.iter().flat_map(|(_, releases)| releases).filter(is_it).collect();
        let Some(release) = known.first() else {
            let mut choices: Vec<u64> = self.numbers().collect();
            choices.sort_unstable();
            choices.dedup();
            let choices: Vec<String> = choices.iter().map(u64::to_string).collect();
            let there = if choices.is_empty() {
                "there is none".to_owned()
            } else {
                format!("there are {}", choices.join(", "))
            };
            return Err(Trouble::new(
                "release/unknown",
                format!("release `{wanted}` is on no host; {there}"),
            )
            .hint("`cutover status --releases` lists them, `cutover deploy` makes a new one"));
        };
        let lacks = |host: &&HostName| {
            !self
                .releases
                .iter()
                .any(|(name, releases)| name == *host && releases.iter().any(|r| r.id == release.id))
        };
        let lacking: Vec<&str> = hosts.iter().filter(lacks).map(HostName::as_str).collect();
        if lacking.is_empty() {
            return self.agreed(release, number).map(|()| (*release).clone());
        }
        let message = format!("release {} is not on {}", release.number, lacking.join(" "));
        Err(Trouble::new("release/not-everywhere", message)
            .hint("`cutover deploy --revision` builds it anew"))
    }

    /// Whether all hosts that have a release say the same of it, and know no other by the number that was asked for: one host
    /// that lies must not choose what is started on the rest.
    fn agreed(&self, release: &Release, asked: Option<u64>) -> Result<(), Trouble> {
        let other = |known: &Release| {
            let same = known.id == release.id;
            (same && (known.number, &known.digest) != (release.number, &release.digest))
                || (!same && Some(known.number) == asked)
        };
        let differing: Vec<&str> = self
            .releases
            .iter()
            .filter(|(_, releases)| releases.iter().any(other))
            .map(|(host, _)| host.as_str())
            .collect();
        if differing.is_empty() {
            return Ok(());
        }
        let message = format!(
            "the hosts do not agree on release {} (`{}`): {} says otherwise",
            release.number,
            release.id,
            differing.join(" ")
        );
        Err(Trouble::new("release/disagree", message)
            .hint("name it by its identifier, or `cutover deploy` makes a new one"))
    }
}

/// Reads hosts and routers. `live` is what the home's record says.
///
/// # Errors
/// With the first host or router that could not be asked, or router that would refuse what comes.
pub(crate) async fn observe(
    session: &Session,
    live: Option<&LiveRecord>,
    before: Before,
) -> Result<(Observed, Staged), Trouble> {
    let (observed, staged, silent) = observe_what_answers(session, live, before).await?;
    silent.map_or(Ok((observed, staged)), |silent| Err(silent.trouble))
}

/// A router that could not say what it does, or would refuse what comes.
#[derive(Debug, Clone)]
pub(crate) struct Silent {
    pub(crate) router: HostName,
    pub(crate) trouble: Trouble,
}

/// Reads hosts, and routers as far as they answer. Where one does not, all of them are taken to show what the record says, and it is
/// told what that one said: enough to show a plan, and nothing to begin a deployment with.
///
/// # Errors
/// With the first host that could not be asked.
pub(crate) async fn observe_what_answers(
    session: &Session,
    live: Option<&LiveRecord>,
    before: Before,
) -> Result<(Observed, Staged, Option<Silent>), Trouble> {
    let mut asking = JoinSet::new();
    let deployment = &session.deployment;
    for host in all_app_hosts(deployment) {
        let Some(site) = session.sites.get(&host).cloned() else { continue };
        let deployment = Arc::clone(deployment);
        asking.spawn(async move {
            let found = observe_host(&deployment, &site, &host).await;
            (host, found)
        });
    }
    let (routers, silent) = look_at_routers(session, live, before).await;
    let recorded = live.map(|record| (record.live.color, record.live.release.id.clone()));
    let unreachable = session.excluded.keys().cloned().collect();
    let maintenance = live.is_some_and(|record| record.maintenance.is_some());
    let mut observed = Observed { routers, recorded, unreachable, maintenance, ..Observed::default() };
    let mut staged = Staged::default();
    while let Some(joined) = asking.join_next().await {
        let (host, found) = joined.map_err(|error| Trouble::new("internal/panic", error.to_string()))?;
        let (seen, releases) = found?;
        observed.hosts.insert(host.clone(), seen);
        staged.releases.push((host, releases));
    }
    staged.releases.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok((observed, staged, silent))
}

/// What routers show, or the record where one of them does not say; and what that one said. One that would refuse what comes can say what it does.
async fn look_at_routers(
    session: &Session,
    live: Option<&LiveRecord>,
    before: Before,
) -> (Vec<(HostName, Observation)>, Option<Silent>) {
    let (deployment, hooks) = (&session.deployment, &session.hooks);
    let mut call = observing_call(deployment, live);
    call.facts.extend(before.fact());
    let silent = match ask_routers(deployment, hooks, &call, PATIENCE).await {
        Ok(routers) => return (routers, None),
        Err(silent) => silent,
    };
    let asked_less = match before {
        Before::Switch => {
            let call = observing_call(deployment, live);
            ask_routers(deployment, hooks, &call, Duration::ZERO).await.ok()
        }
        Before::Else => None,
    };
    (asked_less.unwrap_or_else(|| as_recorded(deployment, live)), Some(silent))
}

fn as_recorded(deployment: &Deployment, live: Option<&LiveRecord>) -> Vec<(HostName, Observation)> {
    let routing = live.map(|record| match record.maintenance {
        Some(_) => Routing::none(),
        None => Routing::all_to(record.live.color),
    });
    let seen = Observation { routing, settled: true, labels: Vec::new() };
    deployment.router.names.iter().map(|name| (name.clone(), seen.clone())).collect()
}

/// Hosts of either colour.
pub(crate) fn all_app_hosts(deployment: &Deployment) -> Vec<HostName> {
    let mut hosts: Vec<HostName> = Vec::new();
    for host in Color::ALL.iter().flat_map(|color| deployment.color_hosts(*color)) {
        if !hosts.contains(host) {
            hosts.push(host.clone());
        }
    }
    hosts
}

async fn observe_host(
    deployment: &Deployment,
    site: &Site,
    host: &HostName,
) -> Result<(ObservedHost, Vec<Release>), Trouble> {
    let sight = HostSight::look(site.link.as_ref(), deployment, host, &site.facts).await;
    let sight = sight.map_err(|problem| Trouble::new("host/failed", format!("{host}: {problem}")))?;
    let seen = |color: Color| {
        let Some(instance) = sight.instance(color) else { return ObservedInstance::default() };
        let (running, release) = match &instance.state {
            InstanceState::Running { release, .. } => (true, release.clone()),
            InstanceState::Stopped | InstanceState::Failed { .. } => (false, None),
        };
        ObservedInstance { link: instance.link.clone(), running, release, fit: false }
    };
    let observed = ObservedHost { blue: seen(Color::Blue), green: seen(Color::Green) };
    Ok((observed, sight.releases))
}

/// Finds out which processes of a release in a colour may be taken as they are: those that answer one look as that release, and were started by the
/// words that are kept of it, for where they have to listen now. Answers what is wrong with the others.
pub(crate) async fn look_at_warm(
    session: &Session,
    live: Option<&LiveRecord>,
    color: Color,
    observed: &mut Observed,
    release: &Release,
) -> Vec<Note> {
    let excluded = observed.unreachable.clone();
    let runs = |host: &HostName| {
        let seen = observed.hosts.get(host).map(|seen| seen.instance(color));
        seen.is_some_and(|seen| {
            seen.running && seen.release.as_ref().or(seen.link.as_ref()) == Some(&release.id)
        })
    };
    let mut running = instances(&session.deployment, live, color, &excluded);
    running.retain(|instance| runs(&instance.host));
    let looks = join_all(running.iter().map(|instance| unfit(session, live, instance, release))).await;
    let mut notes = Vec::new();
    for (instance, unfit) in running.into_iter().zip(looks) {
        let Some(seen) = observed.hosts.get_mut(&instance.host) else { continue };
        seen.instance_mut(color).fit = unfit.is_none();
        let number = release.number;
        notes.extend(unfit.map(|why| {
            let host = &instance.host;
            Note::new("note", format!("{host}: release {number} runs and is not taken as it is: {why}"))
        }));
    }
    notes
}

/// Why a process can't be taken as it is, when it can't.
async fn unfit(
    session: &Session,
    live: Option<&LiveRecord>,
    instance: &Instance,
    release: &Release,
) -> Option<String> {
    let (host, color) = (&instance.host, instance.color);
    let site = session.sites.get(host)?;
    let words = async {
        let slot = site.slot(&session.deployment, host, color).map_err(|trouble| trouble.message)?;
        let noted = Noted::of(site.link.as_ref(), &slot).await.map_err(|failure| failure.to_string())?;
        let kept = Launch::kept(site.link.as_ref(), &slot, &release.id).await;
        let kept = kept.map_err(|failure| failure.to_string())?;
        let started = noted.filter(|noted| noted.release == release.id).and_then(|noted| noted.launch);
        Ok::<_, String>(match (started, kept) {
            (Some(started), Some(kept)) if started != kept => {
                Some("it was started by other words than those that are kept of it".to_owned())
            }
            (_, Some(kept)) if !kept.listens_as(&Launch::configured(&slot)) => {
                Some(format!("{color} listens elsewhere now"))
            }
            // What was started before such notes were made is what it is.
            _ => None,
        })
    };
    match words.await {
        Ok(None) => {}
        Ok(Some(why)) | Err(why) => return Some(why),
    }
    let call = hook_call(&session.deployment, "", release, live, color, vec![instance.clone()], 1);
    match session.hooks.check_health(&call, instance).await {
        Ok(Health::Healthy(Some(says))) if says != release.id.as_str() => {
            Some(format!("it answers as release {says}"))
        }
        Ok(Health::Healthy(_)) => None,
        Ok(Health::Starting(reason) | Health::Unhealthy(reason)) => Some(reason),
        Err(failure) => Some(failure.trouble.message),
    }
}

/// Asks every router what it does now.
///
/// # Errors
/// With the first that could not say.
pub(crate) async fn observe_routers(
    deployment: &Deployment,
    hooks: &Hooks,
    live: Option<&LiveRecord>,
) -> Result<Vec<(HostName, Observation)>, Silent> {
    ask_routers(deployment, hooks, &observing_call(deployment, live), PATIENCE).await
}

async fn ask_routers(
    deployment: &Deployment,
    hooks: &Hooks,
    call: &HookCall,
    patience: Duration,
) -> Result<Vec<(HostName, Observation)>, Silent> {
    let mut routers = Vec::new();
    for router in &deployment.router.names {
        let ask = |attempt| {
            let call = HookCall { attempt, ..call.clone() };
            async move { hooks.observe(&call, router).await }
        };
        let silent = |failure: HookTrouble| Silent { router: router.clone(), trouble: failure.trouble };
        let seen = insist(patience, ask).await.map_err(silent)?;
        routers.push((router.clone(), seen));
    }
    Ok(routers)
}

/// A call that is about no deployment: what is live is asked about.
pub(crate) fn observing_call(deployment: &Deployment, live: Option<&LiveRecord>) -> HookCall {
    let both =
        Color::ALL.iter().flat_map(|color| instances(deployment, live, *color, &BTreeSet::new())).collect();
    let release = live.map_or_else(no_release, |record| record.live.release.clone());
    let color = live.map_or(Color::Blue, |record| record.live.color);
    hook_call(deployment, "", &release, live, color, both, 1)
}

fn no_release() -> Release {
    Release::new(ReleaseId::from_parts("00000000T000000Z", Some("none"), "none"), 0, Timestamp(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn release(id: &str, number: u64) -> Release {
        Release { digest: format!("sha256:{id}"), ..Release::for_tests(id, number) }
    }

    fn found(wanted: &str, hosts: &[(&str, &[Release])]) -> String {
        let name = |text: &str| Name::new(text).expect("a name");
        let names: Vec<HostName> = hosts.iter().map(|(host, _)| name(host)).collect();
        let releases = hosts.iter().map(|(host, releases)| (name(host), releases.to_vec())).collect();
        match (Staged { releases }).find(wanted, &names) {
            Ok(release) => release.id.to_string(),
            Err(trouble) => format!("{}: {}", trouble.code, trouble.message),
        }
    }

    #[test]
    fn no_host_alone_says_which_release_a_number_means() {
        let honest = [release("old", 1), release("new", 2)];
        assert_eq!(found("#2", &[("web1", &honest), ("web2", &honest)]), "new");
        assert_eq!(found("old", &[("web1", &honest), ("web2", &honest)]), "old");

        let renumbered = [release("old", 2)];
        let said = "release/disagree: the hosts do not agree on release 2 (`old`): web2 says otherwise";
        assert_eq!(found("2", &[("web1", &renumbered), ("web2", &honest)]), said);
        let said = "release/disagree: the hosts do not agree on release 2 (`new`): web2 says otherwise";
        assert_eq!(found("2", &[("web1", &honest), ("web2", &[release("new", 2), release("old", 2)])]), said);
        assert_eq!(
            found("new", &[("web1", &honest), ("web2", &[release("new", 2), release("x", 2)])]),
            "new"
        );

        let other_bytes = [Release { digest: "sha256:other".to_owned(), ..release("new", 2) }];
        let said = "release/disagree: the hosts do not agree on release 2 (`new`): web2 says otherwise";
        assert_eq!(found("new", &[("web1", &honest), ("web2", &other_bytes)]), said);
        assert_eq!(
            found("1", &[("web1", &honest), ("web2", &honest[1..])]),
            "release/not-everywhere: release 1 is not on web2"
        );
        assert_eq!(
            found("7", &[("web1", &honest)]),
            "release/unknown: release `7` is on no host; there are 1, 2"
        );
    }
}
