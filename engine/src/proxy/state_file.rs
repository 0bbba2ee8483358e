//! The routes on disk. What is there when a proxy starts is what it goes on with; a file that can't be read is never taken for none.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::table::{Refusal, Table};

/// The file of one directory.
#[derive(Debug, Clone)]
pub(super) struct StateFile {
    path: PathBuf,
}

/// What stands in it.
#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    table: Table,
}

/// Why the routes of a file are not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateFault {
    #[error("can't read `{0}`: {1}")]
    Read(PathBuf, io::Error),
    #[error("`{0}` is broken: {1}")]
    Broken(PathBuf, String),
    #[error("`{0}` is of format {1}; this program knows format {FORMAT}")]
    Format(PathBuf, u32),
    #[error("`{0}` can't be right: {1}")]
    Table(PathBuf, Refusal),
}

/// How far a change of the file came.
#[derive(Debug)]
pub(super) enum Saved {
    /// On disk, also when the power goes.
    Durable,
    /// In place, and perhaps not yet on disk.
    Visible(io::Error),
}

const FORMAT: u32 = 1;

const NAME: &str = "routes.json";

/// More than a thousand applications with a thousand instances each: somebody else's file.
const LARGEST: u64 = 256 << 20;

impl StateFile {
    pub(super) fn of(directory: &Path) -> Self {
        Self { path: directory.join(NAME) }
    }

    /// The routes; none where there is no file yet.
    pub(super) fn load(&self) -> Result<Table, StateFault> {
        let path = || self.path.clone();
        let text = match fs::metadata(&self.path).and_then(|found| {
            if found.len() > LARGEST {
                return Err(io::Error::other(format!("it has {} bytes", found.len())));
            }
            fs::read(&self.path)
        }) {
            Ok(text) => text,
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(Table::default()),
            Err(fault) => return Err(StateFault::Read(path(), fault)),
        };
        // The number first: of what comes later, nothing but that is known.
        let parsed: serde_json::Value =
            serde_json::from_slice(&text).map_err(|fault| StateFault::Broken(path(), fault.to_string()))?;
        match parsed.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format != u64::from(FORMAT) => {
                return Err(StateFault::Format(path(), u32::try_from(format).unwrap_or(u32::MAX)));
            }
            _ => {}
        }
        let document: Document =
            serde_json::from_value(parsed).map_err(|fault| StateFault::Broken(path(), fault.to_string()))?;
        document.table.check().map_err(|fault| StateFault::Table(path(), fault))?;
        Ok(document.table)
    }

    /// Replaces the file as a whole. An error means that it is as it was.
    pub(super) fn save(&self, table: &Table) -> io::Result<Saved> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        let mut text = serde_json::to_vec(&Document { format: FORMAT, table: table.clone() })?;
        text.push(b'\n');
        let mut file = tempfile::Builder::new();
        let mut file = file.permissions(fs::Permissions::from_mode(0o600)).tempfile_in(directory)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(match File::open(directory).and_then(|directory| directory.sync_all()) {
            Ok(()) => Saved::Durable,
            Err(fault) => Saved::Visible(fault),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::super::route::tests::route;
    use super::*;
    use crate::model::Name;

    #[test]
    fn what_was_saved_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::of(directory.path());
        assert_eq!(file.load().unwrap(), Table::default());
        let table = Table::default().with(&Name::new("shop").unwrap(), 0, route(25)).unwrap();
        assert!(matches!(file.save(&table).unwrap(), Saved::Durable));
        assert_eq!(file.load().unwrap(), table);
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn what_is_no_file_of_routes_is_told_and_never_taken_for_none() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::of(directory.path());
        let table = Table::default().with(&Name::new("shop").unwrap(), 0, route(25)).unwrap();
        file.save(&table).unwrap();
        let whole = fs::read_to_string(&file.path).unwrap();
        let said = |text: &str| {
            fs::write(&file.path, text).unwrap();
            let said = file.load().unwrap_err().to_string();
            said.replace(&directory.path().display().to_string(), "DIRECTORY")
        };
        let path = "`DIRECTORY/routes.json`";
        // Whatever is cut off, and whatever is not there.
        for end in (0..whole.len() - 2).step_by(7) {
            let text = said(&whole[..end]);
            assert!(text.starts_with(&format!("{path} is broken: ")), "{text}");
        }
        assert_eq!(said(""), format!("{path} is broken: EOF while parsing a value at line 1 column 0"));
        assert_eq!(said("{}"), format!("{path} is broken: missing field `format`"));
        assert_eq!(said("{\"format\":2}"), format!("{path} is of format 2; this program knows format 1"));
        assert_eq!(
            said(&whole.replace("\"percent\":25", "\"percent\":26")),
            format!(
                "{path} can't be right: the route of `shop` is none: blue gets 75 % and green 26 %: \
                 together it must be 100, or 0 for no colour at all"
            )
        );
        fs::remove_file(&file.path).unwrap();
        fs::create_dir(&file.path).unwrap();
        let text = file.load().unwrap_err().to_string();
        assert!(text.starts_with("can't read "), "{text}");
    }
}
