//! What a slot was last started from, and by what words.

use cutover_host::operation::Operation;

use super::drive::read;
use super::launch::{self, LIMIT};
use super::{DriverFailure, Launch, Slot};
use crate::model::ReleaseId;
use crate::transport::Link;

/// What a slot was last started from: a line with the release, and its launch as JSON in the rest. It is written before a start, while nothing
/// runs in the slot, so it holds for what runs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The release.
    pub release: ReleaseId,
    /// What it was started by. None where that was not noted, or can't be read any more: then it is what is kept of the release.
    pub launch: Option<Launch>,
}

impl Noted {
    /// What is noted in a slot; none when nothing was started there yet, or the note names no release.
    ///
    /// # Errors
    /// When the host does not answer.
    pub async fn of(link: &dyn Link, slot: &Slot<'_>) -> Result<Option<Self>, DriverFailure> {
        // A release has few bytes.
        let content = read(link, slot.release_file(), LIMIT + 256).await?;
        Ok(content.and_then(|content| Self::parse(&content)))
    }

    /// The operation that notes what is about to be started.
    ///
    /// # Errors
    /// When it is longer than what is read back.
    pub(super) fn write(
        slot: &Slot<'_>,
        release: &ReleaseId,
        launch: &Launch,
    ) -> Result<Operation, DriverFailure> {
        let path = slot.release_file();
        let content = [format!("{release}\n").as_bytes(), &launch.content(&path)?].concat();
        Ok(Operation::Write { path, beneath: None, content: content.into(), mode: Some(0o600) })
    }

    fn parse(content: &[u8]) -> Option<Self> {
        let mut lines = content.splitn(2, |byte| *byte == b'\n');
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let release = ReleaseId::parse(first.trim_end())?;
        let launch = lines.next().and_then(|rest| launch::parse(rest).ok());
        Some(Self { release, launch })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::model::{Color, Driver};

    #[test]
    fn what_is_noted_is_read_again() {
        let (deployment, host) = (sample::deployment(Driver::Detached), sample::name("web1"));
        let slot = Slot::new(&deployment, &host, Color::Blue, &sample::facts("deploy", 1000));
        let slot = slot.expect("a slot");
        let launch = Launch::configured(&slot).written_by("d1");
        let release = ReleaseId::parse("r1").expect("an identifier");
        let Ok(Operation::Write { content, .. }) = Noted::write(&slot, &release, &launch) else {
            panic!("it is written");
        };
        let noted = Noted { release: release.clone(), launch: Some(launch) };
        assert_eq!(Noted::parse(&content.0), Some(noted));
        // As it was written before, and as someone may write it by hand.
        let only = Some(Noted { release, launch: None });
        assert_eq!([&b"r1\n"[..], b"r1", b"r1\n{}"].map(Noted::parse), [only.clone(), only.clone(), only]);
        assert_eq!([&b"../r1\n"[..], b"", b"\n{}", b"\xff\n"].map(Noted::parse), [const { None }; 4]);
    }
}
