//! Small JSON documents that we keep on the host's disk, each with the version of its format.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

use rustix::fs::{CWD, Mode, OFlags, openat};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault;
use crate::files::replace;
use crate::operation::Fault;

/// A document never has more bytes.
const LIMIT: u64 = 64 << 20;

/// The version of every format so far.
const VERSION: u32 = 1;

/// What can be read of a document in any version.
#[derive(Deserialize)]
struct Probe {
    version: Option<u32>,
}

/// Reads a document; none when there is no such file.
pub(crate) fn load<T: DeserializeOwned>(path: &str) -> Result<Option<T>, Fault> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = match fs::File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault::io("open", path, error)),
    };
    let mut text = Vec::new();
    file.take(LIMIT).read_to_end(&mut text).map_err(|error| fault::io("read", path, error))?;
    parse(path, &text).map(Some)
}

/// Reads the text of a document.
pub(crate) fn parse<T: DeserializeOwned>(path: &str, text: &[u8]) -> Result<T, Fault> {
    let newer = serde_json::from_slice::<Probe>(text).ok().and_then(|probe| probe.version);
    if let Some(version) = newer.filter(|version| *version > VERSION) {
        let known = format!("in version {version}, and this one knows {VERSION}");
        return Err(fault::failed(format!("`{path}` was written by a newer cutover: {known}")));
    }
    serde_json::from_slice(text)
        .map_err(|error| fault::failed(format!("`{path}` is not what cutover wrote there: {error}")))
}

/// Writes a document, 0600, as a whole.
pub(crate) fn save<T: Serialize>(path: &str, document: &T) -> Result<(), Fault> {
    let text = serde_json::to_vec(document)
        .map_err(|error| fault::failed(format!("failed to put `{path}` into JSON: {error}")))?;
    let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
    let directory = openat(CWD, directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| fault::io("open", directory, error))?;
    replace(&directory, name, &text, 0o600, None)
        .map_err(|error| fault::room(fault::io("write", path, error), &directory))
}

/// Makes a directory of ours and its parents, 0700, when it is absent.
pub(crate) fn make_private(path: &str) -> Result<(), Fault> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| fault::io("make the directory", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_wrote_is_not_taken_for_ours() {
        let scratch = tempfile::tempdir().expect("a directory");
        let path = scratch.path().join("fence").to_str().expect("UTF-8").to_owned();
        let load = |text: &str| {
            fs::write(&path, text).expect("written");
            load::<serde_json::Value>(&path).map_err(|fault| fault.message)
        };
        assert_eq!(
            load(r#"{"version":1,"epoch":3}"#),
            Ok(Some(serde_json::json!({"version": 1, "epoch": 3})))
        );
        let newer = format!("`{path}` was written by a newer cutover: in version 2, and this one knows 1");
        assert_eq!(load(r#"{"version":2,"epoch":3}"#), Err(newer));
    }
}
