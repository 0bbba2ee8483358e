//! A project on disk: its configuration file, and the lock file beside it.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::project_file;
use crate::config::{Input, read_lock, write_lock};
use crate::model::view::{ExitCode, Problem};
use crate::model::{LockFile, Trouble};
use crate::run::{lock_name, replace};

/// Bytes of a lock file at most.
pub(super) const LARGEST_LOCK: u64 = 4 << 20;

/// What the text of a lock file says; `name` is what it is called.
///
/// # Errors
/// When it is none.
pub(super) fn lock_of(name: &str, text: &str) -> Result<LockFile, Problem> {
    read_lock(text).map_err(|fault| {
        let text = format!("`{name}` is no lock file of cutover: {fault}");
        Problem::new("config/lock", text, ExitCode::Configuration).hint(
            "take it from version control again, as one side has it where two were merged; then `cutover hook update`",
        )
    })
}

/// A configuration file that was found.
#[derive(Debug)]
pub(super) struct Project {
    /// As short as it can be said.
    pub(super) file: Utf8PathBuf,
    /// Its content.
    pub(super) text: String,
    /// Its directory, absolute.
    pub(super) root: Utf8PathBuf,
}

impl Project {
    /// The one that was given, or that lies here or in a parent.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub(super) fn find(given: Option<&Utf8Path>) -> Result<Self, Problem> {
        let start = project_file::working_directory()?;
        let file = project_file::find(given, &start)?;
        let text = project_file::read(&file)?;
        let whole = start.join(&file);
        let root = whole.parent().unwrap_or(&start).to_owned();
        let file = file.strip_prefix(&start).unwrap_or(&file).to_owned();
        Ok(Self { file, text, root })
    }

    /// What is read as the configuration.
    pub(super) fn input<'a>(&'a self, environment: Option<&'a str>) -> Input<'a> {
        Input { file: self.file.as_str(), text: &self.text, root: &self.root, environment }
    }

    /// The lock file, as short as it can be said.
    pub(super) fn lock_name(&self) -> Utf8PathBuf {
        lock_name(self.file.as_str())
    }

    fn lock_path(&self) -> Utf8PathBuf {
        let name = self.lock_name();
        self.root.join(name.file_name().unwrap_or_default())
    }

    /// What the lock file says; nothing where there is none.
    ///
    /// # Errors
    /// When it can't be read, or is none.
    pub(super) fn lock(&self) -> Result<LockFile, Problem> {
        let name = self.lock_name();
        match project_file::read_up_to(&self.lock_path(), LARGEST_LOCK) {
            Ok(text) => lock_of(name.as_str(), &text),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(LockFile::default()),
            Err(fault) => {
                let text = format!("can't read `{name}`: {fault}");
                Err(Problem::new("config/lock", text, ExitCode::Configuration))
            }
        }
    }

    /// Writes the lock file.
    ///
    /// # Errors
    /// When that can't be done.
    pub(super) fn write_lock(&self, lock: &LockFile) -> Result<(), Trouble> {
        replace(&self.lock_path(), write_lock(lock).as_bytes())
    }
}
