//! The directory that helpers are kept in: every build of the engine brings its own, and none takes the others away.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A helper that was not started for so long is forgotten; one that is asked for again is sent again.
const UNUSED: Duration = Duration::from_hours(30 * 24);

/// An upload that is still not whole after this was cut off.
const CUT_OFF: Duration = Duration::from_hours(24);

/// Notes that the helper `own` is in use, and forgets those beside it that no longer are. A running one loses its name alone: it
/// knows itself by `/proc/self/exe`.
///
/// # Errors
/// When the directory can't be read or changed. That is no hindrance to anything.
pub fn forget_old_helpers(own: &Path, now: SystemTime) -> io::Result<()> {
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let (Some(directory), true) = (own.parent(), name(own).is_some_and(|name| is_helper(&name))) else {
        return Ok(());
    };
    File::open(own)?.set_modified(now)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let limit = match entry.file_name().to_str() {
            Some(name) if is_helper(name) => UNUSED,
            Some(name) if name.starts_with(".upload-") => CUT_OFF,
            _ => continue,
        };
        let metadata = entry.metadata()?;
        let age = now.duration_since(metadata.modified()?).unwrap_or_default();
        if metadata.is_file() && age > limit {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// `cutover-host-DIGEST`.
fn is_helper(name: &str) -> bool {
    let digest = name.strip_prefix("cutover-host-");
    digest.is_some_and(|digest| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_that_nobody_starts_any_more_are_forgotten() {
        let scratch = tempfile::tempdir().expect("a directory");
        let now = SystemTime::now();
        let day = Duration::from_hours(24);
        let helper = |digit: char| format!("cutover-host-{}", digit.to_string().repeat(64));
        let (own, used, unused) = (helper('a'), helper('b'), helper('c'));
        for (name, days) in [
            (own.as_str(), 90),
            (&used, 29),
            (&unused, 31),
            ("cutover-host-c", 90),
            ("notes", 90),
            (".upload-7", 0),
            (".upload-8", 2),
        ] {
            let file = File::create(scratch.path().join(name)).expect("made");
            file.set_modified(now - days * day).expect("set");
        }
        fs::create_dir(scratch.path().join(helper('d'))).expect("made");
        let names = || {
            let entries = fs::read_dir(scratch.path()).expect("reads");
            let mut names: Vec<String> = entries
                .map(|entry| entry.expect("reads").file_name().into_string().expect("UTF-8"))
                .collect();
            names.sort_unstable();
            names
        };
        let before = names();
        forget_old_helpers(&scratch.path().join("notes"), now).expect("not one of ours");
        assert_eq!(names(), before);
        for _ in 0..2 {
            forget_old_helpers(&scratch.path().join(&own), now).expect("forgets");
            let left = [".upload-7", &own, &used, "cutover-host-c", &helper('d'), "notes"];
            assert_eq!(names(), left);
        }
        let touched = scratch.path().join(&own).metadata().expect("there").modified().expect("known");
        assert!(now.duration_since(touched).unwrap_or_default() < day);
    }
}
