//! What the sandbox gives up before it reads a byte.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::set_no_new_privs;

use crate::hook::limits;

/// Closes what was inherited, and gives up core files, more privileges and more than a few open files.
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
    Ok(set_no_new_privs(true)?)
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
