//! Copies of components, and other files of a project that a command writes.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;

use crate::model::Trouble;

/// A name for the copy of what a URL, or the reference of an artifact, leads to.
pub(super) fn file_name(url: &str) -> String {
    let path = url.split(['?', '#', '@']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    let name = name.strip_suffix(".wasm").unwrap_or(name);
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = name.chars().filter(is_plain).take(64).collect();
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "hook".to_owned() } else { name.to_owned() }
}

/// Puts a file in place of another: whoever reads finds the whole of either.
///
/// # Errors
/// When it can't be written.
pub fn replace(path: &Utf8Path, content: &[u8]) -> Result<(), Trouble> {
    let directory = path.parent().unwrap_or(Utf8Path::new("."));
    let written = || {
        std::fs::create_dir_all(directory)?;
        // As any file of a project: the umask decides who may read it.
        let mode = Permissions::from_mode(0o666);
        let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(directory)?;
        file.write_all(content)?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|error: io::Error| {
        Trouble::new("hook/unwritable", format!("`{path}` can't be written: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_have_plain_names() {
        for (url, expected) in [
            ("https://hooks.example.com/v1.2/haproxy.wasm?token=x/y", "haproxy"),
            ("https://hooks.example.com/lb-1.2", "lb-1.2"),
            ("https://hooks.example.com/..", "hook"),
            ("https://hooks.example.com/%2e%2e%2fx", "2e2e2fx"),
            ("https://hooks.example.com/", "hook"),
            ("oci://registry.example.com:5000/team/lb:1.2", "lb"),
            ("oci://registry.example.com/lb@sha256:00/x", "lb"),
        ] {
            assert_eq!(file_name(url), expected, "{url}");
        }
    }
}
