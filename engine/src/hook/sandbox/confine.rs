//! What the sandbox gives up: most before it reads a byte, the rest once it has its code.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError, Scope,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::set_no_new_privs;

use super::calls;
use crate::hook::limits;

#[cfg(test)]
mod tests;

/// The newest of Landlock's versions whose every right is given up. An older kernel knows fewer, and takes those away.
const LANDLOCK: ABI = ABI::V6;

/// Closes what was inherited, and gives up core files, more privileges, more than a few open files, and every file, socket and process of
/// the system that the kernel's Landlock can take away. Threads that are started later inherit it.
pub(super) fn shed() -> io::Result<()> {
    let mut inherited = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let fd = entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok());
        inherited.extend(fd.filter(|fd| *fd > 2));
    }
    for fd in inherited {
        // The directory's own handle is in the list, and closed by now.
        if std::fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok() {
            #[expect(unsafe_code, reason = "closing what nobody owns")]
            // SAFETY: nothing in this process has opened a file yet, so no one else owns a handle above standard error.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
        }
    }
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, limits::FILES)?;
    set_no_new_privs(true)?;
    renounce().map_err(io::Error::other)
}

/// Gives up what is left, when the code is there: every system call but those that it takes to compute and to answer.
pub(super) fn seal() -> io::Result<()> {
    calls::restrict()
}

/// Nothing below any directory can be opened, run or changed; no port bound or connected to; no process outside signalled, nor spoken to
/// by an abstract socket.
fn renounce() -> Result<(), RulesetError> {
    let everything = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?;
    everything.create()?.restrict_self()?;
    Ok(())
}

/// Whether the kernel has Landlock.
pub(super) fn can_be_renounced() -> bool {
    let required = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    required.handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}

/// Limits writable memory.
///
/// Not the address space: wasmtime reserves 4 GiB of it for each linear memory, so that no access needs a check. Reserved space is not
/// writable, and does not count here before it is used.
pub(super) fn limit_data(bytes: u64) -> io::Result<()> {
    limit(Resource::Data, bytes)
}

fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let value = getrlimit(resource).maximum.map_or(value, |most| most.min(value));
    Ok(setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })?)
}
