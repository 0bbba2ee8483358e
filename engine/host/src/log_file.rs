//! A log file that never outgrows its limit.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};

use crate::fault;
use crate::operation::Fault;

/// A log file that is moved to `NAME.1` at its limit.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: String,
    limit: u64,
    /// None while it can't be opened: a full disk must not stop the program whose output it is.
    file: Option<File>,
    length: u64,
}

impl LogFile {
    /// Opens or makes it, and its directory.
    pub(crate) fn open(path: &str, limit: u64) -> Result<Self, Fault> {
        if let Some((directory, _)) = path.rsplit_once('/') {
            let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(directory);
            made.map_err(|error| fault::io("make the directory", directory, error))?;
        }
        let file = append_to(path).map_err(|error| fault::io("open", path, error))?;
        let length = file.metadata().map_or(0, |found| found.len());
        Ok(Self { path: path.to_owned(), limit, file: Some(file), length })
    }

    /// Appends a line of its own, whatever was written before it.
    pub(crate) fn announce(&mut self, text: &str) {
        let mut last = [b'\n'];
        if let (Some(file), Some(at)) = (&self.file, self.length.checked_sub(1)) {
            // Where it can't be read, a line too much does no harm.
            let read = file.read_exact_at(&mut last, at);
            last = if read.is_ok() { last } else { [b' '] };
        }
        let begin = if last == [b'\n'] { "" } else { "\n" };
        self.write(format!("{begin}{text}\n").as_bytes());
    }

    /// Appends. What can't be written is lost.
    pub(crate) fn write(&mut self, piece: &[u8]) {
        let full = self.length > 0 && self.length + piece.len() as u64 > self.limit;
        if full && fs::rename(&self.path, format!("{}.1", self.path)).is_ok() {
            self.file = None;
        }
        if self.file.is_none() {
            self.file = append_to(&self.path).ok();
            self.length = 0;
        }
        if let Some(file) = &mut self.file
            && file.write_all(piece).is_ok()
        {
            self.length += piece.len() as u64;
        }
    }
}

fn append_to(path: &str) -> std::io::Result<File> {
    File::options().read(true).append(true).create(true).mode(0o640).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limit_it_begins_anew() {
        let scratch = tempfile::tempdir().expect("a directory");
        let path = scratch.path().join("logs/app.log").to_string_lossy().into_owned();
        let mut log = LogFile::open(&path, 10).expect("opens");
        for line in ["first\n", "secnd\n", "third\n"] {
            log.write(line.as_bytes());
        }
        assert_eq!(fs::read_to_string(&path).expect("is there"), "third\n");
        assert_eq!(fs::read_to_string(format!("{path}.1")).expect("is there"), "secnd\n");
        drop(log);
        LogFile::open(&path, 100).expect("opens again").write(b"more\n");
        assert_eq!(fs::read_to_string(&path).expect("is there"), "third\nmore\n");
        let mut again = LogFile::open(&path, 100).expect("opens again");
        again.announce("begins");
        again.write(b"torn");
        again.announce("begins");
        let text = fs::read_to_string(&path).expect("is there");
        assert_eq!(text, "third\nmore\nbegins\ntorn\nbegins\n");
    }
}
