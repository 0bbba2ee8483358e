//! Whole releases in an application's directory, and what is left over of others.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::document;
use crate::fault::{self, not_allowed};
use crate::fence::Leave;
use crate::files;
use crate::operation::{Application, Fault, FaultKind, StagedRelease};
use crate::place::{absolute, sync_directory};

/// Begins the names of directories that are not whole.
pub(crate) const PARTIAL: &str = ".partial-";

/// Comes after that in the names of those that are on their way out.
const REMOVED: &str = "removed-";

/// Content of `releases/ID.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReleaseRecord {
    pub(crate) version: u32,
    pub(crate) digest: String,
    pub(crate) record: String,
}

/// The paths of an application's directory.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The application's directory.
    pub(crate) directory: String,
}

impl Layout {
    pub(crate) fn new(account: &Account, directory: &str) -> Result<Self, Fault> {
        Ok(Self { directory: absolute(account, directory)? })
    }

    pub(crate) fn releases(&self) -> String {
        format!("{}/releases", self.directory)
    }

    pub(crate) fn release(&self, id: &str) -> Result<String, Fault> {
        check_id(id)?;
        Ok(format!("{}/releases/{id}", self.directory))
    }

    pub(crate) fn partial(&self, token: &str) -> Result<String, Fault> {
        check_id(token)?;
        Ok(format!("{}/releases/{PARTIAL}{token}", self.directory))
    }

    /// The record of a whole release; none when there is no such release.
    pub(crate) fn record(&self, id: &str) -> Result<Option<ReleaseRecord>, Fault> {
        let path = self.release(id)?;
        let whole = fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir());
        if whole { document::load(&format!("{path}.json")) } else { Ok(None) }
    }
}

/// Whether a text can be a name of ours in a directory.
pub(crate) fn check_id(id: &str) -> Result<(), Fault> {
    let fine = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.len() <= 128
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fine {
        Ok(())
    } else {
        Err(not_allowed(format!("`{}` is not an identifier of a release", id.escape_debug())))
    }
}

/// See [`crate::operation::Operation::InspectApplication`].
pub(crate) fn inspect(account: &Account, directory: &str) -> Result<Application, Fault> {
    let layout = Layout::new(account, directory)?;
    if !Path::new(&layout.directory).is_dir() {
        return Ok(Application::default());
    }
    let names = match files::list_names(account, &layout.releases(), None) {
        Err(fault) if fault.kind == FaultKind::NotFound => Vec::new(),
        names => names?,
    };
    let mut application = Application { exists: true, ..Application::default() };
    for name in names {
        if let Some(token) = name.strip_prefix(PARTIAL) {
            application.partials.push(token.to_owned());
        } else if check_id(&name).is_ok()
            && let Some(ReleaseRecord { digest, record, .. }) = layout.record(&name)?
        {
            application.releases.push(StagedRelease { id: name, digest, record });
        }
    }
    let target = |name: &str| {
        let target = fs::read_link(format!("{}/{name}", layout.directory)).ok()?;
        let lies_there = target.parent().is_some_and(|parent| parent.ends_with("releases"));
        let id = target.file_name()?.to_str()?.to_owned();
        lies_there.then_some(id)
    };
    application.current = target("current");
    application.blue = target("blue");
    application.green = target("green");
    Ok(application)
}

/// See [`crate::operation::Operation::RemovePartials`].
pub(crate) fn remove_partials(
    account: &Account,
    directory: &str,
    leave: impl FnOnce() -> Result<Leave, Fault>,
) -> Result<(), Fault> {
    let releases = Layout::new(account, directory)?.releases();
    let leave = leave()?;
    let names = match files::list_names(account, &releases, None) {
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(()),
        names => names?,
    };
    let mut gone = Vec::new();
    for token in names.iter().filter_map(|name| name.strip_prefix(PARTIAL)) {
        // Whoever comes next may stage under the same token: what goes while it does must not be found by it.
        if !token.starts_with(REMOVED) {
            take_away(
                &format!("{releases}/{PARTIAL}{token}"),
                &format!("{releases}/{PARTIAL}{REMOVED}{token}"),
            )?;
        }
        gone.push(token.strip_prefix(REMOVED).unwrap_or(token));
    }
    // They are nobody's, and how long their files take to go concerns nobody else.
    drop(leave);
    for token in gone {
        remove_tree(&format!("{releases}/{PARTIAL}{REMOVED}{token}"))?;
    }
    Ok(())
}

/// Renames a directory to where nobody looks for one, over what was left there by one that was cut off.
fn take_away(path: &str, gone: &str) -> Result<(), Fault> {
    let renamed = fs::rename(path, gone).or_else(|error| {
        if error.kind() == io::ErrorKind::DirectoryNotEmpty {
            remove_all(gone)?;
            return fs::rename(path, gone);
        }
        Err(error)
    });
    match renamed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault::io("rename", path, error)),
        _ => Ok(()),
    }
}

/// See [`crate::operation::Operation::RemoveRelease`].
pub(crate) fn remove(
    account: &Account,
    directory: &str,
    release: &str,
    leave: impl FnOnce() -> Result<Leave, Fault>,
) -> Result<(), Fault> {
    let layout = Layout::new(account, directory)?;
    let path = layout.release(release)?;
    let gone = format!("{}/{PARTIAL}{REMOVED}{release}", layout.releases());
    let leave = leave()?;
    // What a removal of the same release has left that was cut off, before it was staged again, goes with it.
    take_away(&path, &gone)?;
    for kind in ["json", "manifest"] {
        files::remove(account, &format!("{path}.{kind}"), None)?;
    }
    // It is no release any more; how long its files take to go concerns nobody else.
    drop(leave);
    remove_tree(&gone)
}

/// Removes a directory with all that is in it, also what its owner may not write to. There being none is success.
pub(crate) fn remove_tree(path: &str) -> Result<(), Fault> {
    match remove_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault::io("remove", path, error)),
        _ => Ok(()),
    }
}

fn remove_all(path: &str) -> io::Result<()> {
    fs::remove_dir_all(path).or_else(|error| {
        if error.kind() == io::ErrorKind::PermissionDenied {
            make_writable(Path::new(path))?;
            return fs::remove_dir_all(path);
        }
        Err(error)
    })
}

fn make_writable(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes what was done to a directory's entries survive a loss of power.
pub(crate) fn sync(directory: &str) -> Result<(), Fault> {
    let open = openat(CWD, directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    open.and_then(sync_directory).map_err(|error| fault::io("sync", directory, error))
}
