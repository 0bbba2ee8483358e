//! Compiled components, kept between runs. Compiled code is trusted code: an entry counts only with a valid MAC, under a key that lies
//! elsewhere and that no sandbox ever sees.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::limits;

/// Bytes of a MAC, and of a key.
const MAC: usize = 32;

/// A directory of compiled components.
#[derive(Debug, Clone)]
pub struct CodeCache {
    directory: PathBuf,
    key: [u8; MAC],
}

/// Why a cache can't be used. A deployment goes on without.
#[derive(Debug, thiserror::Error)]
pub enum CacheFault {
    /// Others could put code there.
    #[error("`{}` is not kept to you alone: it must be a directory of yours with mode 0700, the key a file with mode 0600", path.display())]
    Shared {
        /// The directory or key file.
        path: PathBuf,
    },
    /// The system said no.
    #[error("`{}`: {error}", path.display())]
    System {
        /// The directory or key file.
        path: PathBuf,
        /// Its words.
        error: io::Error,
    },
}

impl CodeCache {
    /// Opens a cache; directory and key are made when they are absent. The key file must not lie in the directory.
    ///
    /// # Errors
    /// When either belongs to someone else or is open to others.
    pub fn open(directory: &Path, key_file: &Path) -> Result<Self, CacheFault> {
        let system = |path: &Path| {
            let path = path.to_owned();
            move |error| CacheFault::System { path, error }
        };
        for path in [Some(directory), key_file.parent()].into_iter().flatten() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(system(path))?;
        }
        let found = std::fs::symlink_metadata(directory).map_err(system(directory))?;
        if !found.is_dir() || !is_private(&found) {
            return Err(CacheFault::Shared { path: directory.to_owned() });
        }
        let key = match read_key(key_file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_key(key_file).and_then(|()| read_key(key_file))
            }
            key => key,
        };
        let key =
            key.map_err(system(key_file))?.ok_or_else(|| CacheFault::Shared { path: key_file.to_owned() })?;
        Ok(Self { directory: directory.to_owned(), key })
    }

    /// Compiled code of a component for a runtime, when it is there and untouched.
    pub(super) fn get(&self, digest: &str, compatibility: &str) -> Option<Vec<u8>> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let file = options.open(self.path(digest, compatibility)).ok()?;
        let mut mac = [0; MAC];
        let mut code = Vec::new();
        (&file).read_exact(&mut mac).ok()?;
        file.take(limits::CODE as u64).read_to_end(&mut code).ok()?;
        let expected = self.mac(digest, compatibility, &code);
        // Compared as a whole, so that the time it takes tells nothing.
        let differences = mac.iter().zip(expected).fold(0, |all, (one, other)| all | (one ^ other));
        (differences == 0).then_some(code)
    }

    /// Keeps compiled code. What can't be kept is compiled again next time.
    ///
    /// # Errors
    /// When the directory can't be written.
    pub(super) fn put(&self, digest: &str, compatibility: &str, code: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(&self.mac(digest, compatibility, code))?;
        file.write_all(code)?;
        file.persist(self.path(digest, compatibility))?;
        Ok(())
    }

    fn path(&self, digest: &str, compatibility: &str) -> PathBuf {
        let short = |text: &str| text.trim_start_matches("sha256:").chars().take(32).collect::<String>();
        self.directory.join(format!("{}-{}.cwasm", short(digest), short(compatibility)))
    }

    fn mac(&self, digest: &str, compatibility: &str, code: &[u8]) -> [u8; MAC] {
        let version = env!("CARGO_PKG_VERSION");
        let heading = format!("cutover compiled code\0{version}\0{digest}\0{compatibility}\0");
        hmac(&self.key, &[heading.as_bytes(), code])
    }
}

fn is_private(found: &std::fs::Metadata) -> bool {
    found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0
}

/// The key, or nothing when others may have read it.
fn read_key(path: &Path) -> io::Result<Option<[u8; MAC]>> {
    let mut options = OpenOptions::new();
    let mut file: File = options.read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || !is_private(&found) {
        return Ok(None);
    }
    let mut key = [0; MAC];
    file.read_exact(&mut key)?;
    Ok(Some(key))
}

/// Two engines may start at once: the first key to be whole stays.
fn make_key(path: &Path) -> io::Result<()> {
    let mut key = [0; MAC];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new("/")))?;
    file.write_all(&key)?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// HMAC-SHA-256 (RFC 2104) with a key not longer than a block.
fn hmac(key: &[u8], pieces: &[&[u8]]) -> [u8; MAC] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let mut inner = Sha256::new_with_prefix(pad(0x36));
    pieces.iter().for_each(|piece| inner.update(piece));
    Sha256::new_with_prefix(pad(0x5c)).chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use cutover_host::bytes::hex;

    use super::*;

    #[test]
    fn the_mac_is_hmac_sha_256() {
        // RFC 4231, test case 2.
        assert_eq!(
            hex(&hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn only_untouched_entries_count() {
        let place = tempfile::tempdir().unwrap();
        let open =
            || CodeCache::open(&place.path().join("cache"), &place.path().join("keys/hook-cache")).unwrap();
        let cache = open();
        assert_eq!(cache.get("sha256:aa", "bb"), None);
        cache.put("sha256:aa", "bb", b"code").unwrap();
        assert_eq!(open().get("sha256:aa", "bb").as_deref(), Some(&b"code"[..]));
        assert_eq!(cache.get("sha256:aa", "cc"), None);

        let entry = cache.path("sha256:aa", "bb");
        fs::copy(&entry, cache.path("sha256:aa", "cc")).unwrap();
        assert_eq!(cache.get("sha256:aa", "cc"), None, "an entry under another's name");
        let mut bytes = fs::read(&entry).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&entry, bytes).unwrap();
        assert_eq!(cache.get("sha256:aa", "bb"), None, "a changed entry");
    }

    #[test]
    fn a_shared_cache_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let (directory, key) = (place.path().join("cache"), place.path().join("key"));
        CodeCache::open(&directory, &key).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o750)).unwrap();
        assert!(
            matches!(CodeCache::open(&directory, &key), Err(CacheFault::Shared { path }) if path == directory)
        );
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(CodeCache::open(&directory, &key), Err(CacheFault::Shared { path }) if path == key));
        fs::remove_file(&key).unwrap();
        std::os::unix::fs::symlink("/dev/null", &key).unwrap();
        assert!(CodeCache::open(&directory, &key).is_err());
    }
}
