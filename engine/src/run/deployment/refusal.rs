//! Why no deployment is begun though everyone answers, as errors.

use crate::model::{Maintenance, Outcome, Progress, Record, Refusal, Release, Trouble, Wish, ways_on};
use crate::store::HomeState;

/// Code of the error that a deployment has begun and not ended.
pub(crate) const UNFINISHED: &str = "deploy/unfinished";

/// Code of the error that the routers show something else than the record.
pub(crate) const DRIFT: &str = "deploy/drift";

/// Code of the error that what is live comes from somewhere else.
const ANOTHER_REPOSITORY: &str = "deploy/another-repository";

/// Code of the error that what is wanted is so already.
pub(crate) const SO_ALREADY: &str = "maintenance/so-already";

/// A deployment that has begun and not ended.
pub(crate) fn unfinished(state: &HomeState<Record>) -> Option<Trouble> {
    let journal = state.open.as_ref()?;
    let (_, last) = journal.records.last()?;
    if matches!(last, Record::Closed { outcome } if *outcome != Outcome::Stuck) {
        return None;
    }
    let message = format!("deployment {} has not ended", journal.deployment);
    let ways = Progress::replay(journal.entries())
        .map_or("`cutover doctor` says what is the matter", |progress| ways_on(&progress));
    Some(Trouble::new(UNFINISHED, message).hint(ways))
}

/// That what is live was built from another repository than what is to be built: most likely another application has the same name. To
/// begin would end it.
pub(crate) fn another_repository(live: &Release, ours: &Release) -> Option<Trouble> {
    let (theirs, ours) = (live.repository.as_ref()?, ours.repository.as_ref()?);
    (theirs != ours).then(|| {
        let number = live.number;
        let message = format!("release {number}, which is live, was built from `{theirs}`, and this project builds from `{ours}`");
        Trouble::new(ANOTHER_REPOSITORY, message).hint(
            "if that is another application of the same name, give this one a `name` of its own; if the repository has moved, \
             `cutover deploy --adopt` goes on from what is live",
        )
    })
}

/// That there is nothing to keep requests from.
pub(crate) fn nothing_live(refusal: &Refusal) -> Trouble {
    Trouble::new("maintenance/nothing-live", refusal.to_string())
        .hint("`cutover deploy` puts the first release live")
}

/// A refusal of what was wished as an error.
pub(crate) fn refused(refusal: &Refusal, wish: &Wish) -> Trouble {
    match refusal {
        Refusal::RoutersDisagree { .. } | Refusal::Shared { .. } => {
            Trouble::new("deploy/routers-disagree", refusal.to_string())
                .hint("put them on one colour, then deploy again; `cutover status` shows each")
        }
        Refusal::Drift { .. } if wish.command == "rollback" => {
            let number = wish.release.number;
            Trouble::new(DRIFT, refusal.to_string()).hint(format!(
                "find out who moved it; `cutover deploy --adopt --release {number}` takes the router's word for it and \
                 puts release {number} live"
            ))
        }
        Refusal::Drift { .. } if Maintenance::of(&wish.command).is_some() => {
            Trouble::new(DRIFT, refusal.to_string())
                .hint("find out who moved it, and put it back; or `cutover deploy --adopt` takes the router's word for it")
        }
        Refusal::Drift { .. } => Trouble::new(DRIFT, refusal.to_string())
            .hint("find out who moved it; `cutover deploy --adopt` takes the router's word for it"),
        Refusal::TooFewHosts { .. } => Trouble::new("deploy/too-few-hosts", refusal.to_string())
            .hint("`cutover check --hosts` says what keeps them from being reached"),
        Refusal::NoPlace { color } => Trouble::new("deploy/no-place", refusal.to_string()).hint(format!(
            "with the strategy and the colours of before, `cutover deploy` moves it from {color} to blue; then take them out again"
        )),
        // There is nobody left to begin with.
        Refusal::HostsOut { .. } if wish.adopt => Trouble::new("deploy/hosts-out", refusal.to_string())
            .hint("let at least one of them in again where they were taken out"),
        Refusal::HostsOut { .. } => Trouble::new("deploy/hosts-out", refusal.to_string())
            .hint(
                "let them in again where they were taken out, or leave them out of `app.hosts`; `cutover deploy --adopt` \
                 begins with them, and lets them in with what is new",
            ),
        Refusal::NothingLive => nothing_live(refusal),
        Refusal::InMaintenance { .. } => {
            Trouble::new(SO_ALREADY, refusal.to_string()).hint("`cutover maintenance off` ends it")
        }
        Refusal::NotInMaintenance { .. } => {
            Trouble::new(SO_ALREADY, refusal.to_string()).hint("`cutover status` shows what is live")
        }
        Refusal::Rests => Trouble::new("maintenance/rolling", refusal.to_string())
            .hint("`cutover maintenance off` lets requests in first"),
        Refusal::LiveAlready { .. } => Trouble::new("deploy/live-already", refusal.to_string())
            .hint("`cutover deploy` makes a new release, `cutover status` shows what is live"),
    }
}
