//! `cutover hook build`.

use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::engine::problem;
use super::hook::{in_project, lines};
use super::invocation::Invocation;
use super::project::Project;
use super::world::supplier;
use super::{DONE, Ended, project_file};
use crate::author::{self, BuildFault, EncodeFault, MANIFEST, Manifest};
use crate::hook::Import;
use crate::model::HookSource;
use crate::model::view::{BuiltView, ComponentView, ExitCode, Problem};
use crate::report;

/// Bytes of a manifest at most.
const LARGEST: u64 = 64 << 10;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover hook build
  cutover hook build hooks/cart

Runs the compiler of the hook's language, as hook.toml names it, and makes NAME.wasm beside that. What the compiler does is the author's own: \
unlike the hook itself, it is in no sandbox. What came out is read as `cutover hook inspect` reads it.")]
pub(super) struct Arguments {
    /// Where hook.toml lies [default: here]
    #[arg(value_name = "DIRECTORY", hide_default_value = true, default_value = ".")]
    directory: Utf8PathBuf,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let here = project_file::working_directory()?;
        let manifest = read(&self.directory)?;
        let component =
            author::build(&here.join(&self.directory), &manifest).await.map_err(|fault| not_built(&fault))?;
        let project = Project::find(invocation.given_file().map(Utf8PathBuf::as_path));
        let root = project.map_or(here, |project| project.root);
        let source = HookSource::File(in_project(&component, &root));
        let view = supplier(true)?.inspect(&source.requested(&root), &source).await.map_err(problem)?;
        require_use(&manifest, &view)?;
        let view = BuiltView { lines: lines(&view), component: view };
        invocation.output.view(&view, |view, _| report::built(view));
        Ok(DONE)
    }
}

fn read(directory: &Utf8Path) -> Result<Manifest, Problem> {
    let file = directory.join(MANIFEST);
    let file = file.strip_prefix(".").unwrap_or(&file);
    let faulty = |text: String| Problem::new("hook/manifest", text, ExitCode::Configuration);
    let text = project_file::read_up_to(file, LARGEST).map_err(|fault| {
        if fault.kind() == ErrorKind::NotFound {
            let problem = faulty(format!("there is no `{file}`"));
            return problem.hint(
                "`cutover hook new` begins a hook; `cutover hook build DIRECTORY` names the directory of one",
            );
        }
        faulty(format!("can't read `{file}`: {fault}"))
    })?;
    Manifest::read(&text).map_err(|fault| faulty(format!("`{file}` is not what it has to be\n{fault}")))
}

fn not_built(fault: &BuildFault) -> Problem {
    let code = match fault {
        BuildFault::Missing { .. } | BuildFault::NotStarted { .. } => "hook/no-compiler",
        BuildFault::Failed { .. }
        | BuildFault::NothingMade { .. }
        | BuildFault::NotEncoded(_)
        | BuildFault::Unwritable { .. } => "hook/not-built",
    };
    let problem = Problem::new(code, fault.to_string(), ExitCode::NothingChanged);
    match fault {
        BuildFault::Missing { install, .. } => problem.hint(install),
        BuildFault::NotEncoded(EncodeFault::NotImported { interface }) => {
            problem.hint(format!("add to it: `import {interface};`"))
        }
        BuildFault::NotStarted { .. }
        | BuildFault::Failed { .. }
        | BuildFault::NothingMade { .. }
        | BuildFault::NotEncoded(_)
        | BuildFault::Unwritable { .. } => problem,
    }
}

/// What was built has to be what it was meant to be, and to load in this program.
fn require_use(manifest: &Manifest, view: &ComponentView) -> Result<(), Problem> {
    let kind = manifest.kind.as_str();
    if !view.kinds.iter().any(|found| found.usable && found.kind == kind) {
        let text = format!("`{}` is not a {kind} hook, as `{MANIFEST}` says", view.source);
        let problem = Problem::new("hook/wrong-kind", text, ExitCode::Configuration);
        let found: Vec<String> =
            view.kinds.iter().map(|found| format!("{}@{}", found.kind, found.contract)).collect();
        return Err(
            problem.fact("it is", if found.is_empty() { "no hook".to_owned() } else { found.join(", ") })
        );
    }
    let is_unknown = |name: &&str| Import::of(name) == Import::Unknown;
    let unknown: Vec<&str> =
        view.imports.iter().map(|import| import.name.as_str()).filter(is_unknown).collect();
    if !unknown.is_empty() {
        let text = format!(
            "`{}` imports what this version of cutover does not offer: `{}`",
            view.source,
            unknown.join("`, `")
        );
        let problem = Problem::new("hook/unknown-import", text, ExitCode::Configuration);
        return Err(problem.hint("`cutover help wit` prints what there is"));
    }
    Ok(())
}
