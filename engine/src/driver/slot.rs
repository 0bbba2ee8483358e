//! The place of one colour on one host.

use std::time::Duration;

use cutover_host::operation::{Beneath, Facts, Operation, Program};

use super::{DriverFailure, Launch};
use crate::model::{Color, Deployment, Driver, HostName, Placeholders, ReleaseId};

/// Bytes kept of what a driver's program prints.
pub(super) const OUTPUT_LIMIT: u64 = 64 * 1024;

/// The place of one colour on one host: where at most one process runs. Knows every path and name that belongs to it.
#[derive(Debug, Clone)]
pub struct Slot<'a> {
    pub(super) deployment: &'a Deployment,
    pub(super) host: &'a HostName,
    pub(super) color: Color,
    /// The application's directory, absolute.
    directory: String,
    pub(super) home: String,
    pub(super) uid: u32,
    pub(super) login: String,
}

impl<'a> Slot<'a> {
    /// A slot of `deployment` on `host`, which said `facts` of itself.
    ///
    /// # Errors
    /// When the host names a home directory or a user that can't be one.
    pub fn new(
        deployment: &'a Deployment,
        host: &'a HostName,
        color: Color,
        facts: &Facts,
    ) -> Result<Self, DriverFailure> {
        let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"\"'\\$`*?[]{}".contains(c);
        if !facts.home.starts_with('/') || !facts.home.chars().all(plain) {
            return Err(DriverFailure::StrangeHome { home: facts.home.escape_debug().to_string() });
        }
        // It gets into scripts for root and must not be an option, a group or several words there.
        let ordinary = |c: char| c.is_alphanumeric() || "._-@".contains(c);
        // In a sudoers file, capitals alone are an alias: `ALL` is everybody.
        let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let alias =
            facts.user.starts_with(|c: char| c.is_ascii_uppercase()) && facts.user.chars().all(capital);
        let option = facts.user.starts_with('-');
        if facts.user.is_empty() || option || alias || !facts.user.chars().all(ordinary) {
            return Err(DriverFailure::StrangeUser { user: facts.user.escape_debug().to_string() });
        }
        let directory = match deployment.application.directory.strip_prefix("~/") {
            Some(rest) => format!("{}/{rest}", facts.home.trim_end_matches('/')),
            None => deployment.application.directory.clone(),
        };
        let (home, login) = (facts.home.clone(), facts.user.clone());
        Ok(Self { deployment, host, color, directory, home, uid: facts.uid, login })
    }

    /// Its colour.
    #[must_use]
    pub const fn color(&self) -> Color {
        self.color
    }

    /// The application's directory, absolute.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// Directory of a release.
    #[must_use]
    pub fn release_directory(&self, release: &ReleaseId) -> String {
        format!("{}/releases/{release}", self.directory)
    }

    /// Directory of environments and launches.
    #[must_use]
    pub fn env_directory(&self) -> String {
        format!("{}/env", self.directory)
    }

    /// File with the environment that goes with a launch of a release in this slot: 0600, in systemd's `EnvironmentFile` format.
    #[must_use]
    pub fn env_file(&self, release: &ReleaseId, launch: &Launch) -> String {
        let written = launch.written.as_ref().map(|deployment| format!("{deployment}.")).unwrap_or_default();
        self.kept_file(release, &format!("{written}env"))
    }

    /// File with how a release is started in this slot: see [`Launch`].
    pub(super) fn launch_file(&self, release: &ReleaseId) -> String {
        self.kept_file(release, "json")
    }

    /// The same as one deployment has it, before that is the release's own.
    pub(super) fn candidate_file(&self, release: &ReleaseId, deployment: &str) -> String {
        self.kept_file(release, &format!("{deployment}.json"))
    }

    /// What was the release's own before one deployment made its candidate that.
    pub(super) fn former_file(&self, release: &ReleaseId, deployment: &str) -> String {
        self.kept_file(release, &format!("{deployment}.former.json"))
    }

    fn kept_file(&self, release: &ReleaseId, name: &str) -> String {
        format!("{}/{release}-{}.{name}", self.env_directory(), self.color)
    }

    /// Log of a release in this slot, where the driver keeps log files.
    #[must_use]
    pub fn log_file(&self, release: &ReleaseId) -> String {
        format!("{}/log/{release}-{}.log", self.directory, self.color)
    }

    /// Directory of what says how the slots are filled.
    #[must_use]
    pub fn run_directory(&self) -> String {
        format!("{}/run", self.directory)
    }

    /// Says which release the slot was last started from, and by what words: see [`Noted`](super::Noted).
    pub(super) fn release_file(&self) -> String {
        format!("{}/run/{}.release", self.directory, self.color)
    }

    /// Script that the unit runs.
    pub(super) fn script(&self) -> String {
        format!("{}/run/{}.sh", self.directory, self.color)
    }

    /// Directory of the supervisor.
    pub(super) fn process_directory(&self) -> String {
        format!("{}/run/{}", self.directory, self.color)
    }

    /// Directories that must be there before anything is started, with the modes of new ones.
    #[must_use]
    pub fn directories(&self) -> Vec<Operation> {
        [("env", 0o700), ("log", 0o755), ("run", 0o700)]
            .into_iter()
            .map(|(name, mode)| Operation::MakeDirectory { path: format!("{}/{name}", self.directory), mode })
            .collect()
    }

    /// Removes the logs of a release in this slot.
    #[must_use]
    pub fn forget_logs(&self, release: &ReleaseId) -> [Operation; 2] {
        let log = self.log_file(release);
        [format!("{log}.1"), log].map(|path| self.remove(path))
    }

    /// Removes a file below the application's directory.
    pub(super) fn remove(&self, path: String) -> Operation {
        Operation::Remove { path, beneath: Some(Beneath::Directory(self.directory.clone())) }
    }

    /// What the placeholders stand for here.
    #[must_use]
    pub fn placeholders(&self, release: &str) -> Placeholders {
        Placeholders::new(self.deployment, self.host, self.color, release, &self.directory)
    }

    /// `app.env-file` as absolute paths: files of the operator's, read before [`Slot::env_file`].
    #[must_use]
    pub fn own_env_files(&self) -> Vec<String> {
        self.below(&self.deployment.application.env_files)
    }

    /// Files of the operator's as absolute paths.
    fn below(&self, files: &[String]) -> Vec<String> {
        let absolute = |file: &String| match file.strip_prefix("~/") {
            Some(rest) => format!("{}/{rest}", self.home),
            None if file.starts_with('/') => file.clone(),
            None => format!("{}/{file}", self.directory),
        };
        files.iter().map(absolute).collect()
    }

    /// A command of the configuration or of a launch: placeholders filled, started in the release's directory, with the environment that every
    /// process of that release in this slot has (the process itself, the migration, `exec`).
    #[must_use]
    pub fn program(&self, release: &ReleaseId, launch: &Launch, command: &[String]) -> Program {
        let placeholders = self.placeholders(release.as_str());
        self.program_as_typed(release, launch, command.iter().map(|word| placeholders.fill(word)))
    }

    /// The same for words that a person typed: braces in them are theirs.
    #[must_use]
    pub fn program_as_typed(
        &self,
        release: &ReleaseId,
        launch: &Launch,
        words: impl IntoIterator<Item = String>,
    ) -> Program {
        let mut words = words.into_iter();
        let program = words.next().unwrap_or_default();
        let release_directory = self.release_directory(release);
        Program {
            // A path within the release; a bare name is looked for on the PATH.
            program: if program.contains('/') && !program.starts_with('/') {
                format!("{release_directory}/{program}")
            } else {
                program
            },
            args: words.collect(),
            env_files: self
                .below(&launch.env_files)
                .into_iter()
                .chain([self.env_file(release, launch)])
                .collect(),
            directory: Some(release_directory),
            output_limit: OUTPUT_LIMIT,
            ..Program::default()
        }
    }

    pub(super) fn driver(&self) -> &'a Driver {
        &self.deployment.application.driver
    }

    pub(super) fn stop_timeout(&self) -> Duration {
        self.deployment.application.stop_timeout
    }
}
