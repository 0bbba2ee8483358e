//! Symbolic links, swapped so that there is always one.

use rustix::fs::{AtFlags, FileType, readlinkat, renameat, symlinkat, unlinkat};
use rustix::io::Errno;

use crate::account::Account;
use crate::fault;
use crate::files::{look, temporary_name};
use crate::operation::{Beneath, Fault, FaultKind};
use crate::place::Place;

/// See [`crate::operation::Operation::WriteLink`].
pub(crate) fn write(
    account: &Account,
    path: &str,
    beneath: Option<&Beneath>,
    target: &str,
) -> Result<(), Fault> {
    let place = Place::find(account, path, beneath)?;
    if look(&place)?.is_some_and(|found| !FileType::from_raw_mode(found.st_mode).is_symlink()) {
        return Err(Fault::new(FaultKind::Conflict, format!("`{}` is there and not a link", place.shown)));
    }
    let temporary = temporary_name();
    let fails =
        |error: Errno| fault::room(fault::io("write the link", &place.shown, error), &place.directory);
    symlinkat(target, &place.directory, &temporary).map_err(fails)?;
    if let Err(error) = renameat(&place.directory, &temporary, &place.directory, &place.name) {
        let _ = unlinkat(&place.directory, &temporary, AtFlags::empty());
        return Err(fails(error));
    }
    place.sync_directory()
}

/// See [`crate::operation::Operation::ReadLink`].
pub(crate) fn read(account: &Account, path: &str, beneath: Option<&Beneath>) -> Result<String, Fault> {
    let place = Place::find(account, path, beneath)?;
    match readlinkat(&place.directory, &place.name, Vec::new()) {
        Ok(target) => Ok(target.to_string_lossy().into_owned()),
        Err(Errno::INVAL) => {
            Err(Fault::new(FaultKind::Conflict, format!("`{}` is there and not a link", place.shown)))
        }
        Err(error) => Err(fault::io("read the link", &place.shown, error)),
    }
}
