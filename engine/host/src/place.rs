//! Where a path leads, found once: what follows works on the open directory, so that nobody can move it meanwhile.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use crate::account::Account;
use crate::fault::{self, not_allowed};
use crate::operation::{Beneath, Fault};

/// An entry of a directory that is held open.
#[derive(Debug)]
pub(crate) struct Place {
    /// The directory (`O_PATH`).
    pub(crate) directory: OwnedFd,
    /// Name of the entry in it.
    pub(crate) name: String,
    /// The whole path, for messages.
    pub(crate) shown: String,
    within: Option<(OwnedFd, String)>,
}

impl Place {
    /// Finds the directory of `path`. With `beneath` there is no link on the way from that directory, and none on the way to it when it
    /// was granted: what was granted by its path must lie at its path.
    ///
    /// # Errors
    /// When the path is not allowed, or its directory is not there.
    pub(crate) fn find(account: &Account, path: &str, beneath: Option<&Beneath>) -> Result<Self, Fault> {
        let shown = absolute(account, path)?;
        let (parent, name) = shown
            .rsplit_once('/')
            .filter(|(_, name)| !name.is_empty())
            .ok_or_else(|| not_allowed(format!("`{path}` names no entry of a directory")))?;
        let name = name.to_owned();
        let Some(beneath) = beneath else {
            let parent = if parent.is_empty() { "/" } else { parent };
            let directory =
                openat(CWD, parent, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
                    .map_err(|error| fault::io("open", parent, error))?;
            return Ok(Self { directory, name, shown, within: None });
        };
        let base = absolute(account, beneath.directory())?;
        let relative = shown
            .strip_prefix(base.trim_end_matches('/'))
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or_else(|| not_allowed(format!("`{path}` does not lie beneath `{base}`")))?
            .to_owned();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = match beneath {
            Beneath::Directory(_) => {
                openat(CWD, &base, flags, Mode::empty()).map_err(|error| fault::io("open", &base, error))?
            }
            Beneath::Granted(_) => open_granted(&base, flags)?,
        };
        let above = relative.rsplit_once('/').map_or(".", |(above, _)| above);
        let directory = open_plain(&root, above.as_bytes(), flags, Mode::empty())
            .map_err(|error| fault::io("open the directory of", &shown, error))?;
        Ok(Self { directory, name, shown, within: Some((root, relative)) })
    }

    /// Opens the entry itself; with `beneath`, not when it is a link.
    pub(crate) fn open(&self, flags: OFlags) -> Result<OwnedFd, Fault> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        match &self.within {
            Some((root, relative)) => open_plain(root, relative.as_bytes(), flags, Mode::empty()),
            None => openat(&self.directory, &self.name, flags, Mode::empty()),
        }
        .map_err(|error| fault::io("open", &self.shown, error))
    }

    /// Makes what was done to the directory's entries survive a loss of power.
    pub(crate) fn sync_directory(&self) -> Result<(), Fault> {
        sync_directory(&self.directory)
            .map_err(|error| fault::io("sync the directory of", &self.shown, error))
    }
}

/// fsync of a directory that is open with `O_PATH` only. One that may be changed but not read can't be synced.
pub(crate) fn sync_directory(directory: impl AsFd) -> Result<(), Errno> {
    match openat(directory, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(readable) => rustix::fs::fsync(readable),
        Err(Errno::ACCESS) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Checks a path and replaces `~/` by the home directory.
///
/// # Errors
/// When it is relative, too long, or has `..` or NUL in it.
pub(crate) fn absolute(account: &Account, path: &str) -> Result<String, Fault> {
    let whole = match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{}{rest}", account.home),
        _ => path.to_owned(),
    };
    if !whole.starts_with('/') {
        return Err(not_allowed(format!("`{path}` is not an absolute path")));
    }
    if whole.contains('\0') || whole.len() > 4096 {
        return Err(not_allowed(format!("`{}` is not a path", path.escape_debug())));
    }
    if whole.split('/').any(|part| part == "..") {
        return Err(not_allowed(format!("`{path}` has `..` in it")));
    }
    let parts: Vec<&str> = whole.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok(format!("/{}", parts.join("/")))
}

/// Opens what was granted by its absolute path, through no link at all: else whoever may put one on the way says what was granted.
///
/// # Errors
/// When a link is on the way, with where it leads, or when the system refuses.
pub(crate) fn open_granted(path: &str, flags: OFlags) -> Result<OwnedFd, Fault> {
    let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = openat(CWD, "/", step, Mode::empty()).map_err(|error| fault::io("open", "/", error))?;
    let relative = path.trim_start_matches('/');
    let relative = if relative.is_empty() { "." } else { relative };
    open_plain(top, relative.as_bytes(), flags | OFlags::CLOEXEC, Mode::empty()).map_err(
        |error| match error {
            Errno::LOOP => leads_elsewhere(path),
            other => fault::io("open", path, other),
        },
    )
}

fn leads_elsewhere(path: &str) -> Fault {
    let real = std::fs::canonicalize(path).ok();
    let leads = real.map(|real| format!(": it leads to `{}`", real.to_string_lossy().escape_debug()));
    let leads = leads.unwrap_or_default();
    not_allowed(format!(
        "`{path}` has a symbolic link in it{leads}, and a grant is for the path that it names; if that place is meant, grant it by its \
         own path"
    ))
}

/// Opens `relative` through no link at all, and so that `..` does not lead out of `root`, also while somebody renames things in it.
pub(crate) fn open_plain(
    root: impl AsFd,
    relative: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    // The kernel says "again" when a rename raced with it.
    for _ in 0..16 {
        match openat2(&root, relative, flags, mode, rules) {
            Err(Errno::AGAIN) => {}
            Err(Errno::NOSYS | Errno::PERM) => return walk(root, relative, flags, mode),
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// For kernels before 5.6 and sandboxes without `openat2`: one part at a time, and no link at all.
fn walk(root: impl AsFd, relative: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let mut parts =
        relative.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").peekable();
    let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = openat(root, ".", step, Mode::empty())?;
    while let Some(part) = parts.next() {
        if part == b".." {
            return Err(Errno::XDEV);
        }
        let last = parts.peek().is_none();
        let (flags, mode) = if last { (flags, mode) } else { (step, Mode::empty()) };
        at = openat(&at, part, flags | OFlags::NOFOLLOW, mode).map_err(|error| match error {
            Errno::NOTDIR if is_link(&at, part) => Errno::LOOP,
            other => other,
        })?;
    }
    Ok(at)
}

fn is_link(directory: impl AsFd, name: &[u8]) -> bool {
    rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_symlink())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_the_directory() {
        let scratch = tempfile::tempdir().expect("a directory");
        let root = scratch.path().join("in");
        std::fs::create_dir_all(root.join("a/b")).expect("made");
        std::fs::write(scratch.path().join("secret"), "secret").expect("written");
        std::fs::write(root.join("a/file"), "fine").expect("written");
        for (link, target) in [
            ("a/up", "../.."),
            ("a/absolute", "/etc"),
            ("a/b/inside", "../file"),
            ("out", "../secret"),
            ("a/proc", "/proc/self/root"),
        ] {
            std::os::unix::fs::symlink(target, root.join(link)).expect("linked");
        }
        let opened = openat(CWD, &root, OFlags::PATH, Mode::empty()).expect("opens");
        let table = [
            ("a/file", true, true),
            ("a/b/inside", false, false),
            // Stays inside; the walk knows no way up.
            ("a/../a/file", true, false),
            ("../secret", false, false),
            ("a/../../secret", false, false),
            ("a/up/secret", false, false),
            ("a/absolute/passwd", false, false),
            ("a/proc/etc/passwd", false, false),
            ("out", false, false),
            ("/etc/passwd", false, false),
        ];
        for (path, by_kernel, by_walk) in table {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let opens = |result: Result<OwnedFd, Errno>| result.is_ok();
            assert_eq!(
                opens(open_plain(&opened, path.as_bytes(), flags, Mode::empty())),
                by_kernel,
                "{path}"
            );
            assert_eq!(
                opens(walk(&opened, path.as_bytes(), flags, Mode::empty())),
                by_walk,
                "{path}, walked"
            );
        }
    }

    #[test]
    fn what_was_granted_lies_at_its_path() {
        let scratch = tempfile::tempdir().expect("a directory");
        let root = scratch.path().canonicalize().expect("is there");
        std::fs::create_dir_all(root.join("real/inner")).expect("made");
        std::fs::write(root.join("real/inner/file"), "secret").expect("written");
        std::os::unix::fs::symlink("real", root.join("link")).expect("linked");
        let account = Account { user: "deploy".to_owned(), uid: 1000, home: "/home/deploy".to_owned() };
        let root = root.to_str().expect("text");
        let find = |beneath: fn(String) -> Beneath, base: &str| {
            let path = format!("{root}/{base}/file");
            let found = Place::find(&account, &path, Some(&beneath(format!("{root}/{base}"))));
            found.map(drop).map_err(|fault| (fault.kind, fault.message.replace(root, "/R")))
        };
        let refused = |base: &str| {
            let leads =
                "and a grant is for the path that it names; if that place is meant, grant it by its own path";
            let message =
                format!("`/R/{base}` has a symbolic link in it: it leads to `/R/real/inner`, {leads}");
            Err((crate::operation::FaultKind::NotAllowed, message))
        };
        std::os::unix::fs::symlink("inner", std::path::Path::new(root).join("real/last")).expect("linked");
        assert_eq!(find(Beneath::Granted, "real/inner"), Ok(()));
        assert_eq!(find(Beneath::Granted, "link/inner"), refused("link/inner"));
        assert_eq!(find(Beneath::Granted, "real/last"), refused("real/last"));
        // An operator's own directory may be anywhere.
        assert_eq!(find(Beneath::Directory, "link/inner"), Ok(()));
    }

    #[test]
    fn paths_are_checked_before_anything_is_opened() {
        let account = Account { user: "deploy".to_owned(), uid: 1000, home: "/home/deploy".to_owned() };
        let fine = [("~/a", "/home/deploy/a"), ("~", "/home/deploy"), ("/a//b/./c/", "/a/b/c"), ("/", "/")];
        for (path, expected) in fine {
            assert_eq!(absolute(&account, path), Ok(expected.to_owned()));
        }
        for path in ["", "a", "./a", "~root/a", "/a/../b", "/a/..", "~/../root", "/a\0b"] {
            let fault = absolute(&account, path).expect_err(path);
            assert_eq!(fault.kind, crate::operation::FaultKind::NotAllowed, "{path:?}");
        }
    }
}
