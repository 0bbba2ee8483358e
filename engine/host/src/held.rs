//! A private directory that is there for as long as somebody holds it: where things are built.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::account::Account;
use crate::document;
use crate::fault::{self, not_allowed};
use crate::fence::Mutex;
use crate::operation::{Fault, FaultKind};
use crate::place::absolute;
use crate::release::{check_id, remove_tree};
use crate::scope::Scope;
use crate::stream::Lane;

/// File in a held directory that is locked by whoever holds it: the kernel lets go of it with the process.
const HOLD: &str = "held";

/// A program that is being ended may still write below the directory while it is removed.
const REMOVALS: u32 = 40;
/// Between two removals.
const PAUSE: Duration = Duration::from_millis(50);

/// See [`crate::operation::Operation::HoldDirectory`].
pub(crate) fn hold(account: &Account, directory: &str, token: &str, scope: &Scope<'_>) -> Result<(), Fault> {
    check_id(token)?;
    let parent = absolute(account, directory)?;
    document::make_private(&parent)?;
    // Grants are for paths without links, and caches like to lie behind one.
    let parent = fs::canonicalize(&parent)
        .map_err(|error| fault::io("find", &parent, error))?
        .into_os_string()
        .into_string()
        .map_err(|_| not_allowed(format!("`{parent}` lies where the path is no text")))?;
    let path = format!("{parent}/{token}");
    let _hold = {
        let _turn = Mutex::hold(&parent, scope)?;
        remove_leftovers(&parent);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| fault::io("make the directory", &path, error))?;
        lock(&path)?.ok_or_else(|| Fault::new(FaultKind::Conflict, format!("`{path}` is held already")))?
    };
    let told = scope.stream.send(Lane::Out, path.as_bytes());
    if told.is_ok() {
        // It ends when the engine closes its side, gives up, or is gone.
        while scope.stream.receive().is_some() {}
    }
    told.and(remove(&path))
}

/// Removes what holders left that are gone. What can't be removed is tried again by the next one, and hinders nobody.
fn remove_leftovers(parent: &str) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if check_id(&name).is_err() || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = format!("{parent}/{name}");
        // Whoever makes one holds it before anybody else has a turn here: one without the file is on its way out.
        if matches!(lock(&path), Ok(Some(_))) {
            let _ = remove_tree(&path);
        }
    }
}

/// Takes the lock of a directory; none when another has it.
fn lock(path: &str) -> Result<Option<File>, Fault> {
    let file = format!("{path}/{HOLD}");
    let open = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(&file)
        .map_err(|error| fault::io("open", &file, error))?;
    match flock(&open, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(open)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(fault::io("lock", &file, io::Error::from(error))),
    }
}

fn remove(path: &str) -> Result<(), Fault> {
    let mut tries = 0;
    loop {
        match remove_tree(path) {
            Err(_) if tries < REMOVALS => std::thread::sleep(PAUSE),
            removed => return removed,
        }
        tries += 1;
    }
}
