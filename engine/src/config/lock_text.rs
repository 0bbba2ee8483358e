//! The text of `cutover.lock`: TOML in one fixed order, so that a change of one hook is a change of its lines alone.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::model::{
    ComponentDigest, HookSource, LockFile, LockedHook, OciReference, OciVersion, SCRIPT, VENDORED,
};

/// The version of the format. A file of another one is not guessed at.
const VERSION: u32 = 1;

const HEADING: &str = "# Written by `cutover hook update`: do not edit. It belongs into version control, beside the configuration.\n";

/// Why a text is no lock file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockFault {
    /// It is no TOML, or has not the keys that one has.
    #[error("{0}")]
    Malformed(String),
    /// A later program wrote it.
    #[error("it has version {0}, and this program knows version {VERSION}")]
    Version(u32),
    /// An entry that this program would not write.
    #[error("its entry for `{requested}` {reason}")]
    Entry {
        /// What the configuration names.
        requested: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    #[serde(rename = "hook", default, skip_serializing_if = "Vec::is_empty")]
    hooks: Vec<Entry>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    requested: String,
    source: Kind,
    resolved: String,
    sha256: String,
    size: u64,
    exports: Vec<String>,
    imports: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Path,
    Script,
    Https,
    Oci,
}

impl Kind {
    fn of(requested: &str) -> Self {
        match HookSource::remote(requested) {
            Some(HookSource::Https(_)) => Self::Https,
            Some(HookSource::Oci(_)) => Self::Oci,
            _ if requested.starts_with(SCRIPT) => Self::Script,
            Some(HookSource::Builtin(_) | HookSource::File(_) | HookSource::Script(_)) | None => Self::Path,
        }
    }
}

/// Reads a lock file.
///
/// # Errors
/// When it is none that this program writes.
pub fn read_lock(text: &str) -> Result<LockFile, LockFault> {
    let malformed = |error: toml::de::Error| LockFault::Malformed(error.message().to_owned());
    let Version { version } = toml::from_str(text).map_err(malformed)?;
    if version != VERSION {
        return Err(LockFault::Version(version));
    }
    let read: Text = toml::from_str(text).map_err(malformed)?;
    let mut hooks = BTreeMap::new();
    for entry in read.hooks {
        let fault = |reason| LockFault::Entry { requested: entry.requested.clone(), reason };
        let sha256 = ComponentDigest::parse(&entry.sha256)
            .ok_or_else(|| fault("has a `sha256` that is not 64 hexadecimal digits"))?;
        if entry.source != Kind::of(&entry.requested) {
            return Err(fault("has a `source` that is not that of `requested`"));
        }
        if entry.source == Kind::Oci {
            if !is_vendored(&entry.resolved) && !is_manifest_of(&entry.resolved, &entry.requested) {
                return Err(fault(
                    "has a `resolved` that is neither the digest of a manifest in the repository that is requested nor a file \
                     below `hooks/vendor`",
                ));
            }
        } else if entry.resolved != entry.requested && !is_vendored(&entry.resolved) {
            return Err(fault(
                "has a `resolved` that is neither what is requested nor a file below `hooks/vendor`",
            ));
        }
        if hooks.contains_key(&entry.requested) {
            return Err(fault("is there twice"));
        }
        let Entry { requested, resolved, size, exports, imports, .. } = entry;
        hooks.insert(requested, LockedHook { resolved, sha256, size, exports, imports });
    }
    Ok(LockFile { hooks })
}

/// Whether a path leads to a file below [`VENDORED`] and nowhere else.
fn is_vendored(path: &str) -> bool {
    path.strip_prefix(VENDORED).is_some_and(|name| {
        !name.is_empty() && Utf8Path::new(name).components().all(|part| part.as_str() != "..")
    })
}

/// Whether `resolved` is what `requested` can lead to: a manifest in the same repository, and where a digest is requested, that one.
fn is_manifest_of(resolved: &str, requested: &str) -> bool {
    let (Ok(resolved), Ok(requested)) = (OciReference::parse(resolved), OciReference::parse(requested))
    else {
        return false;
    };
    match requested.version {
        OciVersion::Tag(_) => {
            matches!(resolved.version, OciVersion::Manifest(_)) && resolved.is_beside(&requested)
        }
        OciVersion::Manifest(_) => resolved == requested,
    }
}

/// The text of a lock file.
#[must_use]
pub fn write_lock(lock: &LockFile) -> String {
    let entry = |(requested, hook): (&String, &LockedHook)| Entry {
        requested: requested.clone(),
        source: Kind::of(requested),
        resolved: hook.resolved.clone(),
        sha256: hook.sha256.hex().to_owned(),
        size: hook.size,
        exports: hook.exports.clone(),
        imports: hook.imports.clone(),
    };
    let text = Text { version: VERSION, hooks: lock.hooks.iter().map(entry).collect() };
    // Texts, numbers and arrays of texts: nothing of it can't be TOML.
    format!("{HEADING}{}", toml::to_string_pretty(&text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(resolved: &str, digit: &str) -> LockedHook {
        LockedHook {
            resolved: resolved.to_owned(),
            sha256: ComponentDigest::parse(&digit.repeat(64)).expect("a digest"),
            size: 70_123,
            exports: vec!["cutover:hook/router@0.1.0".to_owned()],
            imports: vec!["cutover:hook/engine@0.1.0".to_owned(), "cutover:hook/hosts@0.1.0".to_owned()],
        }
    }

    fn manifest(repository: &str) -> String {
        format!("oci://{repository}@sha256:{}", "e".repeat(64))
    }

    fn lock() -> LockFile {
        LockFile {
            hooks: BTreeMap::from([
                ("hooks/b.wasm".to_owned(), hook("hooks/b.wasm", "b")),
                (
                    "https://hooks.example.com/a.wasm".to_owned(),
                    hook("hooks/vendor/a-aaaaaaaaaaaa.wasm", "a"),
                ),
                (
                    "oci://registry.example.com/lb:1".to_owned(),
                    hook(&manifest("registry.example.com/lb"), "c"),
                ),
            ]),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_written_the_same() {
        let text = write_lock(&lock());
        assert_eq!(
            text,
            format!(
                "{HEADING}version = 1\n\n\
                 [[hook]]\nrequested = \"hooks/b.wasm\"\nsource = \"path\"\nresolved = \"hooks/b.wasm\"\n\
                 sha256 = \"{}\"\nsize = 70123\nexports = [\"cutover:hook/router@0.1.0\"]\n\
                 imports = [\n    \"cutover:hook/engine@0.1.0\",\n    \"cutover:hook/hosts@0.1.0\",\n]\n\n\
                 [[hook]]\nrequested = \"https://hooks.example.com/a.wasm\"\nsource = \"https\"\n\
                 resolved = \"hooks/vendor/a-aaaaaaaaaaaa.wasm\"\nsha256 = \"{}\"\nsize = 70123\n\
                 exports = [\"cutover:hook/router@0.1.0\"]\n\
                 imports = [\n    \"cutover:hook/engine@0.1.0\",\n    \"cutover:hook/hosts@0.1.0\",\n]\n\n\
                 [[hook]]\nrequested = \"oci://registry.example.com/lb:1\"\nsource = \"oci\"\n\
                 resolved = \"oci://registry.example.com/lb@sha256:{}\"\nsha256 = \"{}\"\nsize = 70123\n\
                 exports = [\"cutover:hook/router@0.1.0\"]\n\
                 imports = [\n    \"cutover:hook/engine@0.1.0\",\n    \"cutover:hook/hosts@0.1.0\",\n]\n",
                "b".repeat(64),
                "a".repeat(64),
                "e".repeat(64),
                "c".repeat(64)
            )
        );
        assert_eq!(read_lock(&text), Ok(lock()));
        assert_eq!(read_lock(&write_lock(&LockFile::default())), Ok(LockFile::default()));
    }

    #[test]
    fn what_this_program_would_not_write_is_refused() {
        let text = write_lock(&lock());
        const NO_MANIFEST: &str = "its entry for `oci://registry.example.com/lb:1` has a `resolved` that is neither the digest of a manifest \
                                   in the repository that is requested nor a file below `hooks/vendor`";
        let (own, digest) = (manifest("registry.example.com/lb"), format!("@sha256:{}", "e".repeat(64)));
        let (elsewhere, other) =
            (manifest("registry.example.net/lb"), manifest("registry.example.com/other"));
        let faults = [
            (own.as_str(), elsewhere.as_str(), NO_MANIFEST),
            (own.as_str(), other.as_str(), NO_MANIFEST),
            (own.as_str(), "/etc/passwd", NO_MANIFEST),
            (digest.as_str(), ":2", NO_MANIFEST),
            ("version = 1", "version = 2", "it has version 2, and this program knows version 1"),
            ("version = 1", "<<<<<<< ours\nversion = 1", ""),
            ("size = 70123", "size = 70123\nsigned = true", ""),
            (
                "source = \"path\"",
                "source = \"https\"",
                "its entry for `hooks/b.wasm` has a `source` that is not that of `requested`",
            ),
            (
                "resolved = \"hooks/b.wasm\"",
                "resolved = \"hooks/c.wasm\"",
                "its entry for `hooks/b.wasm` has a `resolved` that is neither what is requested nor a file below `hooks/vendor`",
            ),
            (
                "hooks/vendor/a-aaaaaaaaaaaa.wasm",
                "hooks/vendor/../../a.wasm",
                "its entry for `https://hooks.example.com/a.wasm` has a `resolved` that is neither what is requested nor a file \
                 below `hooks/vendor`",
            ),
            (
                "sha256 = \"aa",
                "sha256 = \"a",
                "its entry for `https://hooks.example.com/a.wasm` has a `sha256` that is not 64 hexadecimal digits",
            ),
            (
                "requested = \"https://hooks.example.com/a.wasm\"\nsource = \"https\"\n\
                 resolved = \"hooks/vendor/a-aaaaaaaaaaaa.wasm\"",
                "requested = \"hooks/b.wasm\"\nsource = \"path\"\nresolved = \"hooks/b.wasm\"",
                "its entry for `hooks/b.wasm` is there twice",
            ),
        ];
        for (from, to, expected) in faults {
            assert!(text.contains(from), "{from}");
            let fault = read_lock(&text.replacen(from, to, 1)).expect_err(to).to_string();
            // TOML's own words are its own.
            assert!(if expected.is_empty() { !fault.is_empty() } else { fault == expected }, "{to}: {fault}");
        }
    }
}
