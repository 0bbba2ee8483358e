//! `cutover hook`.

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Subcommand};

use super::engine::{self, problem, problems};
use super::failure::Failure;
use super::invocation::Invocation;
use super::project::Project;
use super::side::host;
use super::world::supplier;
use super::{DONE, Ended, hook_build, hook_new, hook_run, hook_test, project_file};
use crate::config::{Loaded, is_javascript, not_a_hook};
use crate::model::view::{AddedView, ComponentView, ExitCode, FetchView, LockView, Problem};
use crate::model::{Hook, HookSource, HostName, LockFile, SCRIPT};
use crate::report;
use crate::run::{Wanted, lock_view};

/// Begin, build and test hooks of your own; inspect, lock and fetch others
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover hook new ready --kind health-check --lang js
  cutover hook inspect hooks/lb.wasm    what it is and asks for, with a `grants` table to paste that allows nothing
  cutover hook add https://hooks.example.com/lb-1.2.wasm
  cutover hook add oci://registry.example.com/hooks/lb:1.2
  cutover hook update                   after a component was built anew; shows what it asks for now
  cutover hook fetch                    in CI, before `cutover deploy --locked`
  cutover hook run router               what it observes now, and each call that it makes for it
  cutover hook test router cases/*.toml hold it against cases, offline

cutover.lock lies beside cutover.toml and belongs into version control. It names the component of each hook that does not come with \
cutover by its digest, which is compared before every load: another one ends each command that loads hooks, before anything is touched. \
`hook add`, `hook update` and `hook vendor` alone write it. A path that is not in it is run with a warning, and refused with `--locked`; \
a URL or a registry's artifact has to be in it, or to have a `sha256` in cutover.toml, and is fetched by `cutover hook` alone.

Of a registry, a component is taken that was pushed as a Wasm OCI artifact. cutover.lock notes the manifest that the tag led to: a tag \
is looked at by `hook add` and `hook update` alone. Logins are read, when a registry asks for one, from the `auths` of \
~/.docker/config.json (or of config.json in $DOCKER_CONFIG), and sent to the origin that they are for; no program that keeps logins is \
started. Over plain http cutover speaks to addresses of this machine alone (127.0.0.1, [::1]).")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Begin a hook of your own: a directory that is built and tested with its language's own tools
    New(hook_new::Arguments),
    /// Build the hook in a directory, and say what it asks for
    Build(hook_build::Arguments),
    /// Show what a component is and what it asks for, in the words of grants; run nothing of it
    Inspect {
        /// A file, `script:FILE`, `builtin:NAME`, `https://…`, `oci://REGISTRY/REPOSITORY:TAG`, or a hook of the configuration: `router`
        hook: String,
    },
    /// Lock a component that the configuration does not name yet, and print the lines for it
    Add {
        /// A file, `script:FILE`, `https://…`, or `oci://REGISTRY/REPOSITORY:TAG`
        source: String,
    },
    /// Lock components as they are now, and show what they ask for that they did not before
    Update {
        /// These alone: `router`, or what `hook = …` names [default: all, in every environment]
        hooks: Vec<String>,
        /// Fail where cutover.lock would change, and do not write it
        #[arg(long)]
        locked: bool,
        /// Fetch nothing: take what was fetched before
        #[arg(long)]
        offline: bool,
    },
    /// Fetch the components that are not files, by the digests that cutover.lock or cutover.toml have
    Fetch {
        /// Fetch nothing: fail where one is not here
        #[arg(long)]
        offline: bool,
    },
    /// Hold a router hook against its contract, at a real router: on a stage, never in production
    ///
    /// Asks it all that a deployment asks, in both directions, and then again with something gone wrong at each call that it makes:
    /// refused, without an answer, done but the answer lost, the hook killed, an answer of before, somebody else who moves traffic back in
    /// between. Traffic goes back and forth a hundred times or more, and is put back at the end. Both colours have to run; the application's
    /// lock is held. Ends with 70 when a rule is broken; -v tells how far it is.
    ///
    /// There is no fake router to try it at: one knows no more than its author did, and a hook fails where the real router is otherwise.
    Conformance {
        /// A component to hold against it instead of the one in `[router]`, with the same settings and grants
        component: Option<String>,
        /// Which router [default: the first]
        #[arg(long, value_name = "NAME", value_parser = host)]
        router: Option<HostName>,
    },
    Run(hook_run::Arguments),
    Test(hook_test::Arguments),
    /// Copy the components that are not files to hooks/vendor, and use these from now on
    Vendor {
        /// Fetch nothing: take what was fetched before
        #[arg(long)]
        offline: bool,
    },
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let output = &invocation.output;
        match self.action {
            Action::New(arguments) => return arguments.run(invocation),
            Action::Build(arguments) => return arguments.run(invocation).await,
            Action::Inspect { hook } => {
                let source = source_of(invocation, &hook)?;
                let called = if let HookSource::Builtin(_) = source { source.to_string() } else { hook };
                let view = supplier(false)?.inspect(&called, &source).await.map_err(problem)?;
                output.view(&view, |view, _| report::component(view));
            }
            Action::Add { source } => {
                let view = add(invocation, &source).await?;
                output.view(&view, |view, _| report::added(view));
            }
            Action::Update { hooks, locked, offline } => {
                let (project, all) = invocation.load_everywhere()?;
                let wanted = wanted(&all);
                if let Some(name) = hooks.iter().find(|name| !wanted.iter().any(|one| one.is_called(name))) {
                    return Err(unknown(name, &wanted).into());
                }
                let before = project.lock()?;
                let after = supplier(offline)?.update(&wanted, &hooks, &before).await.map_err(problems)?;
                let view = lock_view(&project.lock_name(), &before, &after);
                if locked && !view.changes.is_empty() {
                    output.view(&view, |view, _| report::lock(view, false));
                    let text = format!("`{}` would change, and `--locked` forbids it", project.lock_name());
                    return Err(Problem::new("hook/not-locked", text, ExitCode::Configuration).into());
                }
                write(&project, &view, &after)?;
                output.view(&view, |view, _| report::lock(view, true));
            }
            Action::Fetch { offline } => {
                let (_, all) = invocation.load_everywhere()?;
                let hooks = supplier(offline)?.fetch(&wanted(&all)).await.map_err(problems)?;
                output.view(&FetchView { hooks }, |view, _| report::fetched(view));
            }
            Action::Conformance { component, router } => {
                return conformance(invocation, component.as_deref(), router.as_ref()).await;
            }
            Action::Run(arguments) => return arguments.run(invocation).await,
            Action::Test(arguments) => return arguments.run(invocation).await,
            Action::Vendor { offline } => {
                let (project, all) = invocation.load_everywhere()?;
                let before = project.lock()?;
                let supplier = supplier(offline)?;
                let after = supplier.vendor(&wanted(&all), &before, &project.root).await.map_err(problems)?;
                let view = lock_view(&project.lock_name(), &before, &after);
                write(&project, &view, &after)?;
                output.view(&view, |view, _| report::lock(view, true));
            }
        }
        Ok(DONE)
    }
}

async fn conformance(invocation: &Invocation, component: Option<&str>, router: Option<&HostName>) -> Ended {
    let mut loaded = invocation.load()?;
    invocation.confirm(&loaded.deployment, "hook conformance")?;
    if let Some(component) = component {
        let hook = &mut loaded.deployment.router.hook;
        (hook.source, hook.sha256, hook.locked) = (given(component)?, None, None);
    }
    let title = loaded.deployment.title();
    let text = format!(
        "this moves the traffic of {title} back and forth, and there is no terminal to ask on; nothing was changed"
    );
    let unasked = Problem::new("usage/not-confirmed", text, ExitCode::Usage).hint("`--yes` confirms it");
    let question = format!("move the traffic of {title} back and forth, and let things go wrong?");
    invocation.agree(question, std::future::pending(), unasked).await?;
    let view = engine::conformance(&loaded, router, invocation.output.progress()).await?;
    invocation.output.view(&view, report::conformance);
    Ok(if view.broken() == 0 { DONE } else { ExitCode::CheckFailed.code() })
}

fn wanted(all: &[Loaded]) -> Vec<Wanted> {
    Wanted::all(all.iter().map(|loaded| &loaded.deployment))
}

/// What `name` means: what is nothing else is a file.
fn source_of(invocation: &Invocation, name: &str) -> Result<HookSource, Failure> {
    let (source, configured) = meant(invocation, name)?;
    Ok(configured.map_or(source, |hook| hook.source))
}

/// Where the component is that `name` means, and the hook of the configuration, where it means one.
pub(super) fn meant(invocation: &Invocation, name: &str) -> Result<(HookSource, Option<Hook>), Failure> {
    if let Some(builtin) = name.strip_prefix("builtin:") {
        return Ok((HookSource::Builtin(builtin.to_owned()), None));
    }
    let source = given(name)?;
    if let Some(path) = source.file()
        && !path.is_file()
        && !name.contains(['/', '.'])
        && let Ok((_, all)) = invocation.load_everywhere()
    {
        let hooks = all.iter().flat_map(|loaded| loaded.deployment.hooks());
        if let Some(hook) = hooks.into_iter().find(|hook| hook.title == name) {
            return Ok((hook.source.clone(), Some(hook.clone())));
        }
    }
    Ok((source, None))
}

/// A URL, a reference, or a file as the one who types it names it.
fn given(name: &str) -> Result<HookSource, Failure> {
    let remote = HookSource::remote(name);
    let script = name.strip_prefix(SCRIPT);
    let path = project_file::working_directory()?.join(script.unwrap_or(name));
    if remote.is_some() || !path.is_file() {
        require_hook(name)?;
    }
    if script.is_none() && is_javascript(name) && path.is_file() {
        let text = format!("`{name}` is a script, and named as a component");
        let problem = Problem::new("usage/hook", text, ExitCode::Usage);
        return Err(problem.hint(format!("name it as one: `{SCRIPT}{name}`")).into());
    }
    let here = if script.is_some() { HookSource::Script(path) } else { HookSource::File(path) };
    Ok(remote.unwrap_or(here))
}

/// Locks a component that nothing names yet.
async fn add(invocation: &Invocation, name: &str) -> Result<AddedView, Failure> {
    let (project, _) = invocation.load_everywhere()?;
    let supplier = supplier(false)?;
    if name.starts_with("builtin:") {
        let text = format!("`{name}` comes with cutover, and is not locked");
        let problem = Problem::new("usage/arguments", text, ExitCode::Usage);
        return Err(problem.hint(format!("name it in the configuration: `cutover help {name}`")).into());
    }
    let source = given(name)?;
    let source = match source.file() {
        Some(path) => source.at(in_project(path, &project.root)),
        None => source,
    };
    let requested = source.requested(&project.root);
    let before = project.lock()?;
    let (component, after) = supplier.add(&requested, &source, &before).await.map_err(problem)?;
    let lock = lock_view(&project.lock_name(), &before, &after);
    write(&project, &lock, &after)?;
    Ok(AddedView { lines: lines(&component), component, lock })
}

/// A mistyped source is told as one, and not as a file that is not there.
fn require_hook(text: &str) -> Result<(), Failure> {
    let Some((message, hint)) = not_a_hook(text) else { return Ok(()) };
    let problem = Problem::new("usage/hook", message, ExitCode::Usage);
    Err(hint.into_iter().fold(problem, Problem::hint).into())
}

/// A file as the configuration of the project would name it, whichever way led there; as it was given, where it lies elsewhere.
pub(super) fn in_project(given: &Utf8Path, root: &Utf8Path) -> Utf8PathBuf {
    let within = || {
        let directory = given.parent()?.canonicalize_utf8().ok()?;
        let inner = directory.strip_prefix(root.canonicalize_utf8().ok()?).ok()?.join(given.file_name()?);
        Some(root.join(inner))
    };
    within().unwrap_or_else(|| given.to_owned())
}

fn write(project: &Project, view: &LockView, lock: &LockFile) -> Result<(), Failure> {
    if view.changes.is_empty() {
        return Ok(());
    }
    project.write_lock(lock).map_err(|trouble| problem(trouble).into())
}

/// What a configuration says of a component, for each kind that it can be used as.
pub(super) fn lines(component: &ComponentView) -> String {
    let table = |kind: &str| {
        let (opening, closing, name) =
            if kind == "smoke-test" { ("[[", "]]", "name = \"…\"\n") } else { ("[", "]", "") };
        let source = toml::Value::String(component.source.clone());
        let grants = component.grants.as_deref().filter(|grants| !grants.is_empty());
        let grants = grants.map(|grants| format!("\n[{kind}.grants]\n{grants}")).unwrap_or_default();
        format!("{opening}{kind}{closing}\n{name}hook = {source}\n{grants}")
    };
    let tables: Vec<String> = component.kinds.iter().map(|kind| table(&kind.kind)).collect();
    tables.join("\n")
}

fn unknown(name: &str, wanted: &[Wanted]) -> Problem {
    let known: Vec<&str> =
        wanted.iter().flat_map(|one| one.titles.iter().chain([&one.requested])).map(String::as_str).collect();
    let text = format!("no hook `{name}` in the configuration that could be locked");
    let problem = Problem::new("usage/hook", text, ExitCode::Usage);
    if known.is_empty() {
        return problem.hint("hooks that come with cutover are not locked, and there is no other");
    }
    problem.fact("hooks", known.join(" "))
}
