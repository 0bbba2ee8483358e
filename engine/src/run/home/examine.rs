//! Asks every host of the configuration what it keeps of the state, whatever the others say. Changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::{Answer, Facts, Operation};
use tokio::task::JoinSet;

use crate::driver::Slot;
use crate::model::{Color, Deployment, HostName, Reach, Record, Timestamp, Trouble};
use crate::run::execute::reporter::Clock;
use crate::run::world::observe::all_app_hosts;
use crate::run::world::performer::{host_failure, store_fault};
use crate::store::{Membership, Said, StateSight, StoreFault};
use crate::transport::{Failure, Link, Links};

#[cfg(test)]
pub(super) mod sample;

/// For one question.
const DEADLINE: Duration = Duration::from_secs(20);

/// What a host said.
#[derive(Debug, Clone)]
pub(crate) struct Examined {
    /// Of itself.
    pub(crate) facts: Facts,
    /// Milliseconds that its clock is ahead of this machine's, as far as that can be told.
    pub(crate) ahead_ms: i64,
    /// Its state directories; one, unless something is wrong or nothing was deployed yet.
    pub(crate) states: Vec<StateSight<Record>>,
    /// Parts of releases in the application's directory.
    pub(crate) partials: Vec<String>,
    /// Builds of cutover that have left their helper there.
    pub(crate) helpers: usize,
}

/// Every host of a configuration.
pub(crate) type Examination = BTreeMap<HostName, Result<Examined, Trouble>>;

impl Examined {
    /// The directory that counts: the one that says what line it belongs to, else the only one.
    pub(crate) fn state(&self) -> Option<&StateSight<Record>> {
        let says = |state: &&StateSight<Record>| !matches!(state.membership, Ok(None));
        self.states.iter().find(says).or(self.states.first())
    }

    /// Its part in a line of deployments, when it can be read.
    pub(crate) fn membership(&self) -> Option<&Membership> {
        self.state()?.membership.as_ref().ok()?.as_ref()
    }

    /// What it says of itself.
    pub(crate) fn said<'a>(&'a self, host: &'a HostName) -> Said<'a> {
        let path = self.state().map_or("", |state| state.path.as_str());
        Said { host, path, membership: self.membership() }
    }
}

/// Asks all of them at once, and the object store too, where one keeps the state.
pub(crate) async fn examine(
    deployment: &Arc<Deployment>,
    links: &Links,
    bucket: Option<&Arc<dyn Link>>,
    clock: &Arc<dyn Clock>,
) -> Examination {
    let mut asking = JoinSet::new();
    if let Some(bucket) = bucket.cloned() {
        let (deployment, clock) = (Arc::clone(deployment), Arc::clone(clock));
        asking.spawn(async move {
            let name = bucket.name().clone();
            let examined = examine_bucket(&deployment, bucket, clock.as_ref()).await;
            (name, examined)
        });
    }
    for name in deployment.hosts.keys().cloned() {
        let (deployment, link) = (Arc::clone(deployment), links.get(&name));
        let clock = Arc::clone(clock);
        asking.spawn(async move {
            let examined = match link {
                Some(link) => examine_host(&deployment, &name, link, clock.as_ref()).await,
                None => Err(Trouble::new("host/unknown", format!("there is no way to `{name}`"))),
            };
            (name, examined)
        });
    }
    asking.join_all().await.into_iter().collect()
}

async fn examine_bucket(
    deployment: &Deployment,
    link: Arc<dyn Link>,
    clock: &dyn Clock,
) -> Result<Examined, Trouble> {
    let name = link.name().clone();
    let failed = |failure: Failure| {
        // What is only asked leaves nothing unknown.
        let failure = match failure {
            Failure::Broken(words) => Failure::Unreachable(words),
            other @ (Failure::Fault(_)
            | Failure::Unreachable(_)
            | Failure::Untrusted(_)
            | Failure::Nonsense(_)) => other,
        };
        store_fault(&StoreFault::new(&name, failure)).trouble
    };
    let before = clock.now();
    let operation = Operation::Facts { paths: Vec::new() };
    let asked = link.perform(operation.call().within(DEADLINE)).await;
    let Answer::Facts(facts) = asked.map_err(failed)? else {
        return Err(failed(Failure::Nonsense("it answered what was not asked".to_owned())));
    };
    let ahead_ms = ahead(before, clock.now(), Timestamp(facts.now_ms));
    let states = StateSight::look_in_bucket(link, &deployment.app, deployment.environment.as_ref()).await;
    let states = states.map_err(|fault| store_fault(&fault).trouble)?;
    Ok(Examined { facts, ahead_ms, states, partials: Vec::new(), helpers: 0 })
}

async fn examine_host(
    deployment: &Deployment,
    host: &HostName,
    link: Arc<dyn Link>,
    clock: &dyn Clock,
) -> Result<Examined, Trouble> {
    let failed = |failure: Failure| host_failure(host, &failure).trouble;
    let strange = || failed(Failure::Nonsense("it answered what was not asked".to_owned()));
    let ask = async |operation: Operation| link.perform(operation.call().within(DEADLINE)).await;
    // The first question brings the helper there, which takes its time: the clock is asked for by the second one.
    let Answer::Facts(_) = ask(Operation::Facts { paths: Vec::new() }).await.map_err(failed)? else {
        return Err(strange());
    };
    let before = clock.now();
    let Answer::Facts(facts) = ask(Operation::Facts { paths: Vec::new() }).await.map_err(failed)? else {
        return Err(strange());
    };
    let ahead_ms = ahead(before, clock.now(), Timestamp(facts.now_ms));
    let (app, environment) = (&deployment.app, deployment.environment.as_ref());
    let states = StateSight::look(Arc::clone(&link), &facts.home, app, environment).await;
    let states = states.map_err(|fault| store_fault(&fault).trouble)?;
    let mut partials = Vec::new();
    if all_app_hosts(deployment).contains(host) {
        let slot = Slot::new(deployment, host, Color::Blue, &facts)
            .map_err(|failure| Trouble::new("host/strange-home", format!("{host}: {failure}")))?;
        let inspect = Operation::InspectApplication { directory: slot.directory().to_owned() };
        let Answer::Application(found) = ask(inspect).await.map_err(failed)? else { return Err(strange()) };
        partials = found.partials;
    }
    let mut helpers = 0;
    if let Some(Reach::Ssh { helper_directory, .. }) = deployment.hosts.get(host).map(|host| &host.reach) {
        let list = Operation::ListNames { path: helper_directory.clone(), beneath: None };
        // One that does not let itself be listed is told of where it is used.
        if let Ok(Answer::Names(names)) = ask(list).await {
            helpers = names.iter().filter(|name| name.starts_with("cutover-host-")).count();
        }
    }
    Ok(Examined { facts, ahead_ms, states, partials, helpers })
}

/// How far a clock is ahead that showed `there` at some moment between `before` and `after`; 0 when it may be right.
fn ahead(before: Timestamp, after: Timestamp, there: Timestamp) -> i64 {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    if there.0 < before.0 { -signed(before.0 - there.0) } else { signed(there.0.saturating_sub(after.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_ahead_by_what_the_question_can_not_explain() {
        let at = |ms: u64| Timestamp(1_000_000 + ms);
        let table = [(5, 0), (0, 0), (9, 0), (60_009, 60_000), (10, 1)];
        for (there, expected) in table {
            assert_eq!(ahead(at(0), at(9), at(there)), expected, "{there}");
        }
        assert_eq!(ahead(at(60_000), at(60_009), at(0)), -60_000);
    }
}
