//! What is to be deployed, found out from what is wanted.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::refusal::nothing_live;
use super::want::Want;
use crate::model::request::DeploySource;
use crate::model::{
    Deployment, HostName, LiveRecord, Note, Record, Refusal, Release, ReleaseId, Timestamp, Trouble,
    before_live, never_live,
};
use crate::run::execute::moment::{compact_utc, four_letters, random};
use crate::run::world::observe::Staged;
use crate::run::world::session::Session;
use crate::source::{Checkout, Git, Mirror, Repository, Revision, SourceFailure};
use crate::store::{HomeState, next_release_number};

/// What is to be deployed, before it is built.
pub(crate) struct Resolved {
    pub(crate) what: What,
    id: ReleaseId,
    /// Commits since the live release.
    pub(crate) commits: Option<u64>,
    /// What the operator should know.
    pub(crate) notes: Vec<Note>,
}

/// Where it comes from.
pub(crate) enum What {
    Build { revision: Revision, branch: String, repository: Repository },
    Artifact(Utf8PathBuf),
    Staged(Box<Release>),
}

impl What {
    /// Where it is made ready.
    pub(crate) fn place(&self, deployment: &Deployment) -> String {
        match self {
            Self::Build { .. } => deployment.build.builder.to_string(),
            Self::Artifact(_) | Self::Staged(_) => "local".to_owned(),
        }
    }
}

impl Resolved {
    /// The release as far as it is known before the build.
    pub(crate) fn release(&self, state: &HomeState<Record>, staged: &Staged, now: Timestamp) -> Release {
        let number = || next_release_number(&state.history, state.live.as_ref(), staged.numbers());
        let mut release = Release::new(self.id.clone(), number(), now);
        match &self.what {
            What::Staged(staged) => release = (**staged).clone(),
            What::Artifact(_) => {}
            What::Build { revision, branch, repository } => {
                release.revision = Some(revision.id.clone());
                release.subject = Some(revision.subject.clone());
                release.branch = Some(branch.clone());
                release.repository = Some(repository.name());
            }
        }
        release
    }
}

/// Finds out what is to be deployed. Asks the repository; changes nothing on a host.
pub(crate) async fn resolve(
    session: &Session,
    want: &Want,
    state: &HomeState<Record>,
    staged: &Staged,
) -> Result<Resolved, Trouble> {
    let now = session.reporter.now();
    let id =
        |revision: Option<&str>| ReleaseId::from_parts(&compact_utc(now), revision, &four_letters(random()));
    match &want.source {
        DeploySource::Release(text) => {
            let hosts = idle_hosts(session, state);
            let release = if text.is_empty() {
                let (id, number) = release_before(state, staged)?;
                staged.find(id.as_str(), &hosts).map_err(|trouble| gone(trouble, number))?
            } else {
                staged.find(text, &hosts)?
            };
            let failed = never_live(&state.history, state.live.as_ref()).contains(&release.id);
            let never =
                || format!("release {} was never live: each deployment of it was put back", release.number);
            let note = (want.command == "rollback" && failed).then(|| Note::new("note", never()));
            Ok(Resolved {
                id: release.id.clone(),
                what: What::Staged(Box::new(release)),
                commits: None,
                notes: note.into_iter().collect(),
            })
        }
        DeploySource::Live => {
            let record = state.live.as_ref();
            let record = record.ok_or_else(|| nothing_live(&Refusal::NothingLive))?;
            let what = What::Staged(Box::new(record.live.release.clone()));
            Ok(Resolved { id: record.live.release.id.clone(), what, commits: None, notes: Vec::new() })
        }
        DeploySource::Artifact(path) => Ok(Resolved {
            id: id(None),
            what: What::Artifact(path.clone()),
            commits: None,
            notes: Vec::new(),
        }),
        DeploySource::Revision(asked) => {
            let (repository, branch, revision, commits, notes) =
                revision(session, asked.as_deref(), state).await?;
            let id = id(Some(&revision.id));
            Ok(Resolved { id, what: What::Build { revision, branch, repository }, commits, notes })
        }
    }
}

/// Hosts that take the release.
fn idle_hosts(session: &Session, state: &HomeState<Record>) -> Vec<HostName> {
    let mut hosts = session
        .deployment
        .color_hosts(super::ending::idle_of(&session.deployment, state.live.as_ref()))
        .to_vec();
    hosts.retain(|host| !session.excluded.contains_key(host));
    hosts
}

/// Identifier and number of what a rollback without `--to` goes to.
fn release_before(state: &HomeState<Record>, staged: &Staged) -> Result<(ReleaseId, u64), Trouble> {
    let live = state.live.as_ref();
    live.and_then(|record| before_live(&state.history, record))
        .ok_or_else(|| none_before(live, &never_live(&state.history, live), staged))
}

/// Nothing that is older was ever live; of what else there is, what never was is not worth a rollback.
fn none_before(live: Option<&LiveRecord>, never_live: &BTreeSet<ReleaseId>, staged: &Staged) -> Trouble {
    let live = live.map(|record| &record.live.release);
    let others = staged.releases.iter().flat_map(|(_, releases)| releases);
    let others = others.filter(|release| live.is_none_or(|live| live.id != release.id));
    let (failed, others): (BTreeSet<_>, BTreeSet<_>) = others
        .map(|release| (never_live.contains(&release.id), release.number))
        .partition(|(failed, _)| *failed);
    let listed = |of: &BTreeSet<(bool, u64)>| {
        of.iter().map(|(_, number)| number.to_string()).collect::<Vec<_>>().join(", ")
    };
    let hint = match (others.is_empty(), failed.is_empty()) {
        (true, true) => "it is the only one on the hosts; `cutover deploy` makes another".to_owned(),
        (true, false) => format!(
            "what else is on the hosts was put back each time: {}; `cutover deploy` makes another",
            listed(&failed)
        ),
        (false, _) => format!(
            "`cutover rollback --to N` takes another that is on the hosts: {}; `cutover status --releases` tells what they are",
            listed(&others)
        ),
    };
    let live = live.map_or_else(String::new, |live| format!(" {}", live.number));
    let message = format!("nothing older than the live release{live} was ever live");
    Trouble::new("rollback/no-previous", message).hint(hint)
}

/// The release before is not where it is needed.
fn gone(trouble: Trouble, number: u64) -> Trouble {
    if trouble.code != "release/unknown" {
        return trouble;
    }
    Trouble::new("release/unknown", format!("the release before was {number}, which is on no host any more"))
        .hint("`cutover rollback --to N` takes another one, `cutover status --releases` lists them")
}

pub(crate) fn source_trouble(failure: &SourceFailure) -> Trouble {
    let mut trouble = Trouble::new("source/failed", failure.to_string());
    trouble.hint = failure.hint().map(str::to_owned);
    trouble
}

type Found = (Repository, String, Revision, Option<u64>, Vec<Note>);

async fn revision(
    session: &Session,
    asked: Option<&str>,
    state: &HomeState<Record>,
) -> Result<Found, Trouble> {
    let failed = |failure: SourceFailure| source_trouble(&failure);
    let build = &session.deployment.build;
    let agent = session.operator.ssh_agent.as_deref();
    let here = session.here.as_ref();
    let checkout = Checkout::new(Git::new(here, agent), &session.deployment.root);
    let repository = match &build.repository {
        Some(text) => Repository::parse(text, &session.deployment.root).map_err(failed)?,
        None => checkout.remote().await.map_err(failed)?,
    };
    let branch = match build.branch.as_str() {
        "*" => checkout.branch().await.map_err(failed)?.unwrap_or_else(|| "main".to_owned()),
        branch => branch.to_owned(),
    };
    let mirror = Mirror::fetch(Git::new(here, agent), &repository, &branch, session.workspace.as_str());
    let mirror = mirror.await.map_err(failed)?;
    // Where the repository is named apart, that of the checkout may be another one.
    let is_ours = build.repository.is_none();
    let revision = match mirror.revision(asked).await {
        Ok(revision) => revision,
        Err(failure) => {
            let mut trouble = source_trouble(&failure);
            if is_ours
                && failure.is_unpushed()
                && let Ok(Some(push)) = checkout.push(&branch).await
            {
                trouble.hint = Some(format!("`{push}` first: only what the remote's branch has is built"));
            }
            return Err(trouble);
        }
    };
    let live = state.live.as_ref().and_then(|record| record.live.release.revision.clone());
    let commits = match live {
        Some(live) => {
            mirror.distance(&live, &revision.id).await.map_err(failed)?.map(|distance| distance.commits)
        }
        None => None,
    };
    let mut work = checkout.local_work(&branch).await.map_err(failed)?;
    work.push = work.push.filter(|_| is_ours);
    let notes = work.note().map(|text| Note::new("note", text)).into_iter().collect();
    Ok((repository, branch, revision, commits, notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Color, LiveRelease};

    #[test]
    fn a_rollback_that_has_nowhere_to_go_is_told_what_else_there_is() {
        let release = |number: u64| Release::for_tests(&format!("r{number}"), number);
        let live = LiveRelease {
            color: Color::Blue,
            release: release(3),
            since: Timestamp(0),
            excluded: Vec::new(),
        };
        let record = LiveRecord { generation: 1, live, previous: None, maintenance: None };
        let told = |staged: &[u64], failed: &[u64]| {
            let host = HostName::new("web1").expect("a name");
            let staged =
                Staged { releases: vec![(host, staged.iter().map(|number| release(*number)).collect())] };
            let failed = failed.iter().map(|number| release(*number).id).collect();
            let trouble = none_before(Some(&record), &failed, &staged);
            assert_eq!(trouble.message, "nothing older than the live release 3 was ever live");
            trouble.hint.expect("a hint")
        };
        assert_eq!(told(&[3], &[]), "it is the only one on the hosts; `cutover deploy` makes another");
        assert_eq!(
            told(&[2, 3, 4], &[2, 4]),
            "what else is on the hosts was put back each time: 2, 4; `cutover deploy` makes another"
        );
        assert_eq!(
            told(&[1, 2, 3, 4], &[2]),
            "`cutover rollback --to N` takes another that is on the hosts: 1, 4; `cutover status --releases` tells what they are"
        );
    }
}
