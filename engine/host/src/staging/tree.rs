//! The files of a release that is being brought.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, openat};

use super::open_directory;
use crate::artifact::hash;
use crate::fault::{self, failed};
use crate::manifest::{ContentDigest, Entry, EntryKind};
use crate::operation::Fault;

/// The tree of a release that is not whole yet. No link is in it before the end.
pub(super) struct Tree {
    pub(super) path: String,
    pub(super) root: OwnedFd,
    /// Whether files may share their blocks; not tried again once the file system has refused.
    shares: AtomicBool,
}

impl Tree {
    pub(super) fn open(partial: &str) -> Result<Self, Fault> {
        let path = format!("{partial}/tree");
        let root = open_directory(&path)?;
        Ok(Self { path, root, shares: AtomicBool::new(true) })
    }

    pub(super) fn join(&self, path: &[u8]) -> PathBuf {
        Path::new(&self.path).join(OsStr::from_bytes(path))
    }

    pub(super) fn open_file(&self, path: &[u8], flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mode = if flags.contains(OFlags::CREATE) { Mode::RUSR | Mode::WUSR } else { Mode::empty() };
        Ok(File::from(openat(&self.root, path, flags, mode)?))
    }

    /// Makes a file of what `input` gives; answers its size and digest.
    pub(super) fn copy(
        &self,
        entry: &Entry,
        input: &mut impl Read,
        buffer: &mut [u8],
    ) -> Result<(u64, ContentDigest), Fault> {
        let file = self
            .open_file(&entry.path, OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC)
            .map_err(|error| self.fault("make", entry, error))?;
        self.copy_into(file, entry, input, buffer)
    }

    fn copy_into(
        &self,
        file: File,
        entry: &Entry,
        input: &mut impl Read,
        buffer: &mut [u8],
    ) -> Result<(u64, ContentDigest), Fault> {
        let mut copying = Copying { input, output: file, error: None };
        let result = hash(&mut copying, buffer);
        if let Some(error) = copying.error {
            return Err(self.fault("write", entry, error));
        }
        result.map_err(|error| failed(format!("failed to receive `{}`: {error}", entry.path.escape_ascii())))
    }

    /// Makes a file of one that the host has. False when that one is not what it should be.
    pub(super) fn take(
        &self,
        entry: &Entry,
        source: Option<File>,
        digest: ContentDigest,
        buffer: &mut [u8],
    ) -> Result<bool, Fault> {
        let EntryKind::File { size, .. } = entry.kind else { return Ok(false) };
        let got = match source {
            None => self.copy(entry, &mut io::empty(), buffer)?,
            Some(source) => {
                let file = self
                    .open_file(&entry.path, OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC)
                    .map_err(|error| self.fault("make", entry, error))?;
                if self.shares.load(Ordering::Relaxed) && rustix::fs::ioctl_ficlone(&file, &source).is_ok() {
                    hash(&mut &file, buffer).map_err(|error| self.fault("read", entry, error))?
                } else {
                    self.shares.store(false, Ordering::Relaxed);
                    // Into the file that is open: one that is truncated a second time is written to disk by ext4 when it is closed.
                    // And no more than is wanted: a source that grew under our hands must not fill the disk.
                    self.copy_into(file, entry, &mut (&source).take(size.saturating_add(1)), buffer)?
                }
            }
        };
        Ok(got == (size, digest))
    }

    pub(super) fn fault(&self, doing: &str, entry: &Entry, error: impl Into<io::Error>) -> Fault {
        fault::room(fault::io(doing, entry.path.escape_ascii(), error), &self.root)
    }
}

/// Passes on what it reads, and writes it down.
struct Copying<'a, R> {
    input: &'a mut R,
    output: File,
    error: Option<io::Error>,
}

impl<R: Read> Read for Copying<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        if let Err(error) = self.output.write_all(&buffer[..length]) {
            self.error = Some(error);
            return Err(io::Error::other("not written"));
        }
        Ok(length)
    }
}
