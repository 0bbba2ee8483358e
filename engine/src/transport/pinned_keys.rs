//! Keys of hosts that a project pins: what is in `cutover.known_hosts`, beside `cutover.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::host_key::HostKey;
use crate::model::Destination;

/// Bytes of the file at most.
const LARGEST: u64 = 1 << 20;

/// The first lines of a file that is made.
const HEADING: &str = "\
# Keys of this project's hosts, as `cutover trust` pinned them: `HOST TYPE KEY`. A host that is here has one of these keys, or nothing is
# said to it; for all others the known_hosts of whoever deploys counts.
";

/// Keys by the place that they belong to. A host that has some here is spoken to only when it has one of them, whatever the user's own
/// `known_hosts` says.
///
/// A place is what a line of `known_hosts` begins with: the host of a destination as the configuration writes it, an alias of the user's own
/// SSH configuration included, and its port where one is written.
#[derive(Debug, Clone, Default)]
pub struct PinnedKeys {
    path: PathBuf,
    text: String,
    keys: BTreeMap<String, Vec<HostKey>>,
}

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PinFault {
    /// The system said no.
    #[error("can't read `{}`: {error}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// Its words.
        error: io::Error,
    },
    /// It is longer than such a file can be.
    #[error("`{}` is longer than {LARGEST} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// A line has not the form of one.
    #[error("`{}`, line {line}: it is not `HOST TYPE KEY`", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

impl PinnedKeys {
    /// Reads a file; where there is none, nothing is pinned.
    ///
    /// # Errors
    /// When it can't be read, or a line of it is not understood: a host must not go unpinned because of a slip.
    pub fn read(path: &Path) -> Result<Self, PinFault> {
        let system = |error| PinFault::System { path: path.to_owned(), error };
        let mut text = String::new();
        match std::fs::File::open(path) {
            Ok(file) => file.take(LARGEST + 1).read_to_string(&mut text).map(drop).map_err(system)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(system(error)),
        }
        if text.len() as u64 > LARGEST {
            return Err(PinFault::TooLong { path: path.to_owned() });
        }
        Self::parse(path.to_owned(), text)
    }

    /// Reads the text of a file; `path` is what it is called.
    ///
    /// # Errors
    /// When a line is not understood.
    pub fn parse(path: PathBuf, text: String) -> Result<Self, PinFault> {
        let mut keys: BTreeMap<String, Vec<HostKey>> = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((place, key)) = entry(line) else {
                return Err(PinFault::Line { path, line: index + 1 });
            };
            keys.entry(place).or_default().push(key);
        }
        Ok(Self { path, text, keys })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Types and fingerprints of all keys, by [place](Destination::place).
    #[must_use]
    pub fn fingerprints(&self) -> BTreeMap<String, BTreeSet<String>> {
        let told = |key: &HostKey| format!("{} {}", key.kind(), key.fingerprint());
        let of_place =
            |(place, keys): (&String, &Vec<HostKey>)| (place.clone(), keys.iter().map(told).collect());
        self.keys.iter().map(of_place).collect()
    }

    /// Keys of a destination; none when it is not pinned.
    pub(super) fn of(&self, destination: &Destination<'_>) -> &[HostKey] {
        self.keys.get(&destination.place()).map_or(&[], Vec::as_slice)
    }

    /// The same file with this key of a destination, and no other one of it. All that is not about it stays as it is.
    pub(super) fn with(self, destination: &Destination<'_>, key: HostKey) -> Self {
        let own = destination.place();
        let is_own = |line: &&str| entry(line.trim()).is_some_and(|(place, _)| place == own);
        let mut text = if self.text.is_empty() { HEADING.to_owned() } else { String::new() };
        for line in self.text.lines().filter(|line| !is_own(line)) {
            text.push_str(line);
            text.push('\n');
        }
        // Into a text nothing fails to be written.
        let _ = writeln!(text, "{own} {}", key.words());
        let mut keys = self.keys;
        keys.insert(own, vec![key]);
        Self { path: self.path, text, keys }
    }

    /// Writes the file, as a whole or not at all.
    ///
    /// # Errors
    /// When its directory can't be written.
    pub(super) fn save(&self) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new();
        // Nothing in it is secret: like any file that is committed.
        file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = file.tempfile_in(directory)?;
        io::Write::write_all(&mut file, self.text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// A line: one place, and its key. Patterns, lists, digests of names and marks of authorities are for the user's own file.
fn entry(line: &str) -> Option<(String, HostKey)> {
    let mut words = line.split_ascii_whitespace();
    let (place, kind, encoded) = (words.next()?, words.next()?, words.next()?);
    let is_place =
        place.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-:%[]".contains(c));
    HostKey::parse(kind, encoded).filter(|_| is_place).map(|key| (place.to_owned(), key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIXMv6TkMovmVq23J17yoaodlfWjoExOvGoZplHba2Hs";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICVWa2yu0PXkEIISMQH0zoBNstEPlyKXkIrg1Fn3Y5cQ";

    fn pinned(text: &str) -> Result<PinnedKeys, String> {
        PinnedKeys::parse(PathBuf::from("p/cutover.known_hosts"), text.to_owned())
            .map_err(|fault| fault.to_string())
    }

    fn key(words: &str) -> HostKey {
        entry(&format!("x {words}")).expect("a line").1
    }

    fn to(text: &str) -> Destination<'_> {
        Destination::parse(text).expect("a destination")
    }

    #[test]
    fn a_host_is_found_by_its_destination_as_it_is_written() {
        let keys = pinned(&format!("# ours\n\nweb1 {ONE} a remark\n[web1]:2222 {OTHER}\n::1 {OTHER}\n"));
        let keys = keys.expect("a file");
        for (destination, found) in [
            ("web1", vec![key(ONE)]),
            ("deploy@Web1:22", vec![key(ONE)]),
            ("web1:2222", vec![key(OTHER)]),
            ("deploy@[::1]", vec![key(OTHER)]),
            ("web2", vec![]),
        ] {
            assert_eq!(keys.of(&to(destination)), found, "{destination}");
        }
    }

    #[test]
    fn a_line_that_is_not_understood_is_a_fault() {
        let broken = ONE.replace("AAAAC3", "AAAAC4");
        for line in [
            "web1".to_owned(),
            format!("web1 {broken}"),
            format!("web1,web2 {ONE}"),
            format!("*.example.com {ONE}"),
            format!("@cert-authority web1 {ONE}"),
            format!("|1|xyz= {ONE}"),
        ] {
            let fault = pinned(&format!("# ours\n{line}\n")).expect_err("refused");
            assert_eq!(fault, "`p/cutover.known_hosts`, line 2: it is not `HOST TYPE KEY`", "{line}");
        }
    }

    #[test]
    fn what_is_not_about_a_host_stays_as_it_is() {
        let first =
            pinned("").expect("empty").with(&to("web1"), key(ONE)).with(&to("u@lb1:2222"), key(OTHER));
        assert_eq!(first.text, format!("{HEADING}web1 {ONE}\n[lb1]:2222 {OTHER}\n"));
        let kept = format!("# ours\nweb1 {ONE}\n\n[web1]:2222 {ONE} a remark\nweb1 {OTHER}\n");
        let changed = pinned(&kept).expect("a file").with(&to("web1"), key(OTHER));
        assert_eq!(changed.text, format!("# ours\n\n[web1]:2222 {ONE} a remark\nweb1 {OTHER}\n"));
        assert_eq!(changed.of(&to("web1")), [key(OTHER)]);
    }

    #[test]
    fn it_is_written_as_a_whole_and_read_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("cutover.known_hosts");
        let none = PinnedKeys::read(&path).expect("nothing is pinned");
        assert_eq!(none.of(&to("web1")), []);
        none.with(&to("web1"), key(ONE)).save().expect("written");
        assert_eq!(PinnedKeys::read(&path).expect("a file").of(&to("web1")), [key(ONE)]);
        std::fs::write(&path, vec![b'#'; LARGEST as usize + 1]).expect("written");
        assert!(matches!(PinnedKeys::read(&path), Err(PinFault::TooLong { .. })));
        std::fs::write(&path, [0xff]).expect("written");
        assert!(matches!(PinnedKeys::read(&path), Err(PinFault::System { .. })));
    }
}
