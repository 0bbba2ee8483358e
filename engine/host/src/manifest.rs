//! What a release consists of: every path with its kind, mode, size and digest, in one canonical order.
//!
//! The encoding is the identity: its SHA-256 is the digest of the release. It travels as it is, and is kept on the host as it is.

use std::collections::HashMap;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::bytes::hex;

/// First bytes of every encoding; the number is the version of the format.
const MAGIC: &[u8] = b"cutover manifest 1\n";
/// Entries at most.
pub const MAX_ENTRIES: usize = 1_000_000;
/// Bytes of an encoding at most.
pub const MAX_ENCODED: usize = 256 << 20;
/// Links followed at most while one is looked after (as Linux does).
const MAX_HOPS: usize = 40;

/// SHA-256 of a content.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentDigest(pub [u8; 32]);

impl ContentDigest {
    /// Of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex(&self.0))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One path of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative, `/` between the parts; any bytes but NUL.
    pub path: Vec<u8>,
    /// What is there.
    pub kind: EntryKind,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory {
        /// Permission bits.
        mode: u16,
    },
    /// A regular file.
    File {
        /// Permission bits.
        mode: u16,
        /// Bytes.
        size: u64,
        /// Of its content.
        digest: ContentDigest,
    },
    /// A symbolic link within the release.
    Link {
        /// Its text.
        target: Vec<u8>,
    },
}

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Path of the entry, if one is to blame.
    pub path: Option<Vec<u8>>,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "`{}`: {}", path.escape_ascii(), self.reason),
            None => f.write_str(self.reason),
        }
    }
}

impl std::error::Error for Refused {}

/// All paths of a release, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    entries: Vec<Entry>,
}

impl Manifest {
    /// Sorts entries and checks them.
    ///
    /// # Errors
    /// When they could do harm on a host, or are not a tree.
    pub fn new(mut entries: Vec<Entry>) -> Result<Self, Refused> {
        entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        check(&entries)?;
        Ok(Self { entries })
    }

    /// In canonical order: by the bytes of the paths, so that a directory comes before what is in it.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Bytes of all files.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        let size = |entry: &Entry| if let EntryKind::File { size, .. } = entry.kind { size } else { 0 };
        self.entries.iter().map(size).sum()
    }

    /// `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        ContentDigest::of(&self.encode()).to_string()
    }

    /// The canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        // Both lengths were checked to be at most 4096.
        let text = |bytes: &mut Vec<u8>, text: &[u8]| {
            bytes.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            bytes.extend_from_slice(text);
        };
        for entry in &self.entries {
            bytes.push(match entry.kind {
                EntryKind::Directory { .. } => b'd',
                EntryKind::File { .. } => b'f',
                EntryKind::Link { .. } => b'l',
            });
            text(&mut bytes, &entry.path);
            match &entry.kind {
                EntryKind::Directory { mode } => bytes.extend_from_slice(&mode.to_be_bytes()),
                EntryKind::File { mode, size, digest } => {
                    bytes.extend_from_slice(&mode.to_be_bytes());
                    bytes.extend_from_slice(&size.to_be_bytes());
                    bytes.extend_from_slice(&digest.0);
                }
                EntryKind::Link { target } => text(&mut bytes, target),
            }
        }
        bytes
    }

    /// Reads an encoding, from whomever, and checks it.
    ///
    /// # Errors
    /// When it is no encoding, not the canonical one, or could do harm.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let refused = |reason| Refused { path: None, reason };
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| refused("it is not a manifest of a version that is known here"))?;
        let mut rest = Reader { rest };
        let mut entries = Vec::new();
        while !rest.rest.is_empty() {
            if entries.len() == MAX_ENTRIES {
                return Err(refused("it has too many entries"));
            }
            entries.push(
                rest.entry()
                    .ok_or_else(|| refused("it ends in the middle of an entry, or has an unknown one"))?,
            );
        }
        check(&entries)?;
        Ok(Self { entries })
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(text.to_vec())
    }

    fn entry(&mut self) -> Option<Entry> {
        let [kind] = self.array()?;
        let path = self.text()?;
        let kind = match kind {
            b'd' => EntryKind::Directory { mode: u16::from_be_bytes(self.array()?) },
            b'f' => EntryKind::File {
                mode: u16::from_be_bytes(self.array()?),
                size: u64::from_be_bytes(self.array()?),
                digest: ContentDigest(self.array()?),
            },
            b'l' => EntryKind::Link { target: self.text()? },
            _ => return None,
        };
        Some(Entry { path, kind })
    }
}

/// Everything that a host must be sure of before it makes the first file.
fn check(entries: &[Entry]) -> Result<(), Refused> {
    let mut kinds: HashMap<&[u8], &EntryKind> = HashMap::with_capacity(entries.len());
    let mut last: Option<&[u8]> = None;
    let mut total: u64 = 0;
    if entries.len() > MAX_ENTRIES {
        return Err(Refused { path: None, reason: "it has too many entries" });
    }
    for entry in entries {
        let refuse = |reason| Err(Refused { path: Some(entry.path.clone()), reason });
        let path = entry.path.as_slice();
        if path.is_empty() || path.len() > 4095 || path.contains(&0) {
            return refuse("its path is empty, too long, or has NUL in it");
        }
        let bad = |part: &[u8]| part.is_empty() || part == b"." || part == b".." || part.len() > 255;
        if path.split(|byte| *byte == b'/').any(bad) {
            return refuse("its path is absolute, or has `.`, `..` or an empty or too long part");
        }
        if last.is_some_and(|last| last >= path) {
            return refuse("it is not in order, or there twice");
        }
        last = Some(path);
        if let Some(slash) = path.iter().rposition(|byte| *byte == b'/')
            && !matches!(kinds.get(&path[..slash]), Some(EntryKind::Directory { .. }))
        {
            return refuse("it does not lie in a directory of the release");
        }
        match &entry.kind {
            EntryKind::Directory { mode } | EntryKind::File { mode, .. } if mode & !0o777 != 0 => {
                return refuse("it has set-id or sticky bits");
            }
            EntryKind::File { size, .. } => match total.checked_add(*size) {
                Some(sum) => total = sum,
                None => return refuse("all files together are too large"),
            },
            EntryKind::Link { target } if target.is_empty() || target.len() > 4095 || target.contains(&0) => {
                return refuse("its target is empty, too long, or has NUL in it");
            }
            EntryKind::Link { .. } | EntryKind::Directory { .. } => {}
        }
        kinds.insert(path, &entry.kind);
    }
    let links = entries.iter().filter(|entry| matches!(entry.kind, EntryKind::Link { .. }));
    for entry in links {
        stays_inside(&entry.path, &kinds)
            .map_err(|reason| Refused { path: Some(entry.path.clone()), reason })?;
    }
    Ok(())
}

/// Follows a link as the kernel would, through every link on its way.
fn stays_inside(link: &[u8], kinds: &HashMap<&[u8], &EntryKind>) -> Result<(), &'static str> {
    let mut at: Vec<&[u8]> = Vec::new();
    let mut ahead: Vec<&[u8]> = link.split(|byte| *byte == b'/').rev().collect();
    // Whether something on the way is not there: what is above it can't be known.
    let mut unknown = false;
    let mut hops = 0;
    while let Some(part) = ahead.pop() {
        if part.is_empty() || part == b"." {
            continue;
        }
        if part == b".." {
            if unknown {
                return Err("the link goes up again from what is not in the release");
            }
            if at.pop().is_none() {
                return Err("the link leads out of the release");
            }
            continue;
        }
        at.push(part);
        match kinds.get(at.join(&b'/').as_slice()) {
            Some(EntryKind::Link { target }) => {
                hops += 1;
                if hops > MAX_HOPS {
                    return Err("the link leads to itself, or through too many others");
                }
                if target.starts_with(b"/") {
                    return Err("the link is absolute");
                }
                at.pop();
                ahead.extend(target.split(|byte| *byte == b'/').rev());
            }
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(path: &str) -> Entry {
        Entry { path: path.into(), kind: EntryKind::Directory { mode: 0o755 } }
    }
    fn file(path: &[u8], mode: u16) -> Entry {
        let kind = EntryKind::File { mode, size: 3, digest: ContentDigest::of(b"abc") };
        Entry { path: path.to_vec(), kind }
    }
    fn link(path: &str, target: &str) -> Entry {
        Entry { path: path.into(), kind: EntryKind::Link { target: target.into() } }
    }

    #[test]
    fn the_encoding_is_canonical_and_survives() {
        let entries = vec![
            file(b"b/new\nline \xff", 0o600),
            directory("b"),
            directory("b-c"),
            file(b"a b", 0o755),
            link("b/up", "../a b"),
            link("dangling", "b/nothing"),
        ];
        let manifest = Manifest::new(entries.clone()).expect("fine");
        let again = Manifest::new(entries.into_iter().rev().collect()).expect("fine");
        assert_eq!(manifest.digest(), again.digest());
        assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest.clone()));
        assert_eq!(manifest.total_bytes(), 6);
        let encoded = manifest.encode();
        for length in MAGIC.len() + 1..encoded.len() {
            // Cut off between entries it is a smaller manifest; anywhere else it is none.
            if let Ok(shorter) = Manifest::decode(&encoded[..length]) {
                assert!(shorter.entries().len() < manifest.entries().len());
            }
        }
    }

    #[test]
    fn hostile_manifests_are_refused() {
        let deep = || vec![directory("a"), directory("a/b")];
        let with = |more: Vec<Entry>| deep().into_iter().chain(more).collect::<Vec<_>>();
        let cases: Vec<(&str, Vec<Entry>)> = vec![
            ("absolute", vec![file(b"/etc/passwd", 0o644)]),
            ("up", vec![file(b"../x", 0o644)]),
            ("up inside", with(vec![file(b"a/../x", 0o644)])),
            ("dot", vec![file(b"./x", 0o644)]),
            ("double slash", with(vec![file(b"a//x", 0o644)])),
            ("NUL", vec![file(b"a\0b", 0o644)]),
            ("empty", vec![file(b"", 0o644)]),
            ("set-uid", vec![file(b"x", 0o4755)]),
            ("no parent", vec![file(b"x/y", 0o644)]),
            ("in a file", vec![file(b"x", 0o644), file(b"x/y", 0o644)]),
            ("in a link", vec![link("x", "."), file(b"x/y", 0o644)]),
            ("twice", vec![file(b"x", 0o644), directory("x")]),
            ("absolute link", vec![link("x", "/etc/passwd")]),
            ("link up", vec![link("x", "..")]),
            ("deep link up", with(vec![link("a/b/x", "../../../y")])),
            ("through a link", with(vec![link("a/b/x", "../.."), link("y", "a/b/x/..")])),
            ("link to itself", vec![link("x", "x")]),
            ("up from nothing", vec![link("x", "nothing/../../y")]),
        ];
        for (name, entries) in cases {
            assert!(Manifest::new(entries.clone()).is_err(), "{name}");
            let unchecked = Manifest { entries };
            assert!(Manifest::decode(&unchecked.encode()).is_err(), "{name}, encoded");
        }
        assert!(Manifest::new(with(vec![link("a/b/x", "../.."), link("y", "a/b/x/a")])).is_ok());
    }
}
