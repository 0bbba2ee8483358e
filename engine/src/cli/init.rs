//! `cutover init`.

use std::io::{ErrorKind, Write as _};

use camino::Utf8Path;
use clap::Args;

use super::invocation::Invocation;
use super::{DONE, Ended, project_file};
use crate::config::{Facts, KnownRouter, Project, starter};
use crate::model::Name;
use crate::model::view::{ExitCode, Problem};
use crate::report::{Line, Tone};

/// What a new user looks at in the file.
const EDIT: [(&str, &str); 5] = [
    ("build.settings", "how a clean checkout becomes the directory that runs"),
    ("app.start", "what runs, and how it learns its port"),
    ("health-check.settings", "a path that answers 200 when all is well"),
    ("router.front-door", "the URL through which users come"),
    ("hosts", "when it runs elsewhere than here"),
];

/// Write a short cutover.toml for this directory, and say what to edit
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover init
  cutover init --name shop -c deploy/cutover.toml

Environments (-e) are tables that are written by hand afterwards: [environments.staging].")]
pub(super) struct Arguments {
    /// Name of the application [default: that of the directory]
    #[arg(long, value_name = "NAME", value_parser = |text: &str| Name::new(text))]
    name: Option<Name>,
}

impl Arguments {
    pub(super) fn run(self, invocation: &Invocation) -> Ended {
        let directory = project_file::working_directory()?;
        let file = invocation.given_file().cloned().unwrap_or_else(|| project_file::NAME.into());
        let text = starter(&look(&directory, self.name));
        let directory = file.parent().filter(|directory| !directory.as_str().is_empty());
        let made = directory.map_or(Ok(()), std::fs::create_dir_all);
        let new = made.and_then(|()| std::fs::OpenOptions::new().write(true).create_new(true).open(&file));
        new.and_then(|mut new| new.write_all(text.as_bytes())).map_err(|fault| {
            if fault.kind() == ErrorKind::AlreadyExists {
                let text = format!("`{file}` is there already");
                let problem = Problem::new("init/file", text, ExitCode::NothingChanged);
                return problem.hint("`cutover check` checks it; `cutover init -c FILE` writes another");
            }
            Problem::new("init/file", format!("can't write `{file}`: {fault}"), ExitCode::NothingChanged)
        })?;
        let written = serde_json::json!({ "file": file, "edit": EDIT.map(|(key, _)| key) });
        invocation.output.view(&written, |_, _| {
            let mut lines = vec![Line::plain("wrote ").with(Tone::Strong, file.as_str()).text("; look at")];
            let row =
                |(key, what): &(&str, &str)| Line::plain("  ").with(Tone::Strong, key).pad(25).text(what);
            lines.extend(EDIT.iter().map(row));
            let then = Line::plain("then ").with(Tone::Accent, "cutover check").text(", ");
            let then = then.with(Tone::Accent, "cutover setup").text(" (once), ");
            let then = then.with(Tone::Accent, "git push").text(" and ");
            lines.push(then.with(Tone::Accent, "cutover plan"));
            lines
        });
        Ok(DONE)
    }
}

/// Where the programs of routers lie.
const PLACES: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"];

/// What lies in the directory, and what the machine has.
fn look(directory: &Utf8Path, name: Option<Name>) -> Facts {
    let known = Project::ALL.into_iter().find(|(_, file)| directory.join(file).is_file());
    Facts {
        directory: name
            .map_or_else(|| directory.file_name().unwrap_or_default().to_owned(), |name| name.to_string()),
        project: known.map(|(project, _)| project).unwrap_or_default(),
        remote: std::fs::read_to_string(directory.join(".git/config"))
            .is_ok_and(|config| config.lines().any(|line| line.trim_start().starts_with("[remote "))),
        branch: default_branch(
            &std::fs::read_to_string(directory.join(".git/refs/remotes/origin/HEAD")).unwrap_or_default(),
        ),
        router: KnownRouter::ALL
            .into_iter()
            .find(|router| PLACES.iter().any(|place| Utf8Path::new(place).join(router.program()).is_file())),
    }
}

/// The remote's own branch, out of `.git/refs/remotes/origin/HEAD`.
fn default_branch(head: &str) -> Option<String> {
    let branch = head.trim().strip_prefix("ref: refs/remotes/origin/")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
    (!branch.is_empty() && branch.chars().all(plain)).then(|| branch.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundled::hook;
    use crate::model::HookKind;

    #[test]
    fn each_router_that_is_looked_for_has_a_hook() {
        for router in KnownRouter::ALL {
            assert_eq!(hook(router.name()).map(|hook| hook.kind), Some(HookKind::Router), "{router:?}");
        }
    }

    #[test]
    fn the_branch_is_that_of_the_remote() {
        assert_eq!(default_branch("ref: refs/remotes/origin/trunk\n").as_deref(), Some("trunk"));
        for none in ["", "9f3c2a1\n", "ref: refs/remotes/origin/", "ref: refs/remotes/origin/a\"b"] {
            assert_eq!(default_branch(none), None, "{none}");
        }
    }
}
