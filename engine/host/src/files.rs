//! Files as wholes: read, replace, append, list, remove.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Stat, Uid, openat, renameat, renameat_with, statat,
    unlinkat,
};
use rustix::io::Errno;

use crate::account::Account;
use crate::fault;
use crate::operation::{Beneath, Fault, FaultKind};
use crate::place::{Place, absolute, open_granted, sync_directory};

/// Names that [`list_names`] gives at most.
const MAX_NAMES: usize = 100_000;

/// See [`crate::operation::Operation::Read`].
pub(crate) fn read(
    account: &Account,
    path: &str,
    beneath: Option<&Beneath>,
    limit: u64,
) -> Result<Vec<u8>, Fault> {
    let place = Place::find(account, path, beneath)?;
    let file = File::from(place.open(OFlags::RDONLY)?);
    let found = rustix::fs::fstat(&file).map_err(|error| fault::io("look at", &place.shown, error))?;
    require_regular(&found, &place.shown)?;
    let mut content = Vec::new();
    (&file)
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(|error| fault::io("read", &place.shown, error))?;
    if content.len() as u64 > limit {
        return Err(Fault::new(
            FaultKind::TooLarge,
            format!("`{}` has more than {limit} bytes", place.shown),
        ));
    }
    Ok(content)
}

/// See [`crate::operation::Operation::Write`].
pub(crate) fn write(
    account: &Account,
    path: &str,
    beneath: Option<&Beneath>,
    content: &[u8],
    mode: Option<u32>,
) -> Result<(), Fault> {
    let place = Place::find(account, path, beneath)?;
    let there = look(&place)?;
    if let Some(found) = &there {
        require_regular(found, &place.shown)?;
    }
    let keep = there.filter(|_| mode.is_none());
    let mode = mode.or(keep.map(|found| found.st_mode & 0o7777)).unwrap_or(0o644);
    let owner = keep.map(|found| (Uid::from_raw(found.st_uid), Gid::from_raw(found.st_gid)));
    replace(&place.directory, &place.name, content, mode, owner)
        .map_err(|error| fault::room(fault::io("write", &place.shown, error), &place.directory))
}

/// Replaces an entry of a directory by a regular file, so that a reader, or a loss of power, sees the old or the new one.
pub(crate) fn replace(
    directory: impl AsFd,
    name: &str,
    content: &[u8],
    mode: u32,
    owner: Option<(Uid, Gid)>,
) -> std::io::Result<()> {
    let directory = directory.as_fd();
    let temporary = temporary_name();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(directory, &temporary, flags, Mode::RUSR | Mode::WUSR)?);
    let written = (|| {
        file.write_all(content)?;
        if let Some((user, group)) = owner {
            let now = rustix::fs::fstat(&file)?;
            if (now.st_uid, now.st_gid) != (user.as_raw(), group.as_raw()) {
                rustix::fs::fchown(&file, Some(user), Some(group))?;
            }
        }
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode & 0o777))?;
        file.sync_all()?;
        renameat(directory, &temporary, directory, name)?;
        Ok(())
    })();
    if written.is_err() {
        let _ = unlinkat(directory, &temporary, AtFlags::empty());
    } else {
        sync_directory(directory)?;
    }
    written
}

/// A name in the same directory that no other thread or process uses.
pub(crate) fn temporary_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut random = [0_u8; 8];
    // Names only have to differ; without randomness those of two hosts on one network file system could meet, no more.
    let _ = rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty());
    format!(".cutover-{}-{count}-{:016x}", std::process::id(), u64::from_ne_bytes(random))
}

/// See [`crate::operation::Operation::Append`].
pub(crate) fn append(account: &Account, path: &str, at: u64, content: &[u8]) -> Result<(), Fault> {
    let place = Place::find(account, path, None)?;
    let create = if at == 0 { OFlags::CREATE } else { OFlags::empty() };
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | create;
    let fails = |doing: &'static str| {
        let shown = place.shown.clone();
        move |error: std::io::Error| fault::io(doing, shown, error)
    };
    let mut file = openat(&place.directory, &place.name, flags, Mode::RUSR | Mode::WUSR)
        .map(File::from)
        .map_err(|error| fault::io("open", &place.shown, error))?;
    let found = rustix::fs::fstat(&file).map_err(|error| fault::io("look at", &place.shown, error))?;
    require_regular(&found, &place.shown)?;
    // Two appenders with the same idea of the length: the second must see what the first did.
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|error| fault::io("lock", &place.shown, error))?;
    let length = file.metadata().map_err(fails("look at"))?.len();
    if length != at {
        let message = format!("`{}` has {length} bytes, not {at}", place.shown);
        return Err(Fault::new(FaultKind::Conflict, message));
    }
    let appended =
        file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(content)).and_then(|()| file.sync_data());
    if let Err(error) = appended {
        // Half a line must not stay when the disk is full: the next appender would find another length for ever.
        let _ = file.set_len(at);
        return Err(fault::room(fails("append to")(error), &file));
    }
    if at == 0 { place.sync_directory() } else { Ok(()) }
}

/// See [`crate::operation::Operation::ListNames`].
pub(crate) fn list_names(
    account: &Account,
    path: &str,
    beneath: Option<&Beneath>,
) -> Result<Vec<String>, Fault> {
    let shown = absolute(account, path)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let directory = if shown == "/" {
        openat(rustix::fs::CWD, "/", flags | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| fault::io("open", "/", error))?
    } else {
        match beneath.map(|beneath| absolute(account, beneath.directory())).transpose()? {
            Some(root) if root == shown => match beneath {
                Some(Beneath::Granted(_)) => open_granted(&shown, flags)?,
                _ => Place::find(account, path, None)?.open(flags)?,
            },
            _ => Place::find(account, path, beneath)?.open(flags)?,
        }
    };
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(directory).map_err(|error| fault::io("list", &shown, error))? {
        let entry = entry.map_err(|error| fault::io("list", &shown, error))?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if names.len() == MAX_NAMES {
            let message = format!("`{shown}` has more than {MAX_NAMES} entries");
            return Err(Fault::new(FaultKind::TooLarge, message));
        }
        names.push(String::from_utf8_lossy(name).into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// See [`crate::operation::Operation::SetAside`].
pub(crate) fn set_aside(account: &Account, path: &str, name: &str) -> Result<(), Fault> {
    if name.is_empty() || name.contains(['/', '\0']) || matches!(name, "." | "..") {
        return Err(fault::not_allowed(format!("`{}` is no name of a file", name.escape_debug())));
    }
    let place = match Place::find(account, path, None) {
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(()),
        found => found?,
    };
    let flags = RenameFlags::NOREPLACE;
    match renameat_with(&place.directory, &place.name, &place.directory, name, flags) {
        Ok(()) => place.sync_directory(),
        Err(Errno::NOENT) => Ok(()),
        Err(Errno::EXIST) => {
            let message = format!("`{name}` is in the directory of `{}` already", place.shown);
            Err(Fault::new(FaultKind::Conflict, message))
        }
        Err(error) => Err(fault::io("set aside", &place.shown, error)),
    }
}

/// See [`crate::operation::Operation::Remove`].
pub(crate) fn remove(account: &Account, path: &str, beneath: Option<&Beneath>) -> Result<(), Fault> {
    let place = match Place::find(account, path, beneath) {
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(()),
        found => found?,
    };
    match unlinkat(&place.directory, &place.name, AtFlags::empty()) {
        Ok(()) => place.sync_directory(),
        Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR) => Err(fault::not_allowed(format!("`{}` is a directory", place.shown))),
        Err(error) => Err(fault::io("remove", &place.shown, error)),
    }
}

/// See [`crate::operation::Operation::MakeDirectory`].
pub(crate) fn make_directory(account: &Account, path: &str, mode: u32) -> Result<(), Fault> {
    let shown = absolute(account, path)?;
    for (at, _) in shown.match_indices('/').skip(1).chain([(shown.len(), "")]) {
        let part = &shown[..at];
        match rustix::fs::mkdir(part, Mode::from_raw_mode(mode & 0o777)) {
            Ok(()) => {
                // The process's umask must not narrow what was asked for.
                rustix::fs::chmod(part, Mode::from_raw_mode(mode & 0o777))
                    .map_err(|error| fault::io("set the mode of", part, error))?;
                Place::find(account, part, None)?.sync_directory()?;
            }
            Err(Errno::EXIST) => {}
            // A read-only or forbidden parent that is there already is no hindrance; the last part tells.
            Err(_) if at < shown.len() && std::path::Path::new(part).is_dir() => {}
            Err(error) => {
                let fault = fault::io("make the directory", part, error);
                let parent = Place::find(account, part, None);
                return Err(parent.map_or(fault.clone(), |parent| fault::room(fault, &parent.directory)));
            }
        }
    }
    if std::path::Path::new(&shown).is_dir() {
        Ok(())
    } else {
        Err(Fault::new(FaultKind::Conflict, format!("`{shown}` is there and not a directory")))
    }
}

/// What is at a place, links not followed.
pub(crate) fn look(place: &Place) -> Result<Option<Stat>, Fault> {
    match statat(&place.directory, &place.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(fault::io("look at", &place.shown, error)),
    }
}

fn require_regular(found: &Stat, shown: &str) -> Result<(), Fault> {
    if FileType::from_raw_mode(found.st_mode).is_file() {
        Ok(())
    } else {
        Err(fault::not_allowed(format!("`{shown}` is not a regular file")))
    }
}
