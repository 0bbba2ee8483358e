//! From a wish to an artifact: what is to be deployed, and its build.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use cutover_host::artifact::Artifact;

use super::deploy::Want;
use super::observe::Staged;
use super::performer::hook_call;
use super::session::Session;
use crate::model::request::DeploySource;
use crate::model::{
    Color, EventKind, HookRelease, Note, Reach, Record, Release, ReleaseId, Size, Source, Step, StepEnd,
    Timestamp, Trouble,
};
use crate::source::{Checkout, Git, Mirror, Repository, Revision, SourceFailure};
use crate::store::{HomeState, next_release_number};

/// What is to be deployed, before it is built.
pub(super) struct Resolved {
    what: What,
    id: ReleaseId,
    /// Commits since the live release.
    pub(super) commits: Option<u64>,
    /// What the operator should know.
    pub(super) notes: Vec<Note>,
}

enum What {
    Build { revision: Revision, branch: String, repository: Repository },
    Artifact(Utf8PathBuf),
    Staged(Box<Release>),
}

/// What is to be deployed, ready to be staged.
pub(super) struct Built {
    pub(super) release: Release,
    /// What is staged; none when it is on the hosts.
    pub(super) artifact: Option<Arc<Artifact>>,
    /// Whether the release gets a number of its own.
    pub(super) is_new: bool,
    /// Directory to remove at the end.
    pub(super) scratch: Option<Utf8PathBuf>,
}

impl Resolved {
    /// The release as far as it is known before the build.
    pub(super) fn release(&self, state: &HomeState<Record>, staged: &Staged, now: Timestamp) -> Release {
        let number = || next_release_number(&state.history, state.live.as_ref(), staged.numbers());
        let mut release = Release::new(self.id.clone(), number(), now);
        match &self.what {
            What::Staged(staged) => release = (**staged).clone(),
            What::Artifact(_) => {}
            What::Build { revision, branch, .. } => {
                release.revision = Some(revision.id.clone());
                release.subject = Some(revision.subject.clone());
                release.branch = Some(branch.clone());
            }
        }
        release
    }
}

/// Finds out what is to be deployed. Asks the repository; changes nothing on a host.
pub(super) async fn resolve(
    session: &Session,
    want: &Want,
    state: &HomeState<Record>,
    staged: &Staged,
) -> Result<Resolved, Trouble> {
    let now = session.reporter.now();
    let id = |revision: Option<&str>| {
        ReleaseId::from_parts(&super::compact_utc(now), revision, &super::four_letters(super::random()))
    };
    match &want.source {
        DeploySource::Release(text) => {
            let release = if text.is_empty() {
                previous(state)?
            } else {
                staged.find(text, &idle_hosts(session, state))?
            };
            let release = staged.find(release.id.as_str(), &idle_hosts(session, state))?;
            Ok(Resolved {
                id: release.id.clone(),
                what: What::Staged(Box::new(release)),
                commits: None,
                notes: Vec::new(),
            })
        }
        DeploySource::Artifact(path) => Ok(Resolved {
            id: id(None),
            what: What::Artifact(path.clone()),
            commits: None,
            notes: Vec::new(),
        }),
        DeploySource::Revision(asked) => {
            let found = revision(session, asked.as_deref(), state).await;
            let (repository, branch, revision, commits, notes) =
                found.map_err(|failure| source_trouble(&failure))?;
            let id = id(Some(&revision.id));
            Ok(Resolved { id, what: What::Build { revision, branch, repository }, commits, notes })
        }
    }
}

fn idle_hosts(session: &Session, state: &HomeState<Record>) -> Vec<crate::model::HostName> {
    session.deployment.color_hosts(super::ending::idle_of(state.live.as_ref())).to_vec()
}

fn previous(state: &HomeState<Record>) -> Result<Release, Trouble> {
    let previous = state.live.as_ref().and_then(|record| record.previous.as_ref());
    previous.map(|live| live.release.clone()).ok_or_else(|| {
        Trouble::new("rollback/no-previous", "there is no release before the live one").hint(
            "`cutover rollback --to N` takes any release that is on the hosts, `cutover history` lists them",
        )
    })
}

pub(super) fn source_trouble(failure: &SourceFailure) -> Trouble {
    let mut trouble = Trouble::new("source/failed", failure.to_string());
    trouble.hint = failure.hint().map(str::to_owned);
    trouble
}

type Found = (Repository, String, Revision, Option<u64>, Vec<Note>);

async fn revision(
    session: &Session,
    asked: Option<&str>,
    state: &HomeState<Record>,
) -> Result<Found, SourceFailure> {
    let build = &session.deployment.build;
    let agent = session.operator.ssh_agent.as_deref();
    let here = session.here.as_ref();
    let checkout = Checkout::new(Git::new(here, agent), &session.deployment.root);
    let repository = match &build.repository {
        Some(text) => Repository::parse(text, &session.deployment.root)?,
        None => checkout.remote().await?,
    };
    let branch = match build.branch.as_str() {
        "*" => checkout.branch().await?.unwrap_or_else(|| "main".to_owned()),
        branch => branch.to_owned(),
    };
    let home = session.home_directory.as_str();
    let mirror = Mirror::fetch(Git::new(here, agent), &repository, &branch, home).await?;
    let revision = mirror.revision(asked).await?;
    let live = state.live.as_ref().and_then(|record| record.live.release.revision.clone());
    let commits = match live {
        Some(live) => mirror.distance(&live, &revision.id).await?.map(|distance| distance.commits),
        None => None,
    };
    let notes = checkout.local_work().await?.note().map(|text| Note::new("note", text)).into_iter().collect();
    Ok((repository, branch, revision, commits, notes))
}

/// Builds, or takes in what was built elsewhere.
pub(super) async fn build(
    session: &Session,
    resolved: &Resolved,
    release: Release,
    deployment: &str,
) -> Result<Built, Trouble> {
    if let What::Staged(_) = &resolved.what {
        return Ok(Built { release, artifact: None, is_new: false, scratch: None });
    }
    let step = Step::Build;
    let places = vec![session.deployment.build.builder.to_string()];
    let began = session.reporter.now();
    session.reporter.tell(EventKind::StepStarted { step, places: places.clone(), wait: None });
    let ended = |end, summary: String, details: Vec<Note>| {
        let took = session.reporter.now().since(began);
        session.reporter.tell(EventKind::StepEnded {
            step,
            places: places.clone(),
            end,
            summary,
            details,
            took,
        });
    };
    match make(session, resolved, release, deployment).await {
        Ok((built, what)) => {
            let digest: String = built.release.digest.chars().take(11).collect();
            ended(StepEnd::Ok, format!("{what}, {}, {digest}…", Size::bytes(built.release.size)), Vec::new());
            Ok(built)
        }
        Err(trouble) => {
            let mut lines = trouble.message.lines();
            let first = lines.next().unwrap_or_default().to_owned();
            let rest: Vec<Note> = lines.map(|line| Note::new("", line)).collect();
            ended(StepEnd::Failed, first.clone(), rest);
            Err(Trouble { message: first, ..trouble })
        }
    }
}

async fn make(
    session: &Session,
    resolved: &Resolved,
    mut release: Release,
    deployment: &str,
) -> Result<(Built, String), Trouble> {
    let (path, scratch, what) = match &resolved.what {
        What::Staged(_) => {
            return Err(Trouble::new("internal/build", "a release that is there is not built"));
        }
        What::Artifact(path) => (path.clone(), None, path.to_string()),
        What::Build { revision, branch, repository } => {
            let scratch = session.workspace.join("builds").join(deployment);
            let made = run_hook(session, &mut release, revision, branch, repository, &scratch).await;
            let (path, what) = match made {
                Ok(made) => made,
                Err(trouble) => {
                    remove(&scratch).await;
                    return Err(trouble);
                }
            };
            (path, Some(scratch), what)
        }
    };
    let reading = path.clone();
    let read = tokio::task::spawn_blocking(move || Artifact::read(reading.as_std_path())).await;
    let artifact = read
        .map_err(|error| Trouble::new("internal/panic", error.to_string()))?
        .map_err(|error| Trouble::new("build/artifact", format!("`{path}` can't be staged: {error}")))?;
    release.digest = artifact.manifest().digest();
    release.size = artifact.manifest().total_bytes();
    Ok((Built { release, artifact: Some(Arc::new(artifact)), is_new: true, scratch }, what))
}

async fn run_hook(
    session: &Session,
    release: &mut Release,
    revision: &Revision,
    branch: &str,
    repository: &Repository,
    scratch: &Utf8Path,
) -> Result<(Utf8PathBuf, String), Trouble> {
    let deployment = &session.deployment;
    let builder = &deployment.build.builder;
    if deployment.hosts.get(builder).is_some_and(|host| host.reach != Reach::Local) {
        let message = format!("the builder `{builder}` is another machine, and builds run on this one only");
        return Err(Trouble::new("build/remote-builder", message)
            .hint("leave `build.builder` out, or `deploy --artifact PATH`"));
    }
    let (checkout, output) = (scratch.join("checkout"), scratch.join("output"));
    tokio::fs::create_dir_all(&output)
        .await
        .map_err(|error| Trouble::new("build/workspace", format!("`{output}` can't be made: {error}")))?;
    let agent = session.operator.ssh_agent.as_deref();
    let git = || Git::new(session.here.as_ref(), agent);
    let mirror = Mirror::fetch(git(), repository, branch, session.home_directory.as_str()).await;
    let mirror = mirror.map_err(|failure| source_trouble(&failure))?;
    mirror.check_out(revision, checkout.as_str()).await.map_err(|failure| source_trouble(&failure))?;
    let unbuilt = HookRelease::unbuilt(&release.id, release.revision.clone());
    let mut call = hook_call(deployment, "", release, None, Color::Blue, Vec::new(), 1);
    call.release = unbuilt;
    let source = Source {
        revision: revision.id.clone(),
        branch: branch.to_owned(),
        checkout: checkout.to_string(),
        output: output.to_string(),
    };
    let artifact = session.hooks.build(&call, &source).await.map_err(|failure| failure.trouble)?;
    release.version = artifact.version;
    release.labels = artifact.labels;
    let path = if artifact.path.is_empty() { output.clone() } else { output.join(&artifact.path) };
    let inside = path.canonicalize_utf8().ok().zip(output.canonicalize_utf8().ok());
    if !inside.is_some_and(|(path, output)| path.starts_with(&output)) {
        let message =
            format!("the build hook named `{}`, which is not below its output directory", artifact.path);
        return Err(Trouble::new("build/artifact", message));
    }
    let what = if artifact.path.is_empty() { "built".to_owned() } else { artifact.path };
    Ok((path, what))
}

/// Removes a build's directory; what stays costs room alone.
pub(super) async fn remove(scratch: &Utf8Path) {
    let _ = tokio::fs::remove_dir_all(scratch).await;
}
