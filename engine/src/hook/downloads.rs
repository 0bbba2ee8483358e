//! Components that were fetched, kept for this user by their digests. What lies here is checked again before it is used, so a file that
//! somebody changed is as good as none.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use crate::model::{ComponentDigest, Limit};

/// Bytes of the largest component that a configuration can allow.
pub const LARGEST_COMPONENT: u64 = Limit::File.spec().most;

/// A directory of components.
#[derive(Debug, Clone)]
pub struct Downloads(PathBuf);

impl Downloads {
    /// `directory` is made when something is kept.
    #[must_use]
    pub const fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// The component with this digest, if it is there and whole.
    ///
    /// # Errors
    /// When the file is there and can't be read.
    pub async fn find(&self, digest: &ComponentDigest) -> io::Result<Option<Vec<u8>>> {
        match read_component(&self.path(digest), LARGEST_COMPONENT).await {
            Ok(wasm) if component_digest(&wasm) == *digest => Ok(Some(wasm)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a component. Another process that looks finds the whole of it, or nothing.
    ///
    /// # Errors
    /// When the directory can't be written.
    pub fn keep(&self, wasm: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(wasm)?;
        file.persist(self.path(&component_digest(wasm)))?;
        Ok(())
    }

    fn path(&self, digest: &ComponentDigest) -> PathBuf {
        self.0.join(format!("{}.wasm", digest.hex()))
    }
}

/// Digest of a component.
#[must_use]
pub fn component_digest(wasm: &[u8]) -> ComponentDigest {
    ComponentDigest::of_bytes(Sha256::digest(wasm).into())
}

/// Bytes of a component's file: of one that has more than `most`, as many as show that it has.
///
/// # Errors
/// When it can't be read.
pub async fn read_component(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut wasm = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(most + 1).read_to_end(&mut wasm).await?;
    Ok(wasm)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_changed_is_not_found() {
        let place = tempfile::tempdir().unwrap();
        let downloads = Downloads::new(place.path().join("hooks"));
        let digest = component_digest(b"component");
        assert_eq!(downloads.find(&digest).await.unwrap(), None);
        downloads.keep(b"component").unwrap();
        assert_eq!(downloads.find(&digest).await.unwrap().as_deref(), Some(&b"component"[..]));
        std::fs::write(downloads.path(&digest), "compromise").unwrap();
        assert_eq!(downloads.find(&digest).await.unwrap(), None);
    }
}
