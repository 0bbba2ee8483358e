//! What a host says of itself.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::account::Account;
use crate::clock::now_ms;
use crate::fault;
use crate::operation::{Facts, Fault, Room};
use crate::place::absolute;
use crate::session;

/// See [`crate::operation::Operation::Facts`].
pub(crate) fn gather(account: &Account, paths: &[String]) -> Result<Facts, Fault> {
    Ok(Facts {
        architecture: rustix::system::uname().machine().to_string_lossy().into_owned(),
        boot_id: boot_id(),
        user: account.user.clone(),
        uid: account.uid,
        home: account.home.clone(),
        now_ms: now_ms(),
        room: paths.iter().map(|path| room(account, path)).collect::<Result<_, _>>()?,
        // sd_booted(3) asks exactly this.
        systemd: Path::new("/run/systemd/system").is_dir(),
        ends_at_logout: session::ends_at_logout(account),
    })
}

/// Identifier of this boot; empty where the kernel hides it.
pub(crate) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn room(account: &Account, path: &str) -> Result<Room, Fault> {
    let whole = absolute(account, path)?;
    let nearest = Path::new(&whole).ancestors().find(|parent| parent.exists()).unwrap_or(Path::new("/"));
    let system =
        rustix::fs::statvfs(nearest).map_err(|error| fault::io("look at", nearest.display(), error))?;
    let exists = nearest == Path::new(&whole);
    let obstacle = (!exists && !nearest.is_dir()).then(|| nearest.display().to_string());
    Ok(Room {
        path: path.to_owned(),
        exists,
        writable: obstacle.is_none()
            && accessat(CWD, nearest, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok(),
        obstacle,
        bytes: system.f_bavail.saturating_mul(system.f_frsize),
        inodes: (system.f_files > 0).then_some(system.f_favail),
    })
}
