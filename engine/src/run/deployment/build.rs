//! The build: a clean checkout of one revision, the hook on the host that builds, and what it made, brought to this machine.
//!
//! A builder that is another host gets the checkout the way that hosts get releases, and needs no git for it; what was made there comes
//! back the same way. Both directories are held: they go when the run ends, however it ends.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use cutover_host::artifact::Artifact;
use cutover_host::operation::{Answer, Operation};

use super::artifact::{Resolved, What, source_trouble};
use crate::model::{
    Color, EventKind, HookRelease, HostName, Note, Release, Size, Source, Step, StepEnd, Transfer, Trouble,
};
use crate::run::execute::interrupts::INTERRUPTED;
use crate::run::execute::interrupts::Interrupts;
use crate::run::ready::needs::builds_directory;
use crate::run::world::made::Made;
use crate::run::world::observe::all_app_hosts;
use crate::run::world::performer::{hook_call, host_failure};
use crate::run::world::session::Session;
use crate::run::world::site::Site;
use crate::source::{Git, Mirror, Repository, Revision};
use crate::transport::{self, Failure, HeldDirectory, Link, Stand, Tree};

/// For small operations on a directory, and for making a whole tree durable.
const PATIENCE: Duration = Duration::from_mins(10);

/// What the checkout is called on another host.
const CHECKOUT: &str = "checkout";

/// What the artifact of another host is called here.
const ARTIFACT: &str = "artifact";

/// What is to be deployed, ready to be staged.
pub(crate) struct Built {
    pub(crate) release: Release,
    /// What is staged; none when it is on the hosts.
    pub(crate) made: Option<Made>,
    /// Whether the release gets a number of its own.
    pub(crate) is_new: bool,
    /// Directories that are needed until it is staged.
    pub(crate) held: Vec<HeldDirectory>,
}

/// Builds, or takes in what was built elsewhere. A signal ends it.
pub(crate) async fn build(
    session: &Session,
    resolved: &Resolved,
    release: Release,
    deployment: &str,
) -> Result<Built, Trouble> {
    if let What::Staged(_) = &resolved.what {
        return Ok(Built { release, made: None, is_new: false, held: Vec::new() });
    }
    let step = Step::Build;
    let places = vec![resolved.what.place(&session.deployment)];
    let began = session.reporter.now();
    session.reporter.tell(EventKind::StepStarted { step, places: places.clone(), weight: None, wait: None });
    let ended = |end, summary: String, details: Vec<Note>| {
        let took = session.reporter.now().since(began);
        let places = places.clone();
        session.reporter.tell(EventKind::StepEnded {
            step,
            places,
            weight: None,
            end,
            summary,
            details,
            took,
        });
    };
    let mut held = Vec::new();
    let mut interrupts = session.interrupts.clone();
    let made = tokio::select! {
        made = make(session, resolved, release, deployment, &mut held) => made,
        Ok(signal) = interrupts.wait_for(Interrupts::any) => Err(signal.trouble()),
    };
    match made {
        Ok((release, made, what)) => {
            let digest: String = release.digest.chars().take(11).collect();
            ended(StepEnd::Ok, format!("{what}, {}, {digest}…", Size::bytes(release.size)), Vec::new());
            let app_hosts = all_app_hosts(&session.deployment);
            let (held, done) = held.into_iter().partition(|directory: &HeldDirectory| {
                directory.host() == session.here.name() || app_hosts.contains(directory.host())
            });
            let_go(session, done).await;
            Ok(Built { release, made: Some(made), is_new: true, held })
        }
        Err(trouble) => {
            let mut lines = trouble.message.lines();
            let first = lines.next().unwrap_or_default().to_owned();
            let rest: Vec<Note> = lines.map(|line| Note::new("", line)).collect();
            let end = if trouble.code == INTERRUPTED { StepEnd::Interrupted } else { StepEnd::Failed };
            ended(end, first.clone(), rest);
            let_go(session, held).await;
            let hint = trouble.hint.or_else(|| retry(&resolved.what).filter(|_| end == StepEnd::Failed));
            Err(Trouble { message: first, hint, ..trouble })
        }
    }
}

/// What to do when a build has failed.
fn retry(what: &What) -> Option<String> {
    let again = "mend it, push it, and `cutover deploy` again; with `-v` that shows all that the build says";
    matches!(what, What::Build { .. }).then(|| again.to_owned())
}

/// Has the directories of a build removed; what stays is told, and costs room alone.
pub(crate) async fn let_go(session: &Session, held: Vec<HeldDirectory>) {
    for directory in held {
        let place = format!("`{}` on {}", directory.path(), directory.host());
        if let Err(failure) = directory.close().await {
            session.reporter.tell(EventKind::Warning {
                text: format!("{place}, where it was built, may still be there: {failure}"),
                hint: Some("the next build there removes what is left".to_owned()),
            });
        }
    }
}

async fn make(
    session: &Session,
    resolved: &Resolved,
    mut release: Release,
    deployment: &str,
    held: &mut Vec<HeldDirectory>,
) -> Result<(Release, Made, String), Trouble> {
    let (path, twin, what) = match &resolved.what {
        What::Staged(_) => {
            return Err(Trouble::new("internal/build", "a release that is there is not built"));
        }
        What::Artifact(path) => (path.clone(), None, path.to_string()),
        What::Build { revision, branch, repository } => {
            let own = session.workspace.join("builds");
            let own = HeldDirectory::open(session.here.as_ref(), own.as_str(), deployment).await;
            let own = own.map_err(|failure| workspace(&failure))?;
            let directory = Utf8PathBuf::from(own.path());
            held.push(own);
            let checkout = directory.join(CHECKOUT);
            check_out(session, revision, branch, repository, &checkout).await?;
            let source = Source {
                revision: revision.id.clone(),
                branch: branch.clone(),
                checkout: checkout.into_string(),
                output: directory.join("output").into_string(),
            };
            match remote(session)? {
                None => build_here(session, &mut release, &source).await?,
                Some((site, builds)) => {
                    let token = format!("{deployment}-builder");
                    let there = HeldDirectory::open(site.link.as_ref(), &builds, &token).await;
                    let there = there.map_err(|failure| host_failure(site.link.name(), &failure).trouble)?;
                    let place = there.path().to_owned();
                    held.push(there);
                    build_there(session, site, &mut release, source, &place, &directory).await?
                }
            }
        }
    };
    let artifact = read(&path)
        .await
        .map_err(|error| Trouble::new("build/artifact", format!("`{path}` can't be staged: {error}")))?;
    artifact.digest().clone_into(&mut release.digest);
    release.size = artifact.manifest().total_bytes();
    Ok((release, Made { artifact: Arc::new(artifact), twin }, what))
}

/// The builder, when it is another host, and the directory for builds there.
fn remote(session: &Session) -> Result<Option<(&Site, String)>, Trouble> {
    let Some(directory) = builds_directory(&session.deployment) else { return Ok(None) };
    let builder = &session.deployment.build.builder;
    let unknown = || Trouble::new("host/unknown", format!("host `{builder}` was not connected to"));
    Ok(Some((session.sites.get(builder).ok_or_else(unknown)?, directory)))
}

async fn check_out(
    session: &Session,
    revision: &Revision,
    branch: &str,
    repository: &Repository,
    checkout: &Utf8Path,
) -> Result<(), Trouble> {
    let git = Git::new(session.here.as_ref(), session.operator.ssh_agent.as_deref());
    let checked_out = async {
        let mirror = Mirror::fetch(git, repository, branch, session.workspace.as_str()).await?;
        mirror.check_out(revision, checkout.as_str()).await
    };
    checked_out.await.map_err(|failure| source_trouble(&failure))
}

type Artifacts = (Utf8PathBuf, Option<(HostName, String)>, String);

async fn build_here(session: &Session, release: &mut Release, source: &Source) -> Result<Artifacts, Trouble> {
    let output = Utf8Path::new(&source.output);
    let made = make_directory(session.here.as_ref(), &source.output).await;
    made.map_err(|failure| workspace(&failure))?;
    let name = ask_hook(session, release, source).await?;
    let path = below(output, &name);
    let inside = path.canonicalize_utf8().ok().zip(output.canonicalize_utf8().ok());
    if !inside.is_some_and(|(path, output)| path.starts_with(&output)) {
        return Err(not_below(&name));
    }
    Ok((path, None, shown(name)))
}

/// Sends the checkout to the builder, has the hook build there in `place`, and fetches what it made into `directory` here.
async fn build_there(
    session: &Session,
    site: &Site,
    release: &mut Release,
    source: Source,
    place: &str,
    directory: &Utf8Path,
) -> Result<Artifacts, Trouble> {
    let (link, builder) = (site.link.as_ref(), site.link.name());
    let failed = |failure: Failure| host_failure(builder, &failure).trouble;
    send_checkout(session, site, &source.checkout, place).await?;
    let source = Source {
        checkout: format!("{place}/releases/{CHECKOUT}"),
        output: format!("{place}/output"),
        ..source
    };
    make_directory(link, &source.output).await.map_err(failed)?;
    let name = ask_hook(session, release, &source).await?;
    let path = below(Utf8Path::new(&source.output), &name);
    session.reporter.tell(EventKind::StepProgress {
        step: Step::Build,
        place: Some(builder.to_string()),
        text: "fetching the artifact".to_owned(),
        transfer: None,
    });
    let here = session.here.as_ref();
    let room = room(here, directory).await.map_err(|failure| workspace(&failure))?;
    let tree = Tree { path: path.as_str(), beneath: place };
    let stand = Stand { directory: directory.as_str(), release: ARTIFACT, token: ARTIFACT, twin: None };
    transport::fetch(link, tree, here, stand, room).await.map_err(|failure| {
        let trouble = failed(failure);
        Trouble { message: format!("the artifact can't be fetched: {}", trouble.message), ..trouble }
    })?;
    finish(here, stand).await.map_err(|failure| workspace(&failure))?;
    let twin = (builder.clone(), path.into_string());
    Ok((directory.join("releases").join(ARTIFACT), Some(twin), shown(name)))
}

async fn send_checkout(session: &Session, site: &Site, checkout: &str, place: &str) -> Result<(), Trouble> {
    let builder = site.link.name();
    let source = read(Utf8Path::new(checkout)).await.map_err(|error| {
        let message = format!("the checkout can't be sent to {builder}: {error}");
        Trouble::new("build/source", message).hint("build on this machine: leave `build.builder` out")
    })?;
    let (reporter, told) = (session.reporter.clone(), builder.to_string());
    let progress = Arc::new(move |transfer: Transfer| {
        reporter.tell(EventKind::StepProgress {
            step: Step::Build,
            place: Some(told.clone()),
            text: "sending the checkout".to_owned(),
            transfer: Some(transfer),
        });
    });
    let stand = Stand { directory: place, release: CHECKOUT, token: CHECKOUT, twin: None };
    let sent = async {
        transport::stage(site.link.as_ref(), stand, &Arc::new(source), progress).await?;
        finish(site.link.as_ref(), stand).await
    };
    sent.await.map_err(|failure| host_failure(builder, &failure).trouble)
}

/// Asks the hook to build; answers the artifact's path below the output.
async fn ask_hook(session: &Session, release: &mut Release, source: &Source) -> Result<String, Trouble> {
    let unbuilt = HookRelease::unbuilt(&release.id, release.revision.clone());
    let mut call = hook_call(&session.deployment, "", release, None, Color::Blue, Vec::new(), 1);
    call.release = unbuilt;
    let artifact = session.hooks.build(&call, source).await.map_err(|failure| failure.trouble)?;
    release.version = artifact.version;
    release.labels = artifact.labels;
    Ok(artifact.path)
}

async fn read(path: &Utf8Path) -> Result<Artifact, String> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || Artifact::read(path.as_std_path())).await;
    read.map_err(|error| error.to_string())?.map_err(|fault| fault.to_string())
}

async fn make_directory(link: &dyn Link, path: &str) -> Result<(), Failure> {
    perform(link, Operation::MakeDirectory { path: path.to_owned(), mode: 0o700 }).await.map(drop)
}

async fn finish(link: &dyn Link, stand: Stand<'_>) -> Result<(), Failure> {
    let finish = Operation::StageFinish {
        directory: stand.directory.to_owned(),
        release: stand.release.to_owned(),
        token: stand.token.to_owned(),
        record: String::new(),
        linked_dirs: Vec::new(),
        linked_files: Vec::new(),
    };
    perform(link, finish).await.map(drop)
}

/// Bytes that there is room for.
async fn room(link: &dyn Link, path: &Utf8Path) -> Result<u64, Failure> {
    let answer = perform(link, Operation::Facts { paths: vec![path.to_string()] }).await?;
    let Answer::Facts(facts) = answer else {
        return Err(Failure::Nonsense("this machine did not say how much room it has".to_owned()));
    };
    Ok(facts.room.first().map_or(0, |room| room.bytes))
}

async fn perform(link: &dyn Link, operation: Operation) -> Result<Answer, Failure> {
    link.perform(operation.call().within(PATIENCE)).await
}

fn below(output: &Utf8Path, name: &str) -> Utf8PathBuf {
    if name.is_empty() { output.to_owned() } else { output.join(name) }
}

fn shown(name: String) -> String {
    if name.is_empty() { "built".to_owned() } else { name }
}

fn not_below(name: &str) -> Trouble {
    let message = format!("the build hook named `{name}`, which is not below its output directory");
    Trouble::new("build/artifact", message)
}

fn workspace(failure: &Failure) -> Trouble {
    Trouble::new("build/workspace", format!("no directory for the build on this machine: {failure}"))
}
