//! Whether a deployment would only put live what is live already, by the same configuration: a copy that costs the release before its place.

use super::artifact::What;
use super::ending::Ending;
use super::preflight::Ready;
use super::want::Want;
use crate::model::view::ExitCode;
use crate::model::{Basis, Deployment, HostName, LiveRecord, Note, Outcome, Release};

/// What is to be said of a deployment of the revision that is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AlreadyLive {
    /// It would change nothing.
    Nothing(String),
    /// It is deployed again, for a reason.
    Again(String),
}

/// Holds a wish against what is live; none when it is for another revision. `settings` are those of today.
pub(crate) fn already_live(
    deployment: &Deployment,
    want: &Want,
    ready: &Ready,
    settings: &Basis,
) -> Option<AlreadyLive> {
    let record = ready.state.live.as_ref()?;
    let What::Build { revision, .. } = &ready.source.what else { return None };
    let release = &record.live.release;
    if release.revision.as_ref() != Some(&revision.id) {
        return None;
    }
    // Whatever the record says: that is for those to hear who adopt what a router shows.
    let expected = Some(record.live.color).filter(|_| record.maintenance.is_none());
    if ready.observed.live_color() != Ok(expected) {
        return None;
    }
    let is_live = format!("{} is live already, as release {}", name(release), release.number);
    let because = |reason: String| Some(AlreadyLive::Again(format!("{is_live}; deployed again, {reason}")));
    if want.again {
        return because("as asked".to_owned());
    }
    let mut entries = ready.state.history.iter().rev();
    let deployed = entries.find(|entry| {
        entry.outcome == Outcome::Deployed
            && entry.command == "deploy"
            && entry.release.as_ref().is_some_and(|known| known.id == release.id)
    });
    let Some(then) = deployed.and_then(|entry| entry.settings.as_ref()) else {
        return because("since nobody remembers by what configuration".to_owned());
    };
    let changed: Vec<String> = then.changes(settings).into_iter().map(|change| change.key).collect();
    if !changed.is_empty() {
        return because(format!("since `{}` changed", changed.join("`, `")));
    }
    let lacking: Vec<&str> = lacking(deployment, ready, record).into_iter().map(HostName::as_str).collect();
    if !lacking.is_empty() {
        return because(format!("since it does not run on {}", lacking.join(" ")));
    }
    Some(AlreadyLive::Nothing(is_live))
}

/// `main 5b21d19`.
fn name(release: &Release) -> String {
    let revision = release.revision.as_deref().unwrap_or_default();
    let revision: String = revision.chars().take(7).collect();
    release.branch.as_ref().map_or_else(|| revision.clone(), |branch| format!("{branch} {revision}"))
}

/// Hosts within reach on which the live release does not run.
fn lacking<'a>(deployment: &'a Deployment, ready: &Ready, record: &LiveRecord) -> Vec<&'a HostName> {
    let live = &record.live;
    let runs = |host: &&HostName| {
        ready.observed.hosts.get(*host).is_some_and(|seen| {
            let instance = seen.instance(live.color);
            instance.running && instance.release.as_ref().or(instance.link.as_ref()) == Some(&live.release.id)
        })
    };
    // To one that can't be reached now it would not be brought now either.
    let is_there = |host: &&HostName| !ready.observed.unreachable.contains(*host);
    deployment.color_hosts(live.color).iter().filter(is_there).filter(|host| !runs(host)).collect()
}

/// The end of a run that had nothing to do. `notes` tell what might have been expected to be deployed.
pub(crate) fn nothing_to_do(is_live: String, notes: Vec<Note>) -> Ending {
    let mut facts = vec![Note::new("nothing to do", is_live)];
    facts.extend(notes);
    let hint =
        "`cutover deploy --again` deploys it all the same, as after a secret or a file on the hosts changed";
    Ending {
        outcome: Outcome::NothingChanged,
        error: None,
        facts,
        hint: Some(hint.to_owned()),
        exit_code: ExitCode::Done,
    }
}
