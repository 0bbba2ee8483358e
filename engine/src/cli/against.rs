//! `cutover check --against`: what a change of the project widens. Reads files and asks git; starts, opens and reads nothing that the
//! configuration names.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::engine::until_signal;
use super::failure::Failure;
use super::invocation::Invocation;
use super::locked::LockFlag;
use super::project::{LARGEST_LOCK, Project, lock_of};
use super::surroundings::Surroundings;
use super::world::{KNOWN_HOSTS, here, interrupts, not_pins};
use super::{DONE, Ended, project_file};
use crate::config::{Input, Loaded, environments, load};
use crate::hook::{component_digest, read_component};
use crate::model::view::{AgainstView, ExitCode, Problem};
use crate::model::{ComponentDigest, Deployment, Hook, Limit, LockFile, Name, Posture, widened};
use crate::report;
use crate::source::{Git, Past, SourceFailure};
use crate::transport::PinnedKeys;

/// Bytes of a file that pins keys at most.
const LARGEST_PINS: u64 = 1 << 20;

/// Compares the project with what it was at `revision`, and tells what is wider.
pub(super) async fn compare(invocation: &Invocation, revision: &str, lock: &LockFlag) -> Ended {
    let project = Project::find(invocation.given_file().map(Utf8PathBuf::as_path))?;
    let link = here()?;
    let comparing = async {
        let names = chosen(invocation.environment(), &project.text);
        let (now, loaded) = present(&project, &names).await?;
        for loaded in &loaded {
            lock.demand(loaded)?;
        }
        let past = Past::at(Git::new(link.as_ref(), None), &project.root, revision)
            .await
            .map_err(|failure| failed(&failure))?;
        require_plain(&project, &loaded, past.top())?;
        let old = posture_of(&past, &project, &names).await?;
        Ok(AgainstView {
            app: now.environments.first().map_or_else(String::new, |deployment| deployment.app.to_string()),
            file: project.file.to_string(),
            revision: past.name().to_owned(),
            commit: past.commit().to_owned(),
            environments: names.into_iter().flatten().collect(),
            widenings: widened(&old, &now),
        })
    };
    let view = until_signal(interrupts(), comparing).await?;
    let is_wider = !view.widenings.is_empty();
    if is_wider || !invocation.output.is_quiet() {
        invocation.output.view(&view, report::against);
    }
    Ok(if is_wider { ExitCode::Refused.code() } else { DONE })
}

/// The environments of a text that are compared: the one that was asked for, or all; the whole where there are none.
fn chosen(asked: Option<&str>, text: &str) -> Vec<Option<String>> {
    let all = environments(text);
    match asked {
        Some(asked) => vec![Some(asked.to_owned())],
        None if all.is_empty() => vec![None],
        None => all.into_iter().map(Some).collect(),
    }
}

/// The project as it lies here.
async fn present(project: &Project, names: &[Option<String>]) -> Result<(Posture, Vec<Loaded>), Failure> {
    let lock = project.lock()?;
    let mut all = Vec::new();
    for name in names {
        let mut loaded = load(project.input(name.as_deref()), &Surroundings::new())?;
        loaded.deployment.lock_hooks(&lock);
        all.push(loaded);
    }
    let mut files = BTreeMap::new();
    let open = all.iter().flat_map(|loaded| {
        let root = &loaded.deployment.root;
        open_files(&loaded.deployment).map(move |(requested, path, hook)| (requested, root.join(path), hook))
    });
    for (requested, path, hook) in open {
        // Environments mostly share them.
        if files.contains_key(&requested) {
            continue;
        }
        let most = Limit::File.spec().most;
        let wasm = read_component(path.as_std_path(), most).await;
        let wasm = wasm.map_err(|fault| unreadable(hook, &format!("`{requested}`: {fault}")))?;
        if wasm.len() as u64 > most {
            return Err(unreadable(hook, &format!("`{requested}` is larger than {most} bytes")).into());
        }
        files.insert(requested, component_digest(&wasm));
    }
    let pins =
        PinnedKeys::read(project.root.join(KNOWN_HOSTS).as_std_path()).map_err(|fault| not_pins(&fault))?;
    let environments = all.iter().map(|loaded| loaded.deployment.clone()).collect();
    let default = default_environment(project.input(None), &Surroundings::new());
    Ok((Posture { environments, default, lock, files, host_keys: pins.fingerprints() }, all))
}

/// No file that is compared is behind a link of the checkout: what lies at its end is not what the revision had there, and may be anything
/// tomorrow.
fn require_plain(project: &Project, loaded: &[Loaded], top: &Utf8Path) -> Result<(), Failure> {
    let root = &project.root;
    let own = [project.file.file_name().unwrap_or_default(), KNOWN_HOSTS].map(|name| root.join(name));
    let lock = root.join(project.lock_name().file_name().unwrap_or_default());
    let hooks =
        loaded.iter().flat_map(|loaded| open_files(&loaded.deployment)).map(|(_, path, _)| path.to_owned());
    for file in own.into_iter().chain([lock]).chain(hooks) {
        if let Some(link) = link_on_the_way(&file, top) {
            let text = format!("`{link}` is a link, so the files behind it can't be compared");
            let problem = Problem::new("against/file", text, ExitCode::Configuration);
            return Err(problem.hint("put them there themselves").into());
        }
    }
    Ok(())
}

/// The first link that leads to a file and lies in the checkout.
fn link_on_the_way<'a>(file: &'a Utf8Path, top: &Utf8Path) -> Option<&'a Utf8Path> {
    file.ancestors().find(|path| {
        let lies_within =
            || path.parent()?.canonicalize_utf8().ok().map(|directory| directory.starts_with(top));
        path.is_symlink() && lies_within().unwrap_or(false)
    })
}

/// The environment that is meant where none is named; none where it has to be.
fn default_environment(input: Input<'_>, surroundings: &Surroundings) -> Option<Name> {
    load(input, surroundings).ok().and_then(|loaded| loaded.deployment.environment)
}

/// The project as it was.
async fn posture_of(
    past: &Past<'_>,
    project: &Project,
    names: &[Option<String>],
) -> Result<Posture, Failure> {
    let called = |name: &str| format!("{}:{name}", past.name());
    let file = project.file.file_name().unwrap_or_default();
    let Some(text) = text_of(past, file.into(), project_file::LARGEST).await? else {
        let text = format!("there was no `{file}` here at `{}`", past.name());
        let hint = "name a revision that has one; all that the first one says is new";
        return Err(Problem::new("against/no-configuration", text, ExitCode::Configuration)
            .hint(hint)
            .into());
    };
    let lock_name = project.lock_name();
    let lock_name = lock_name.file_name().unwrap_or_default();
    let lock = match text_of(past, lock_name.into(), LARGEST_LOCK).await? {
        Some(text) => lock_of(&called(lock_name), &text)?,
        None => LockFile::default(),
    };
    let declared = environments(&text);
    let deployments = if declared.is_empty() {
        vec![load_past(&called(file), &text, &project.root, None)?]
    } else {
        let both = names.iter().flatten().filter(|name| declared.contains(name));
        both.map(|name| load_past(&called(file), &text, &project.root, Some(name)))
            .collect::<Result<_, _>>()?
    };
    let whole = Input { file: &called(file), text: &text, root: &project.root, environment: None };
    let default = default_environment(whole, &Surroundings::at_a_revision());
    let mut posture = Posture { environments: deployments, default, lock, ..Posture::default() };
    for deployment in &mut posture.environments {
        deployment.lock_hooks(&posture.lock);
    }
    posture.files = past_files(past, &posture.environments).await?;
    if let Some(text) = text_of(past, KNOWN_HOSTS.into(), LARGEST_PINS).await? {
        let pins = PinnedKeys::parse(called(KNOWN_HOSTS).into(), text).map_err(|fault| not_pins(&fault))?;
        posture.host_keys = pins.fingerprints();
    }
    Ok(posture)
}

fn load_past(
    file: &str,
    text: &str,
    root: &Utf8Path,
    environment: Option<&str>,
) -> Result<Deployment, Failure> {
    let input = Input { file, text, root, environment };
    Ok(load(input, &Surroundings::at_a_revision())?.deployment)
}

/// Components of hooks that nothing pinned.
async fn past_files(
    past: &Past<'_>,
    deployments: &[Deployment],
) -> Result<BTreeMap<String, ComponentDigest>, Failure> {
    let open = deployments.iter().flat_map(open_files);
    let hooks: BTreeMap<String, (&Utf8Path, &Hook)> =
        open.map(|(requested, path, hook)| (requested, (path, hook))).collect();
    let (mut files, mut missing) = (BTreeMap::new(), Vec::new());
    for (requested, (path, hook)) in hooks {
        let found = past.file(path, Limit::File.spec().most).await;
        match found.map_err(|failure| failed(&failure))? {
            Some(wasm) => {
                files.insert(requested, component_digest(&wasm));
            }
            None => missing.push(not_there(past, hook, path.as_str())),
        }
    }
    if missing.is_empty() { Ok(files) } else { Err(missing.into()) }
}

/// The hooks whose files in the project may hold anything, since nothing says which component each has to be: what the configuration names,
/// and where that is in the project.
fn open_files(deployment: &Deployment) -> impl Iterator<Item = (String, &Utf8Path, &Hook)> {
    let root = &deployment.root;
    deployment.hooks().into_iter().filter_map(move |hook| {
        let path = hook.source.file()?;
        let path = path.strip_prefix(root).unwrap_or(path);
        // What lies beside the project is no part of any revision.
        let is_open = hook.sha256.is_none() && hook.locked.is_none() && path.is_relative();
        is_open.then(|| (hook.source.requested(root), path, hook))
    })
}

async fn text_of(past: &Past<'_>, path: &Utf8Path, most: u64) -> Result<Option<String>, Failure> {
    let Some(bytes) = past.file(path, most).await.map_err(|failure| failed(&failure))? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|_| {
        let text = format!("`{path}` at `{}` is not UTF-8", past.name());
        Problem::new("against/file", text, ExitCode::Configuration)
    })?;
    Ok(Some(text))
}

fn not_there(past: &Past<'_>, hook: &Hook, requested: &str) -> Problem {
    let text = format!(
        "hook `{}`: there is no file `{requested}` at `{}`, and nothing there says which component it was",
        hook.title,
        past.name()
    );
    let hint = "commit the component, or its digest: `cutover hook update` writes that into cutover.lock";
    Problem::new("against/hook-file", text, ExitCode::Configuration).hint(hint)
}

fn unreadable(hook: &Hook, text: &str) -> Problem {
    Problem::new("hook/unreadable", format!("hook `{}`: {text}", hook.title), ExitCode::NothingChanged)
}

fn failed(failure: &SourceFailure) -> Problem {
    let (code, exit_code) = match failure {
        SourceFailure::NoRevision { .. } | SourceFailure::Ambiguous { .. } => {
            ("against/no-revision", ExitCode::Usage)
        }
        SourceFailure::NoCheckout { .. } | SourceFailure::Submodule { .. } => {
            ("against/no-checkout", ExitCode::NothingChanged)
        }
        SourceFailure::Embedded { .. } => ("against/embedded", ExitCode::Refused),
        SourceFailure::PastFile { .. } => ("against/file", ExitCode::Configuration),
        SourceFailure::Host(_)
        | SourceFailure::Git { .. }
        | SourceFailure::BadRepository { .. }
        | SourceFailure::NoRemote { .. }
        | SourceFailure::NoBranch
        | SourceFailure::BranchMissing { .. }
        | SourceFailure::BadRevision { .. }
        | SourceFailure::NotOnBranch { .. } => ("against/git", ExitCode::NothingChanged),
    };
    let hint = failure.hint();
    let problem = Problem::new(code, failure.to_string(), exit_code);
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}
