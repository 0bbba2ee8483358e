//! Which `cutover.toml` is meant.

use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::view::{ExitCode, Problem};

/// Name of the file where none is given.
pub(super) const NAME: &str = "cutover.toml";

/// Bytes of a configuration file at most.
pub(super) const LARGEST: u64 = 1 << 20;

/// The file that was given, or the one that lies in `start` or in the nearest parent of it.
///
/// # Errors
/// When there is none.
pub(super) fn find(given: Option<&Utf8Path>, start: &Utf8Path) -> Result<Utf8PathBuf, Problem> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let found = start.ancestors().map(|directory| directory.join(NAME)).find(|file| file.is_file());
    found.ok_or_else(|| {
        let text = format!("no `{NAME}` in `{start}` or in a parent of it");
        let problem = Problem::new("config/not-found", text, ExitCode::Configuration);
        problem.hint("`cutover init` writes one, `-c FILE` names another")
    })
}

/// Text of a configuration file.
///
/// # Errors
/// When it can't be read, is no text, or is larger than a configuration can be.
pub(super) fn read(file: &Utf8Path) -> Result<String, Problem> {
    read_up_to(file, LARGEST).map_err(|fault| {
        Problem::new("config/file", format!("can't read `{file}`: {fault}"), ExitCode::Configuration)
    })
}

/// Text of a file that has so many bytes at most.
///
/// # Errors
/// When it can't be read, is no text, or is larger.
pub(super) fn read_up_to(file: &Utf8Path, largest: u64) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?.take(largest + 1).read_to_string(&mut text)?;
    if text.len() as u64 > largest {
        return Err(io::Error::other(format!("it is larger than {largest} bytes")));
    }
    Ok(text)
}

/// The directory that the program was started in.
///
/// # Errors
/// When it is gone, or its name is not text.
pub(super) fn working_directory() -> Result<Utf8PathBuf, Problem> {
    let problem = |text: String| Problem::new("config/directory", text, ExitCode::Configuration);
    let path = std::env::current_dir().map_err(|fault| problem(format!("no working directory: {fault}")))?;
    Utf8PathBuf::from_path_buf(path).map_err(|path| problem(format!("`{}` is not UTF-8", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_is_meant() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(directory.path()).expect("text");
        let inner = root.join("a/b");
        std::fs::create_dir_all(&inner).expect("directories");
        let missing = find(None, &inner).expect_err("no file yet");
        assert_eq!(missing.code, "config/not-found");
        std::fs::write(root.join(NAME), "").expect("a file");
        assert_eq!(find(None, &inner), Ok(root.join(NAME)));
        std::fs::write(root.join("a").join(NAME), "").expect("a file");
        assert_eq!(find(None, &inner), Ok(root.join("a").join(NAME)));
        assert_eq!(find(Some("x.toml".into()), &inner), Ok("x.toml".into()));
    }
}
