//! A release as a directory of the engine's machine: its manifest, and its contents as they are sent.

use std::fs::{self, File, FileType};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use crate::fault::{self, not_allowed};
use crate::manifest::{ContentDigest, Entry, EntryKind, MAX_ENTRIES, Manifest};
use crate::operation::Fault;

/// Threads that read and hash.
const THREADS: usize = 2;
/// Bytes read at once.
pub(crate) const BLOCK: usize = 128 << 10;

/// A directory with a finished build in it, or one file.
#[derive(Debug, Clone)]
pub struct Artifact {
    root: PathBuf,
    manifest: Manifest,
    digest: String,
}

impl Artifact {
    /// Reads a whole tree. A file alone becomes a release of one file.
    ///
    /// # Errors
    /// When it can't be read, or has in it what no release may have: devices, sockets, set-id files, links out of it.
    pub fn read(root: &Path) -> Result<Self, Fault> {
        let mut entries = Vec::new();
        let root = match (fs::symlink_metadata(root), root.parent(), root.file_name()) {
            (Ok(found), Some(parent), Some(name)) if found.is_file() => {
                entries.push(entry(root, name.as_bytes().to_vec(), &found)?);
                parent
            }
            _ => {
                walk(root, &mut entries)?;
                root
            }
        };
        hash_files(root, &mut entries)?;
        let manifest = Manifest::new(entries).map_err(|refused| {
            not_allowed(format!("`{}` can't be brought to a host: {refused}", root.display()))
        })?;
        let digest = manifest.digest();
        Ok(Self { root: root.to_owned(), manifest, digest })
    }

    /// What is in it.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Digest of the manifest.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Writes the contents of the entries at `needed`, one after the other. `sent` hears of every piece.
    ///
    /// # Errors
    /// When an index names no file, a file is no longer what the manifest says, or `output` fails.
    pub fn send(
        &self,
        needed: &[u32],
        output: &mut impl Write,
        mut sent: impl FnMut(u64),
    ) -> Result<(), Fault> {
        let mut buffer = vec![0; BLOCK];
        for &index in needed {
            let entry = usize::try_from(index).ok().and_then(|index| self.manifest.entries().get(index));
            let Some(Entry { path, kind: EntryKind::File { size, .. } }) = entry else {
                return Err(fault::failed(format!("the host asked for entry {index}, which is no file")));
            };
            let whole = join(&self.root, path);
            let mut file = open(&whole)?;
            let mut left = *size;
            while left > 0 {
                let part = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                let length = read_some(&mut file, &mut buffer[..part])
                    .map_err(|error| fault::io("read", whole.display(), error))?;
                if length == 0 {
                    return Err(fault::failed(format!(
                        "`{}` became shorter while it was sent",
                        whole.display()
                    )));
                }
                output
                    .write_all(&buffer[..length])
                    .map_err(|error| fault::io("send", whole.display(), error))?;
                left -= length as u64;
                sent(length as u64);
            }
        }
        Ok(())
    }
}

fn walk(root: &Path, entries: &mut Vec<Entry>) -> Result<(), Fault> {
    let mut ahead: Vec<Vec<u8>> = vec![Vec::new()];
    while let Some(directory) = ahead.pop() {
        let whole = join(root, &directory);
        let fails = |error: io::Error| fault::io("read", whole.display(), error);
        for found in fs::read_dir(&whole).map_err(fails)? {
            let found = found.map_err(fails)?;
            let mut path = directory.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(found.file_name().as_bytes());
            let whole = found.path();
            let metadata = found.metadata().map_err(|error| fault::io("read", whole.display(), error))?;
            let entry = entry(&whole, path, &metadata)?;
            if let EntryKind::Directory { .. } = entry.kind {
                ahead.push(entry.path.clone());
            }
            entries.push(entry);
            if entries.len() > MAX_ENTRIES {
                return Err(not_allowed(format!("`{}` has more than {MAX_ENTRIES} entries", root.display())));
            }
        }
    }
    Ok(())
}

/// What `metadata` says of the path `whole`, which is `path` in the release; digests come later.
fn entry(whole: &Path, path: Vec<u8>, metadata: &fs::Metadata) -> Result<Entry, Fault> {
    let mode = (metadata.permissions().mode() & 0o7777) as u16;
    let kind = if metadata.is_dir() {
        // Bits of a directory that make its files inherit a group mean nothing on another machine.
        EntryKind::Directory { mode: mode & 0o777 }
    } else if metadata.is_file() {
        if mode & 0o6000 != 0 {
            let message = format!("`{}` has set-id bits: no release may have any", whole.display());
            return Err(not_allowed(message));
        }
        EntryKind::File { mode: mode & 0o777, size: metadata.len(), digest: ContentDigest([0; 32]) }
    } else if metadata.is_symlink() {
        let target = fs::read_link(whole).map_err(|error| fault::io("read", whole.display(), error))?;
        EntryKind::Link { target: target.into_os_string().into_vec() }
    } else {
        let kind = what(metadata.file_type());
        return Err(not_allowed(format!("`{}` is {kind}: no release may have one", whole.display())));
    };
    Ok(Entry { path, kind })
}

fn what(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Fills in sizes and digests.
fn hash_files(root: &Path, entries: &mut [Entry]) -> Result<(), Fault> {
    let files: Vec<Mutex<&mut Entry>> = entries
        .iter_mut()
        .filter(|entry| matches!(entry.kind, EntryKind::File { .. }))
        .map(Mutex::new)
        .collect();
    in_threads(files.len(), |index, buffer| {
        let mut entry = files[index].lock().unwrap_or_else(PoisonError::into_inner);
        let whole = join(root, &entry.path);
        let hashed =
            hash(&mut open(&whole)?, buffer).map_err(|error| fault::io("read", whole.display(), error))?;
        if let EntryKind::File { size, digest, .. } = &mut entry.kind {
            (*size, *digest) = hashed;
        }
        Ok(())
    })
}

/// Does `work` for each of `count` things in a few threads; the first fault ends it.
pub(crate) fn in_threads(
    count: usize,
    work: impl Fn(usize, &mut [u8]) -> Result<(), Fault> + Sync,
) -> Result<(), Fault> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut buffer = vec![0; BLOCK];
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(());
            }
            if let Err(fault) = work(index, &mut buffer) {
                next.store(count, Ordering::Relaxed);
                return Err(fault);
            }
        }
    };
    std::thread::scope(|threads| {
        let others: Vec<_> = (1..THREADS.min(count)).map(|_| threads.spawn(run)).collect();
        let own = run();
        others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|_| Err(fault::failed("a thread failed"))))
            .fold(own, Result::and)
    })
}

/// Size and digest of what can be read.
pub(crate) fn hash(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<(u64, ContentDigest)> {
    let mut hasher = Sha256::new();
    let mut size = 0;
    loop {
        match read_some(input, buffer)? {
            0 => return Ok((size, ContentDigest(hasher.finalize().into()))),
            length => {
                hasher.update(&buffer[..length]);
                size += length as u64;
            }
        }
    }
}

pub(crate) fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn open(path: &Path) -> Result<File, Fault> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|error| fault::io("open", path.display(), error))
}

fn join(root: &Path, path: &[u8]) -> PathBuf {
    if path.is_empty() { root.to_owned() } else { root.join(std::ffi::OsStr::from_bytes(path)) }
}
