//! What each release shares with the others: links out of it, made last.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::tree::Tree;
use super::{Finish, make_directories};
use crate::fault::{self, not_allowed};
use crate::operation::{Fault, FaultKind};
use crate::release::{Layout, remove_tree};

/// What is linked into the release from `shared/`.
pub(super) struct Linked<'a> {
    dirs: &'a [String],
    files: &'a [String],
}

impl<'a> Linked<'a> {
    pub(super) fn check(what: &'a Finish<'a>) -> Result<Self, Fault> {
        for path in what.linked_dirs.iter().chain(what.linked_files) {
            let bad = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains('\0');
            if path.split('/').any(bad) {
                return Err(not_allowed(format!("`{}` can't be linked from `shared`", path.escape_debug())));
            }
        }
        Ok(Self { dirs: what.linked_dirs, files: what.linked_files })
    }

    /// Whether a path of the artifact gives way to a link.
    pub(super) fn covers(&self, path: &[u8]) -> bool {
        self.dirs.iter().chain(self.files).any(|linked| {
            path.strip_prefix(linked.as_bytes())
                .is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'/'))
        })
    }

    pub(super) fn make(&self, layout: &Layout, tree: &Tree) -> Result<(), Fault> {
        let shared = format!("{}/shared", layout.directory);
        for path in self.dirs {
            make_directories(&format!("{shared}/{path}"))?;
        }
        for path in self.files {
            if !Path::new(&format!("{shared}/{path}")).exists() {
                let message = format!("`{shared}/{path}`, which is linked into each release, is not there");
                return Err(Fault::new(FaultKind::NotFound, message));
            }
        }
        for path in self.dirs.iter().chain(self.files) {
            let mut parents = String::new();
            let parts: Vec<&str> = path.split('/').collect();
            for part in &parts[..parts.len() - 1] {
                parents = if parents.is_empty() { (*part).to_owned() } else { format!("{parents}/{part}") };
                let parent = tree.join(parents.as_bytes());
                match fs::symlink_metadata(&parent) {
                    Ok(found) if found.is_dir() => {}
                    Ok(_) => {
                        let message = format!(
                            "`{path}` can't be linked: `{parents}` of the release is not a directory"
                        );
                        return Err(Fault::new(FaultKind::Conflict, message));
                    }
                    Err(_) => {
                        fs::create_dir(&parent)
                            .map_err(|error| fault::io("make", parent.display(), error))?;
                    }
                }
            }
            // Relative, so that the application's directory may be moved: out of the release and of `releases`.
            let target = format!("{}../../shared/{path}", "../".repeat(parts.len() - 1));
            let link = tree.join(path.as_bytes());
            if fs::symlink_metadata(&link).is_ok_and(|found| found.is_dir()) {
                remove_tree(&link.to_string_lossy())?;
            } else if fs::symlink_metadata(&link).is_ok_and(|found| found.is_file()) {
                fs::remove_file(&link).map_err(|error| fault::io("remove", link.display(), error))?;
            }
            make_link(&link, OsStr::new(&target))?;
        }
        Ok(())
    }
}

pub(super) fn make_link(link: &Path, target: &OsStr) -> Result<(), Fault> {
    match std::os::unix::fs::symlink(target, link) {
        Ok(()) => Ok(()),
        // A finish that was cut off made it.
        Err(_) if fs::read_link(link).is_ok_and(|there| there.as_os_str() == target) => Ok(()),
        Err(error) => Err(fault::io("make the link", link.display(), error)),
    }
}
