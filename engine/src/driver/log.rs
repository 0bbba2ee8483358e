//! Logs of the processes, from wherever the driver keeps them.

use std::collections::VecDeque;

use cutover_host::STARTING;
use cutover_host::operation::{Answer, Exit, Operation};
use serde_json::Value;

use super::{DriverFailure, Noted, Slot, systemd};
use crate::model::{Driver, ReleaseId, Timestamp};
use crate::transport::{Chunk, Failure, Flow, Link};

/// Bytes of a line that are kept; the rest of a longer one is dropped. A journal entry may escape each byte to six.
const LINE_LIMIT: usize = 96 * 1024;

/// Bytes of what is said beside a log that are kept.
const COMPLAINT_LIMIT: usize = 4096;

/// One line of an application's log, as it was written: not escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written, where the driver knows.
    pub at: Option<Timestamp>,
    /// The line without its end.
    pub text: String,
}

/// Lines of one release in one slot, as they come.
#[derive(Debug)]
pub struct LogReader {
    flow: Flow,
    lines: Lines,
    sorter: Sorter,
    waiting: VecDeque<Found>,
    /// What the program that reads the log says beside it.
    complaint: Vec<u8>,
    over: bool,
}

/// Begins to read the log of a release in a slot: its last `lines` lines (what the journal gives may be fewer), and with `follow`
/// what comes after.
///
/// # Errors
/// When the driver keeps no log, or the host does not answer.
pub async fn open_log(
    link: &dyn Link,
    slot: &Slot<'_>,
    release: &ReleaseId,
    lines: u32,
    follow: bool,
) -> Result<LogReader, DriverFailure> {
    let (operation, sorter) = match slot.driver() {
        Driver::Systemd { scope, .. } => {
            let noted = Noted::of(link, slot).await?;
            let sorter = Sorter::Journal {
                start: systemd::announcement(release, slot.color()),
                ours: noted.is_some_and(|noted| noted.release == *release),
            };
            (Operation::Stream { program: systemd::journal(slot, *scope, follow) }, sorter)
        }
        Driver::Detached => (Operation::Tail { path: slot.log_file(release), lines, follow }, Sorter::Whole),
        Driver::Command { .. } => return Err(DriverFailure::NoLog),
    };
    let flow = link.open(operation.call()).await?;
    Ok(LogReader {
        flow,
        lines: Lines::default(),
        sorter,
        waiting: VecDeque::new(),
        complaint: Vec::new(),
        over: false,
    })
}

/// The last `count` lines of a release in a slot.
///
/// # Errors
/// As [`open_log`].
pub async fn log_tail(
    link: &dyn Link,
    slot: &Slot<'_>,
    release: &ReleaseId,
    count: u32,
) -> Result<Vec<LogLine>, DriverFailure> {
    let mut reader = open_log(link, slot, release, count, false).await?;
    let mut tail = VecDeque::new();
    while let Some(found) = reader.find().await? {
        match found {
            // What came before an earlier start is older news.
            Found::Start => tail.clear(),
            Found::Line(line) => tail.push_back(line),
        }
        if tail.len() > count as usize {
            tail.pop_front();
        }
    }
    Ok(tail.into())
}

impl LogReader {
    /// The next line; none at the end.
    ///
    /// # Errors
    /// When the connection breaks, or the log can't be read.
    pub async fn next(&mut self) -> Result<Option<LogLine>, DriverFailure> {
        while let Some(found) = self.find().await? {
            if let Found::Line(line) = found {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    async fn find(&mut self) -> Result<Option<Found>, DriverFailure> {
        loop {
            if let Some(found) = self.waiting.pop_front() {
                return Ok(Some(found));
            }
            if self.over {
                return Ok(None);
            }
            let lines = match self.flow.download.recv().await {
                Some(Chunk::Out(bytes)) => self.lines.take(&bytes),
                Some(Chunk::Errors(bytes)) => {
                    let room = COMPLAINT_LIMIT.saturating_sub(self.complaint.len());
                    self.complaint.extend_from_slice(&bytes[..bytes.len().min(room)]);
                    continue;
                }
                None => {
                    self.over = true;
                    let gone = || Failure::Broken("the log ended without an answer".to_owned());
                    let answer = (&mut self.flow.answer).await.unwrap_or_else(|_| Err(gone()))?;
                    if let Answer::Exited(exit) = answer
                        && exit.status != 0
                    {
                        let errors = std::mem::take(&mut self.complaint).into();
                        let exit = Exit { errors, ..exit };
                        return Err(DriverFailure::program(systemd::JOURNALCTL, &[], &exit));
                    }
                    self.lines.rest().into_iter().collect()
                }
            };
            self.waiting.extend(lines.iter().filter_map(|line| self.sorter.sort(line)));
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// The release was started here.
    Start,
    Line(LogLine),
}

/// Tells the lines of a release from those of others.
#[derive(Debug)]
enum Sorter {
    /// The file has none but ours, of every life that they had.
    Whole,
    /// The journal has one entry a line, in JSON, of all releases of a colour.
    Journal {
        /// What our starts are announced with.
        start: String,
        /// Whether we are in a part that is ours.
        ours: bool,
    },
}

impl Sorter {
    fn sort(&mut self, line: &[u8]) -> Option<Found> {
        let (start, ours) = match self {
            Self::Whole => {
                let text = String::from_utf8_lossy(line).into_owned();
                if text.starts_with(STARTING) {
                    return Some(Found::Start);
                }
                return Some(Found::Line(LogLine { at: None, text }));
            }
            Self::Journal { start, ours } => (start, ours),
        };
        let entry: Value = serde_json::from_slice(line).ok()?;
        // Lines of systemd about the unit have no transport of ours, and are kept: "Main process exited" is what one looks for.
        let text = match entry.get("MESSAGE")? {
            Value::String(text) => text.clone(),
            // Bytes that are no UTF-8 come as numbers.
            Value::Array(bytes) => {
                let bytes: Vec<u8> = bytes
                    .iter()
                    .filter_map(|byte| byte.as_u64().and_then(|byte| byte.try_into().ok()))
                    .collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
        };
        if text.starts_with(STARTING) {
            *ours = text == *start;
            return ours.then_some(Found::Start);
        }
        let at = entry
            .get("__REALTIME_TIMESTAMP")
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<u64>().ok());
        ours.then(|| Found::Line(LogLine { at: at.map(|micros| Timestamp(micros / 1000)), text }))
    }
}

/// Cuts a stream into lines.
#[derive(Debug, Default)]
struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        let mut whole = Vec::new();
        let mut piece = pieces.next().unwrap_or_default();
        for following in pieces {
            self.keep(piece);
            whole.push(std::mem::take(&mut self.partial));
            piece = following;
        }
        self.keep(piece);
        whole
    }

    fn rest(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.partial)).filter(|rest| !rest.is_empty())
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LINE_LIMIT.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_into_lines_wherever_it_was_torn() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"one\ntw"), [b"one".to_vec()]);
        assert_eq!(lines.take(b"o\n\nthr"), [b"two".to_vec(), b"".to_vec()]);
        assert_eq!(lines.rest(), Some(b"thr".to_vec()));
        assert_eq!(lines.rest(), None);
        lines.take(&vec![b'x'; LINE_LIMIT + 10]);
        assert_eq!(lines.rest().map(|line| line.len()), Some(LINE_LIMIT));
    }

    #[test]
    fn an_earlier_life_ends_where_the_next_one_is_announced() {
        let sort = |line: &str| Sorter::Whole.sort(line.as_bytes());
        assert_eq!(sort("cutover: starting release 2"), Some(Found::Start));
        assert_eq!(sort("hello"), Some(Found::Line(LogLine { at: None, text: "hello".into() })));
    }

    #[test]
    fn the_journal_is_sorted_by_release() {
        let mut sorter = Sorter::Journal { start: "cutover: starting release 2 as blue".into(), ours: true };
        let mut sort = |line: &str| sorter.sort(line.as_bytes());
        let line = |at, text: &str| Some(Found::Line(LogLine { at, text: text.into() }));
        assert_eq!(sort(r#"{"MESSAGE":"who knows"}"#), line(None, "who knows"));
        assert_eq!(sort(r#"{"MESSAGE":"cutover: starting release 1 as blue"}"#), None);
        assert_eq!(sort(r#"{"MESSAGE":"theirs"}"#), None);
        assert_eq!(sort(r#"{"MESSAGE":"cutover: starting release 2 as blue"}"#), Some(Found::Start));
        assert_eq!(
            sort(r#"{"__REALTIME_TIMESTAMP":"1795251423123456","MESSAGE":"ours"}"#),
            line(Some(Timestamp(1_795_251_423_123)), "ours")
        );
        assert_eq!(sort(r#"{"MESSAGE":[104,255,105]}"#), line(None, "h\u{fffd}i"));
        assert_eq!(sort("nonsense"), None);
        assert_eq!(sort(r#"{"MESSAGE":7}"#), None);
    }
}
