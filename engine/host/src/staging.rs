//! Bringing a release into an application's directory: take what is there, receive what is not, then show it as a whole.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};

use lz4_flex::frame::FrameDecoder;
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::account::Account;
use crate::artifact::{BLOCK, hash, in_threads, read_some};
use crate::document;
use crate::fault::{self, failed, not_allowed};
use crate::fence::Leave;
use crate::files::replace;
use crate::manifest::{ContentDigest, Entry, EntryKind, MAX_ENCODED, Manifest};
use crate::operation::{Fault, FaultKind, Staging};
use crate::place::{absolute, open_plain};
use crate::release::{self, Layout, ReleaseRecord, remove_tree};
use crate::scope::Scope;
use crate::stream::{Lane, Stream};

mod linked;
mod tree;

use linked::{Linked, make_link};
use tree::Tree;

/// Releases from which files are taken: more of them hold hardly anything that these do not.
const REUSED_RELEASES: usize = 3;

/// What [`begin`] is told.
pub(crate) struct Begin<'a> {
    pub(crate) directory: &'a str,
    pub(crate) release: &'a str,
    pub(crate) token: &'a str,
    pub(crate) twin: Option<&'a str>,
}

/// See [`crate::operation::Operation::StageBegin`].
pub(crate) fn begin(account: &Account, what: &Begin<'_>, scope: &Scope<'_>) -> Result<Staging, Fault> {
    let layout = Layout::new(account, what.directory)?;
    let release = what.release;
    let (whole, partial) = (layout.release(release)?, layout.partial(what.token)?);
    let encoded = receive_all(scope.stream)?;
    let manifest = Manifest::decode(&encoded)
        .map_err(|refused| not_allowed(format!("the release is refused: {refused}")))?;
    let total_bytes = manifest.total_bytes();
    if let Some(record) = layout.record(release)? {
        return if record.digest == manifest.digest() {
            Ok(Staging { complete: true, total_bytes, ..Staging::default() })
        } else {
            Err(another(release, &record.digest, &manifest.digest()))
        };
    }
    if fs::symlink_metadata(&whole).is_ok() {
        // A directory without a record: its writing was cut off by hand, or it is not ours.
        return Err(Fault::new(
            FaultKind::Conflict,
            format!("`{whole}` is there, but was not staged by cutover"),
        ));
    }
    make_directories(&layout.releases())?;
    remove_tree(&partial)?;
    document::make_private(&format!("{partial}/tree"))?;
    let root = open_directory(&partial)?;
    write_file(&root, "manifest", &encoded, &partial)?;

    let tree = Tree::open(&partial)?;
    for entry in manifest.entries() {
        if let EntryKind::Directory { .. } = entry.kind {
            fs::DirBuilder::new()
                .mode(0o700)
                .create(tree.join(&entry.path))
                .map_err(|error| tree.fault("make", entry, error))?;
        }
    }
    let mut stock = Stock::gather(&layout)?;
    if let Some(twin) = what.twin {
        // Without it the contents come over the wire.
        if let Ok(root) = open_directory(&absolute(account, twin)?) {
            stock.add(root, &manifest);
        }
    }
    let reused: Vec<bool> = {
        let files: Vec<std::sync::atomic::AtomicBool> =
            manifest.entries().iter().map(|_| std::sync::atomic::AtomicBool::new(false)).collect();
        in_threads(manifest.entries().len(), |index, buffer| {
            scope.left()?;
            let entry = &manifest.entries()[index];
            if let EntryKind::File { size, digest, .. } = entry.kind
                && (size == 0 && digest == ContentDigest::of(b"") || stock.holds(&digest))
            {
                let taken = tree.take(entry, stock.open(&digest), digest, buffer)?;
                files[index].store(taken, std::sync::atomic::Ordering::Relaxed);
            }
            Ok(())
        })?;
        files.into_iter().map(std::sync::atomic::AtomicBool::into_inner).collect()
    };
    let mut asked = HashSet::new();
    let mut needed: Vec<u32> = Vec::new();
    let mut staging = Staging { total_bytes, ..Staging::default() };
    for (index, entry) in manifest.entries().iter().enumerate() {
        let EntryKind::File { size, digest, .. } = entry.kind else { continue };
        if reused[index] {
            staging.reused_bytes += size;
        } else if asked.insert(digest) {
            staging.received_bytes += size;
            needed.push(u32::try_from(index).unwrap_or(u32::MAX));
        }
    }
    let list: Vec<u8> = needed.iter().flat_map(|index| index.to_be_bytes()).collect();
    write_file(&root, "needed", &list, &partial)?;
    scope.stream.send(Lane::Out, &list)?;
    Ok(staging)
}

/// See [`crate::operation::Operation::StageFill`].
pub(crate) fn fill(
    account: &Account,
    directory: &str,
    token: &str,
    scope: &Scope<'_>,
) -> Result<Staging, Fault> {
    let partial = Layout::new(account, directory)?.partial(token)?;
    let manifest = load_manifest(&partial)?;
    let path = format!("{partial}/needed");
    let list = fs::read(&path).map_err(|error| fault::io("read", &path, error))?;
    let needed: Vec<usize> = list
        .chunks_exact(4)
        .filter_map(|index| usize::try_from(u32::from_be_bytes(index.try_into().ok()?)).ok())
        .filter(|index| *index < manifest.entries().len())
        .collect();
    let tree = Tree::open(&partial)?;
    let mut input = FrameDecoder::new(Received { stream: scope.stream, piece: Vec::new(), at: 0 });
    let mut buffer = vec![0; BLOCK];
    let mut staging = Staging { total_bytes: manifest.total_bytes(), ..Staging::default() };
    let mut sources: HashMap<ContentDigest, &Entry> = HashMap::new();
    for index in &needed {
        scope.left()?;
        let entry = &manifest.entries()[*index];
        let EntryKind::File { size, digest, .. } = entry.kind else { continue };
        let got = tree.copy(entry, &mut Read::take(&mut input, size), &mut buffer)?;
        if got != (size, digest) {
            let message = format!("`{}` arrived with other bytes than promised", entry.path.escape_ascii());
            return Err(Fault::new(
                if got.0 < size { FaultKind::Failed } else { FaultKind::Digest },
                message,
            ));
        }
        staging.received_bytes += size;
        sources.insert(digest, entry);
    }
    let rest =
        read_some(&mut input, &mut buffer).map_err(|error| fault::io("receive", "the release", error))?;
    if rest > 0 {
        return Err(failed("more was sent than was asked for"));
    }
    let sent: HashSet<usize> = needed.into_iter().collect();
    for (index, entry) in manifest.entries().iter().enumerate() {
        if let EntryKind::File { size, digest, .. } = entry.kind
            && !sent.contains(&index)
            && let Some(source) = sources.get(&digest)
        {
            scope.left()?;
            let source = tree
                .open_file(&source.path, OFlags::RDONLY)
                .map_err(|error| tree.fault("open", source, error))?;
            if !tree.take(entry, Some(source), digest, &mut buffer)? {
                return Err(changed(entry));
            }
            staging.reused_bytes += size;
        }
    }
    Ok(staging)
}

/// What [`finish`] is told.
pub(crate) struct Finish<'a> {
    pub(crate) directory: &'a str,
    pub(crate) release: &'a str,
    pub(crate) token: &'a str,
    pub(crate) record: &'a str,
    pub(crate) linked_dirs: &'a [String],
    pub(crate) linked_files: &'a [String],
}

/// See [`crate::operation::Operation::StageFinish`]. Only the last renames need the leave.
pub(crate) fn finish(
    account: &Account,
    what: &Finish<'_>,
    scope: &Scope<'_>,
    leave: impl FnOnce() -> Result<Leave, Fault>,
) -> Result<(), Fault> {
    let layout = Layout::new(account, what.directory)?;
    let (whole, partial) = (layout.release(what.release)?, layout.partial(what.token)?);
    let there = layout.record(what.release)?;
    if there.is_some() && fs::symlink_metadata(&partial).is_err() {
        return Ok(());
    }
    let manifest = load_manifest(&partial)?;
    let digest = manifest.digest();
    if let Some(record) = there {
        if record.digest != digest {
            return Err(another(what.release, &record.digest, &digest));
        }
        return remove_tree(&partial);
    }
    let tree = Tree::open(&partial)?;
    let linked = Linked::check(what)?;
    let entries: Vec<&Entry> =
        manifest.entries().iter().filter(|entry| !linked.covers(&entry.path)).collect();
    in_threads(entries.len(), |index, buffer| {
        scope.left()?;
        let entry = entries[index];
        let EntryKind::File { size, digest, .. } = entry.kind else { return Ok(()) };
        let mut file =
            tree.open_file(&entry.path, OFlags::RDONLY).map_err(|error| tree.fault("open", entry, error))?;
        let found = hash(&mut file, buffer).map_err(|error| tree.fault("read", entry, error))?;
        if found == (size, digest) { Ok(()) } else { Err(changed(entry)) }
    })?;
    for entry in &entries {
        if let EntryKind::Link { target } = &entry.kind {
            make_link(&tree.join(&entry.path), OsStr::from_bytes(target))?;
        }
    }
    linked.make(&layout, &tree)?;
    // From the leaves up: a directory that may not be written to must be complete.
    for entry in entries.iter().rev() {
        if let EntryKind::Directory { mode } | EntryKind::File { mode, .. } = entry.kind {
            let mode = fs::Permissions::from_mode(u32::from(mode));
            fs::set_permissions(tree.join(&entry.path), mode)
                .map_err(|error| tree.fault("set the mode of", entry, error))?;
        }
    }
    fs::set_permissions(&tree.path, fs::Permissions::from_mode(0o755))
        .map_err(|error| fault::io("set the mode of", &tree.path, error))?;
    rustix::fs::syncfs(&tree.root).map_err(|error| fault::io("sync", &partial, error))?;

    let record = ReleaseRecord { version: 1, digest, record: what.record.to_owned() };
    let releases = open_directory(&layout.releases())?;
    let _leave = leave()?;
    write_file(&releases, &format!("{}.manifest", what.release), &manifest.encode(), &whole)?;
    document::save(&format!("{whole}.json"), &record)?;
    fs::rename(&tree.path, &whole).map_err(|error| fault::io("rename to", &whole, error))?;
    release::sync(&layout.releases())?;
    remove_tree(&partial)
}

/// Contents that trees on this host hold, by digest.
struct Stock {
    trees: Vec<OwnedFd>,
    places: HashMap<ContentDigest, (usize, Vec<u8>)>,
}

impl Stock {
    fn gather(layout: &Layout) -> Result<Self, Fault> {
        let mut stock = Self { trees: Vec::new(), places: HashMap::new() };
        let mut ids: Vec<String> = fs::read_dir(layout.releases())
            .map_err(|error| fault::io("list", layout.releases(), error))?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".manifest").map(str::to_owned))
            .collect();
        ids.sort_unstable();
        for id in ids.into_iter().rev().take(REUSED_RELEASES) {
            let Ok(path) = layout.release(&id) else { continue };
            // A release that can't be read is no source, and no hindrance.
            let Ok(encoded) = fs::read(format!("{path}.manifest")) else { continue };
            let (Ok(root), Ok(manifest)) = (open_directory(&path), Manifest::decode(&encoded)) else {
                continue;
            };
            stock.add(root, &manifest);
        }
        Ok(stock)
    }

    fn add(&mut self, root: OwnedFd, manifest: &Manifest) {
        let tree = self.trees.len();
        self.trees.push(root);
        for Entry { path, kind } in manifest.entries() {
            if let EntryKind::File { digest, .. } = kind {
                self.places.entry(*digest).or_insert_with(|| (tree, path.clone()));
            }
        }
    }

    fn holds(&self, digest: &ContentDigest) -> bool {
        self.places.contains_key(digest)
    }

    fn open(&self, digest: &ContentDigest) -> Option<File> {
        let (tree, path) = self.places.get(digest)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        open_plain(&self.trees[*tree], path, flags, Mode::empty()).ok().map(File::from)
    }
}

/// The engine's stream as something to read from.
struct Received<'a> {
    stream: &'a dyn Stream,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Received<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.stream.receive() {
                Some(piece) => (self.piece, self.at) = (piece, 0),
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len() - self.at);
        buffer[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

fn receive_all(stream: &dyn Stream) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while let Some(piece) = stream.receive() {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_ENCODED {
            return Err(Fault::new(FaultKind::TooLarge, "the manifest is too large"));
        }
    }
    Ok(bytes)
}

fn load_manifest(partial: &str) -> Result<Manifest, Fault> {
    let path = format!("{partial}/manifest");
    let encoded = fs::read(&path).map_err(|error| fault::io("read", &path, error))?;
    Manifest::decode(&encoded)
        .map_err(|refused| failed(format!("`{path}` is not what cutover wrote there: {refused}")))
}

fn write_file(directory: impl AsFd, name: &str, content: &[u8], shown: &str) -> Result<(), Fault> {
    let directory = directory.as_fd();
    replace(directory, name, content, 0o600, None)
        .map_err(|error| fault::room(fault::io("write", format!("{shown} ({name})"), error), directory))
}

fn open_directory(path: &str) -> Result<OwnedFd, Fault> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty()).map_err(|error| fault::io("open", path, error))
}

fn make_directories(path: &str) -> Result<(), Fault> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(|error| fault::io("make the directory", path, error))
}

fn another(release: &str, there: &str, wanted: &str) -> Fault {
    let message = format!("release `{release}` is there with digest {there}, not {wanted}");
    Fault::new(FaultKind::Conflict, message)
}

fn changed(entry: &Entry) -> Fault {
    Fault::new(FaultKind::Digest, format!("`{}` is not what its digest says", entry.path.escape_ascii()))
}
