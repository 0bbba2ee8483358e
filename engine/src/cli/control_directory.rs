//! Where this run keeps its control sockets and client configurations of SSH.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use tempfile::TempDir;

/// Nothing else may be called so: what is stale is removed.
const PREFIX: &str = ".cutover-ssh-";
/// A path of a Unix socket has at most 107 bytes (unix(7)). Of them, `/.cutover-ssh-XXXXXX` takes 20, `/.ssh-connectionXXXXXX/master` 29,
/// and the end that `ssh` gives a socket which it has not yet moved into place 17.
const LONGEST_BASE: usize = 107 - 20 - 29 - 17;

/// A directory of this run alone, removed when the value goes. The lock on it tells others that its process lives.
#[derive(Debug)]
pub(super) struct ControlDirectory {
    directory: TempDir,
    _lock: File,
}

impl ControlDirectory {
    /// Makes it in the first of `bases` that can hold sockets, or in `/tmp`. Removes those there that killed runs have left.
    ///
    /// # Errors
    /// With the path, when the system makes none.
    pub(super) fn make(bases: impl IntoIterator<Item = PathBuf>) -> Result<Self, (PathBuf, io::Error)> {
        let base = bases.into_iter().find(|base| fits(base)).unwrap_or_else(|| PathBuf::from("/tmp"));
        remove_stale(&base);
        let failed = |error| (base.clone(), error);
        loop {
            let directory = tempfile::Builder::new()
                .prefix(PREFIX)
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(&base)
                .map_err(failed)?;
            match locked(directory.path()) {
                Ok(Some(lock)) => return Ok(Self { directory, _lock: lock }),
                // Another run took it for stale before it was locked.
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Whether control sockets can lie beneath. `ssh` gives `%` a meaning, and takes blanks and quotes apart.
fn fits(base: &Path) -> bool {
    let bytes = base.as_os_str().as_bytes();
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"%\"'\\".contains(byte);
    base.is_absolute() && bytes.len() <= LONGEST_BASE && bytes.iter().all(plain) && base.is_dir()
}

/// The lock on a directory; none when another process holds it, or when the directory is no longer the one of that path.
fn locked(path: &Path) -> io::Result<Option<File>> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(None);
    }
    let (held, found) = (file.metadata()?, std::fs::symlink_metadata(path)?);
    Ok((held.dev() == found.dev() && held.ino() == found.ino()).then_some(file))
}

/// Nobody waits for this, and what can't be removed is left: it holds nothing that is worth keeping or hiding.
fn remove_stale(base: &Path) {
    let uid = rustix::process::getuid().as_raw();
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().as_bytes().starts_with(PREFIX.as_bytes())
            && entry
                .metadata()
                .is_ok_and(|found| found.is_dir() && found.uid() == uid && found.mode() & 0o7777 == 0o700);
        if is_ours && let Ok(Some(_lock)) = locked(&entry.path()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(base: &Path) -> usize {
        std::fs::read_dir(base).expect("is there").count()
    }

    #[test]
    fn each_run_has_its_own_and_leaves_none() {
        let base = tempfile::tempdir().expect("a directory");
        let make = || ControlDirectory::make([base.path().to_owned()]).expect("made");
        let (one, other) = (make(), make());
        assert_ne!(one.path(), other.path());
        let mode = std::fs::metadata(one.path()).expect("is there").mode();
        assert_eq!(mode & 0o7777, 0o700);
        std::fs::write(one.path().join("config-web1"), "").expect("written");
        assert_eq!(entries(base.path()), 2);
        drop((one, other));
        assert_eq!(entries(base.path()), 0);
    }

    #[test]
    fn what_killed_runs_left_is_removed_and_nothing_else() {
        let base = tempfile::tempdir().expect("a directory");
        for (name, mode) in
            [(".cutover-ssh-stale1", 0o700), (".cutover-ssh-shared", 0o755), ("cutover-other", 0o700)]
        {
            let path = base.path().join(name);
            std::fs::create_dir(&path).expect("made");
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
        }
        let _run = ControlDirectory::make([base.path().to_owned()]).expect("made");
        assert!(!base.path().join(".cutover-ssh-stale1").exists());
        assert_eq!(entries(base.path()), 3);
    }

    #[test]
    fn a_base_whose_sockets_would_be_too_long_is_passed_over() {
        let scratch = tempfile::tempdir().expect("a directory");
        for name in ["l".repeat(LONGEST_BASE), "100%".to_owned(), "a b".to_owned()] {
            let base = scratch.path().join(name);
            std::fs::create_dir(&base).expect("made");
            assert!(!fits(&base), "{}", base.display());
        }
        assert!(!fits(Path::new("relative")) && !fits(Path::new("/nonexistent")) && fits(Path::new("/tmp")));
    }
}
