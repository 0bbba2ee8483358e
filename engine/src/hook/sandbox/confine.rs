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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that panics has failed")]
mod tests {
    use std::io::{Error, Write};
    use std::net::{TcpListener, TcpStream};
    use std::process::{Command, exit};
    use std::time::Instant;
    use std::{env, fs, thread};

    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SocketType, socket};
    use rustix::process::{getppid, test_kill_process};

    use super::*;

    /// Set in the process that is confined.
    const INSIDE: &str = "CUTOVER_TEST_CONFINED";

    #[test]
    fn what_is_given_up_is_gone_for_good() {
        if env::var_os(INSIDE).is_some() {
            confined();
        }
        let name = "hook::sandbox::confine::tests::what_is_given_up_is_gone_for_good";
        let mut inside = Command::new(env::current_exe().unwrap());
        let output = inside.args([name, "--exact", "--nocapture"]).env(INSIDE, "1").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {text}", output.status);
        assert!(text.contains("confined\n"), "{text}");
    }

    /// In a process of its own, since nothing of it can be taken back.
    fn confined() -> ! {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let file = env::current_exe().unwrap();
        let refused = |error: Error| error.raw_os_error().map(Errno::from_raw_os_error);

        if can_be_renounced() {
            renounce().unwrap();
            assert_eq!(fs::File::open(&file).map(drop).map_err(refused), Err(Some(Errno::ACCESS)));
            assert_eq!(fs::read_dir("/").map(drop).map_err(refused), Err(Some(Errno::ACCESS)));
            assert_eq!(Command::new(&file).spawn().map(drop).map_err(refused), Err(Some(Errno::ACCESS)));
            assert_eq!(TcpStream::connect(address).map(drop).map_err(refused), Err(Some(Errno::ACCESS)));
        }
        if calls::can_be_filtered() {
            let parent = getppid().unwrap();
            seal().unwrap();
            assert_eq!(fs::metadata(&file).map(drop).map_err(refused), Err(Some(Errno::NOSYS)));
            assert_eq!(Command::new("/").spawn().map(drop).map_err(refused), Err(Some(Errno::NOSYS)));
            assert_eq!(socket(AddressFamily::INET, SocketType::DGRAM, None).map(drop), Err(Errno::NOSYS));
            assert_eq!(set_no_new_privs(true), Err(Errno::NOSYS));
            assert_eq!(test_kill_process(parent), Err(Errno::NOSYS));
        }
        // What a guest needs is left.
        let worker = thread::spawn(|| vec![1_u8; 64 << 20].iter().map(|byte| u64::from(*byte)).sum::<u64>());
        assert_eq!(worker.join().unwrap(), 64 << 20);
        assert!(Instant::now().elapsed().as_nanos() < u128::MAX);
        std::io::stdout().write_all(b"confined\n").unwrap();
        exit(0)
    }
}
