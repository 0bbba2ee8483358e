//! Sealed memory: bytes that were checked, handed to a sandbox so that nobody can change them any more.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

/// Bytes in memory that can be neither changed, nor cut, nor made longer.
#[derive(Debug)]
pub(super) struct SealedMemory(OwnedFd);

impl SealedMemory {
    /// Copies `bytes` and seals the copy.
    ///
    /// # Errors
    /// When the system has no memory for it.
    pub(super) fn new(bytes: &[u8]) -> io::Result<Self> {
        let fd = memfd_create("cutover-hook", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut file = File::from(fd);
        file.write_all(bytes)?;
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(Self(file.into()))
    }

    /// Another handle on the same memory, for a child.
    ///
    /// # Errors
    /// When too many files are open.
    pub(super) fn handle(&self) -> io::Result<OwnedFd> {
        self.0.try_clone()
    }
}
