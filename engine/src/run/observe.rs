//! Reads the world: hosts and routers, all at the same time.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::HostSight;
use super::hooks::Hooks;
use super::performer::{hook_call, instances};
use super::session::Session;
use super::site::Site;
use crate::driver::InstanceState;
use crate::model::{
    Color, Deployment, HostName, LiveRecord, Observation, Observed, ObservedHost, ObservedInstance, Release,
    ReleaseId, Timestamp, Trouble,
};

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

    /// The release of that number or identifier, when every host has it.
    pub(crate) fn find(&self, wanted: &str, hosts: &[HostName]) -> Result<Release, Trouble> {
        let number = wanted.trim_start_matches('#').parse::<u64>().ok();
        let is_it = |release: &&Release| Some(release.number) == number || release.id.as_str() == wanted;
        let mut known: Vec<&Release> =
            self.releases.iter().flat_map(|(_, releases)| releases).filter(is_it).collect();
        known.dedup_by(|a, b| a.id == b.id);
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
            .hint("`cutover history` lists releases, `cutover deploy` makes a new one"));
        };
        let lacks = |host: &&HostName| {
            !self
                .releases
                .iter()
                .any(|(name, releases)| name == *host && releases.iter().any(|r| r.id == release.id))
        };
        let lacking: Vec<&str> = hosts.iter().filter(lacks).map(HostName::as_str).collect();
        if lacking.is_empty() {
            return Ok((*release).clone());
        }
        let message = format!("release {} is not on {}", release.number, lacking.join(" "));
        Err(Trouble::new("release/not-everywhere", message)
            .hint("`cutover deploy --revision` builds it anew"))
    }
}

/// Reads hosts and routers. `recorded` is what the home's record says.
///
/// # Errors
/// With the first host or router that could not be asked.
pub(crate) async fn observe(
    session: &Session,
    live: Option<&LiveRecord>,
) -> Result<(Observed, Staged), Trouble> {
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
    let routers = observe_routers(deployment, &session.hooks, live).await?;
    let recorded = live.map(|record| (record.live.color, record.live.release.id.clone()));
    let mut observed = Observed { routers, recorded, ..Observed::default() };
    let mut staged = Staged::default();
    while let Some(joined) = asking.join_next().await {
        let (host, found) = joined.map_err(|error| Trouble::new("internal/panic", error.to_string()))?;
        let (seen, releases) = found?;
        observed.hosts.insert(host.clone(), seen);
        staged.releases.push((host, releases));
    }
    staged.releases.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok((observed, staged))
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
        ObservedInstance { link: instance.link.clone(), running, release }
    };
    let observed = ObservedHost { blue: seen(Color::Blue), green: seen(Color::Green) };
    Ok((observed, sight.releases))
}

/// Asks every router what it does now.
///
/// # Errors
/// With the first that could not say.
pub(crate) async fn observe_routers(
    deployment: &Deployment,
    hooks: &Hooks,
    live: Option<&LiveRecord>,
) -> Result<Vec<(HostName, Observation)>, Trouble> {
    let call = observing_call(deployment, live);
    let mut routers = Vec::new();
    for router in &deployment.router.names {
        let seen = hooks.observe(&call, router).await.map_err(|failure| failure.trouble)?;
        routers.push((router.clone(), seen));
    }
    Ok(routers)
}

/// A call that is about no deployment: what is live is asked about.
pub(crate) fn observing_call(deployment: &Deployment, live: Option<&LiveRecord>) -> crate::model::HookCall {
    let both = Color::ALL.iter().flat_map(|color| instances(deployment, *color)).collect();
    let release = live.map_or_else(no_release, |record| record.live.release.clone());
    let color = live.map_or(Color::Blue, |record| record.live.color);
    hook_call(deployment, "", &release, live, color, both, 1)
}

fn no_release() -> Release {
    Release {
        id: ReleaseId::from_parts("00000000T000000Z", Some("none"), "none"),
        number: 0,
        revision: None,
        subject: None,
        branch: None,
        version: None,
        digest: String::new(),
        size: 0,
        created: Timestamp(0),
        labels: Vec::new(),
    }
}
