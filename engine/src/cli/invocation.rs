//! What one call of the program is about: the words that every command takes, and where its output goes.

use std::io::{IsTerminal, stderr, stdin};

use camino::Utf8PathBuf;

use super::arguments::Everywhere;
use super::confirmation::{Person, agree, confirm};
use super::failure::Failure;
use super::output::Output;
use super::project::Project;
use super::surroundings::Surroundings;
use crate::config::{Faults, Input, Loaded, environments, load, load_to_look};
use crate::model::Deployment;
use crate::model::view::{ExitCode, Problem};
use crate::report;

/// One call of the program.
#[derive(Debug)]
pub(super) struct Invocation {
    everywhere: Everywhere,
    pub(super) output: Output,
}

impl Invocation {
    pub(super) const fn new(everywhere: Everywhere, output: Output) -> Self {
        Self { everywhere, output }
    }

    /// The configuration file that was given, when one was.
    pub(super) fn given_file(&self) -> Option<&Utf8PathBuf> {
        self.everywhere.config.as_ref()
    }

    /// The configuration of the environment that is meant.
    ///
    /// # Errors
    /// When there is no file, or with all its faults.
    pub(super) fn load(&self) -> Result<Loaded, Failure> {
        self.read(|input, surroundings| load(input, surroundings))
    }

    /// The configuration, as far as looking at what is there needs it: faults elsewhere are shown and stand in nobody's way.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(super) fn load_to_look(&self, needed: &[&str]) -> Result<Loaded, Failure> {
        let loaded = self.read(|input, surroundings| load_to_look(input, surroundings, needed))?;
        if let Some(faults) = &loaded.set_aside {
            self.output.remark(&report::faults(&faults.to_string()));
        }
        Ok(loaded)
    }

    /// The environment that was asked for.
    pub(super) fn environment(&self) -> Option<&str> {
        self.everywhere.environment.as_deref().filter(|name| !name.is_empty())
    }

    fn read(
        &self,
        load: impl FnOnce(Input<'_>, &Surroundings) -> Result<Loaded, Faults>,
    ) -> Result<Loaded, Failure> {
        let environment = self.environment();
        let project = Project::find(self.given_file().map(Utf8PathBuf::as_path))?;
        let mut loaded = load(project.input(environment), &Surroundings::new())?;
        loaded.deployment.lock_hooks(&project.lock()?);
        Ok(loaded)
    }

    /// The project that is meant, and its configuration in each of its environments: for what belongs to all of them.
    ///
    /// # Errors
    /// When there is no file, or with the faults of the first environment that has any.
    pub(super) fn load_everywhere(&self) -> Result<(Project, Vec<Loaded>), Failure> {
        let project = Project::find(self.given_file().map(Utf8PathBuf::as_path))?;
        let lock = project.lock()?;
        let names = environments(&project.text);
        let environments: Vec<Option<&str>> = if names.is_empty() {
            vec![None]
        } else {
            names.iter().map(|name| Some(name.as_str())).collect()
        };
        let mut all = Vec::new();
        for environment in environments {
            let mut loaded = load(project.input(environment), &Surroundings::new())?;
            loaded.deployment.lock_hooks(&lock);
            all.push(loaded);
        }
        Ok((project, all))
    }

    /// Asks before anything in an environment changes that wants it so.
    ///
    /// # Errors
    /// When the answer is no, or there is nobody to ask.
    pub(super) fn confirm(&self, deployment: &Deployment, command: &str) -> Result<(), Problem> {
        if self.everywhere.yes {
            return confirm(deployment, command, Person::SaidYes);
        }
        if self.is_at_terminal() {
            return confirm(deployment, command, Person::Asked(&mut stdin().lock(), &mut stderr().lock()));
        }
        confirm(deployment, command, Person::Absent)
    }

    /// Asks whether to go on with what was shown; a signal is a no. `unasked` is what there is to say where there is nobody to ask.
    ///
    /// # Errors
    /// When the answer is no, or there is nobody to ask.
    pub(super) async fn agree(
        &self,
        question: String,
        signal: impl Future<Output = ()>,
        unasked: Problem,
    ) -> Result<(), Problem> {
        if self.everywhere.yes {
            return agree(&question, Person::SaidYes, unasked);
        }
        if !self.is_at_terminal() {
            return agree(&question, Person::Absent, unasked);
        }
        // A thread that waits for a line can't be told of a signal; it ends with the program.
        let asking = tokio::task::spawn_blocking(move || {
            agree(&question, Person::Asked(&mut stdin().lock(), &mut stderr().lock()), unasked)
        });
        let interrupted = || {
            let text = "interrupted; nothing was changed";
            Err(Problem::new("usage/not-confirmed", text, ExitCode::InterruptedPutBack))
        };
        tokio::select! {
            agreed = asking => agreed.unwrap_or_else(|_| interrupted()),
            () = signal => interrupted(),
        }
    }

    /// Whether there is a person to ask.
    fn is_at_terminal(&self) -> bool {
        self.output.is_for_people() && stdin().is_terminal() && stderr().is_terminal()
    }
}
