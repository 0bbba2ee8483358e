//! `cutover hook new`.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::invocation::Invocation;
use super::{DONE, Ended, project_file};
use crate::author::{HookName, Language, Need, Wish};
use crate::model::HookKind;
use crate::model::view::{ExitCode, Problem};
use crate::report::{Line, Tone};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover hook new ready --kind health-check --lang rust
  cutover hook new hooks/cart --kind smoke-test --lang js
  cutover hook new lb --kind router --lang python --needs hosts,secrets

What it writes builds, passes its own test and does something simple at once; its README.md says what, how it is tested and built, and \
what to grant. Versions of tools are pinned there. Nothing is installed.")]
pub(super) struct Arguments {
    /// The directory to make; its last part is the hook's name
    #[arg(value_name = "NAME")]
    directory: Utf8PathBuf,
    /// What it is asked
    #[arg(long, value_name = "KIND", value_parser = one_of(&HookKind::ALL, HookKind::as_str))]
    kind: HookKind,
    /// What it is written in
    #[arg(long = "lang", value_name = "LANGUAGE", value_parser = one_of(&Language::ALL, Language::as_str))]
    language: Language,
    /// What it asks of the engine beside what the template uses: of languages alone whose components keep what they do not use
    #[arg(long, value_name = "NEED", value_delimiter = ',', value_parser = one_of(&Need::ALL, Need::as_str))]
    needs: Vec<Need>,
}

/// One of these, by its word.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    word: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(move |one| word(*one))).try_map(move |text| {
        let found = all.iter().copied().find(|one| word(*one) == text);
        found.ok_or_else(|| format!("there is no `{text}`"))
    })
}

impl Arguments {
    pub(super) fn run(self, invocation: &Invocation) -> Ended {
        let directory = self.directory.clone();
        let wish = self.wish()?;
        let files = wish.files();
        write(&project_file::working_directory()?.join(&directory), &directory, &files)?;
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let written = serde_json::json!({ "directory": directory, "files": paths });
        invocation.output.view(&written, |_, _| {
            let mut lines = vec![
                Line::plain("wrote ")
                    .with(Tone::Strong, directory.as_str())
                    .text(&format!(", a {} hook in {}; then", wish.kind, wish.language)),
            ];
            let change = format!("cd {directory}");
            let first = wish.language.first_commands().iter().copied();
            let commands = std::iter::once(change.as_str()).chain(first).chain(["cutover hook build"]);
            lines.extend(commands.map(|command| Line::plain("  ").with(Tone::Accent, command)));
            lines
        });
        Ok(DONE)
    }

    fn wish(self) -> Result<Wish, Problem> {
        let name = self.directory.file_name().unwrap_or_default();
        let name = HookName::new(name).map_err(|fault| {
            let problem = Problem::new("usage/name", fault.to_string(), ExitCode::Usage);
            match &fault.near {
                Some(near) => {
                    problem.hint(format!("perhaps `{}`", self.directory.with_file_name(near.as_str())))
                }
                None => problem.hint("`cutover hook new ready …`"),
            }
        })?;
        if !self.needs.is_empty() && !self.language.keeps_imports() {
            let text = format!(
                "`--needs` is not for `{}`: its components import what their code calls",
                self.language
            );
            let problem = Problem::new("usage/needs", text, ExitCode::Usage);
            return Err(problem.hint("leave it out, and call what the hook needs"));
        }
        let needs: BTreeSet<Need> = self.needs.into_iter().collect();
        Ok(Wish { name, kind: self.kind, language: self.language, needs })
    }
}

/// Makes the directory, which must not be there.
fn write(path: &Utf8Path, given: &Utf8Path, files: &[(String, String)]) -> Result<(), Problem> {
    let parent = path.parent().unwrap_or(path);
    let made = std::fs::create_dir_all(parent).and_then(|()| std::fs::create_dir(path));
    made.map_err(|fault| {
        if fault.kind() == ErrorKind::AlreadyExists {
            let problem = Problem::new(
                "hook/directory",
                format!("`{given}` is there already"),
                ExitCode::NothingChanged,
            );
            return problem.hint("give it another name, or remove it first");
        }
        Problem::new("hook/directory", format!("can't make `{given}`: {fault}"), ExitCode::NothingChanged)
    })?;
    for (name, text) in files {
        let file = path.join(name);
        let written =
            std::fs::create_dir_all(file.parent().unwrap_or(path)).and_then(|()| std::fs::write(&file, text));
        written.map_err(|fault| {
            // Made a moment ago: nothing of anyone else is in it.
            let _ = std::fs::remove_dir_all(path);
            Problem::new(
                "hook/directory",
                format!("can't write `{given}/{name}`: {fault}"),
                ExitCode::NothingChanged,
            )
        })?;
    }
    Ok(())
}
