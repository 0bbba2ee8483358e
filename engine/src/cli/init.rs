//! `cutover init`.

use std::io::Write as _;

use camino::Utf8Path;
use clap::Args;

use super::invocation::Invocation;
use super::starter::{Machine, Project, starter};
use super::{DONE, Ended, project_file};
use crate::model::Name;
use crate::model::view::{ExitCode, Problem};
use crate::report::{Line, Tone};

/// Write a short cutover.toml for this directory, and say what to edit
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover init
  cutover init --name shop -c deploy/cutover.toml")]
pub(super) struct Arguments {
    /// Name of the application [default: that of the directory]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<Name>,
}

fn name(text: &str) -> Result<Name, crate::model::NameFault> {
    Name::new(text)
}

impl Arguments {
    pub(super) fn run(self, invocation: &Invocation) -> Ended {
        let directory = project_file::working_directory()?;
        let file = invocation.given_file().cloned().unwrap_or_else(|| project_file::NAME.into());
        let starter = starter(&look(&directory, self.name), &machine());
        let fault = |fault: std::io::Error| {
            let there = fault.kind() == std::io::ErrorKind::AlreadyExists;
            let text = if there {
                format!("`{file}` is there already")
            } else {
                format!("can't write `{file}`: {fault}")
            };
            let problem = Problem::new("init/file", text, ExitCode::NothingChanged);
            if there { problem.hint("`cutover check` checks it; `-c FILE` names another") } else { problem }
        };
        let new = std::fs::OpenOptions::new().write(true).create_new(true).open(&file);
        new.and_then(|mut new| new.write_all(starter.text.as_bytes())).map_err(fault)?;
        let written = serde_json::json!({ "file": file, "edit": starter.edit });
        invocation.output.view(&written, |_, _| {
            let mut lines =
                vec![Line::plain("wrote ").with(Tone::Strong, file.as_str()).text("; look at these lines:")];
            lines.extend(starter.edit.iter().map(|text| Line::plain("  ").text(text)));
            lines.push(
                Line::plain("then ")
                    .with(Tone::Accent, "cutover check")
                    .text(", ")
                    .with(Tone::Accent, "cutover plan"),
            );
            lines
        });
        Ok(DONE)
    }
}

/// What lies in the directory.
fn look(directory: &Utf8Path, name: Option<Name>) -> Project {
    let has = |file: &str| directory.join(file).is_file();
    let read = |file: &str| std::fs::read_to_string(directory.join(file)).unwrap_or_default();
    let own = directory.file_name().unwrap_or_default();
    Project {
        name: name.unwrap_or_else(|| Project::name_of(own)),
        mix: has("mix.exs"),
        cargo: has("Cargo.toml"),
        go: has("go.mod"),
        npm: serde_json::from_str(&read("package.json")).ok(),
        make: has("Makefile"),
        branch: Project::branch_of(&read(".git/refs/remotes/origin/HEAD"), &read(".git/HEAD")),
    }
}

/// What this machine is.
fn machine() -> Machine {
    Machine {
        systemd: Utf8Path::new("/run/systemd/system").is_dir(),
        root: rustix::process::geteuid().is_root(),
    }
}
