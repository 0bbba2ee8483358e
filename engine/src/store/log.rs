//! Appending to a chained file on a host whose connection may break at any time.

use cutover_host::operation::{Fault, FaultKind, Guard, Operation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::chain::{self, Broken, BrokenReason, Parsed, Tail};
use super::state_directory::TRIES;
use super::{StateDirectory, StoreFault};
use crate::model::Timestamp;
use crate::transport::Failure;

/// Bytes of a journal or history: far more than ten years of deployments, far less than memory. It is read by one answer, in JSON, where
/// every quotation mark takes two bytes.
pub(super) const FILE_LIMIT: u64 = 24 << 20;
const _: () =
    assert!(2 * FILE_LIMIT < cutover_host::frame::MAX_MESSAGE as u64, "what is written can be read");

/// A chained file that is being written under a lock.
#[derive(Debug)]
pub(super) struct Log {
    directory: StateDirectory,
    guard: Guard,
    /// Path below the state directory; begins the chain.
    name: String,
    tail: Tail,
    /// Set while and after an append whose fate is not known.
    uncertain: bool,
}

/// Reads a chained file; one that is not there is empty.
pub(super) async fn read<T: DeserializeOwned>(
    directory: &StateDirectory,
    name: &str,
) -> Result<Parsed<T>, StoreFault> {
    let content = directory.read_bytes(name, FILE_LIMIT).await?.unwrap_or_default();
    chain::parse(name, &content).map_err(|Broken { line, reason }| {
        let (host, path) = (directory.host().clone(), directory.file(name));
        match reason {
            BrokenReason::Newer(version) => directory.newer(name, version),
            BrokenReason::Foreign(reason) => StoreFault::JournalForged { host, path, line, reason },
            BrokenReason::Words(reason) => StoreFault::JournalBroken { host, path, line, reason },
        }
    })
}

impl Log {
    /// A file that is not there yet.
    pub(super) fn new(directory: StateDirectory, guard: Guard, name: String) -> Self {
        let tail = Tail::start(&name);
        Self { directory, guard, name, tail, uncertain: false }
    }

    /// Reads a file that is to be continued.
    pub(super) async fn reopen<T: DeserializeOwned>(
        directory: StateDirectory,
        guard: Guard,
        name: String,
    ) -> Result<(Self, Parsed<T>), StoreFault> {
        let parsed = read(&directory, &name).await?;
        let tail = parsed.tail.clone();
        Ok((Self { directory, guard, name, tail, uncertain: false }, parsed))
    }

    /// Appends a line for each record, with one write and one wait for the disk. When this returns, the lines are there, once.
    ///
    /// After an error the file has to be read again before anything more is appended (only a host that could not be
    /// reached may be tried again): any number of the first lines may be there, and whoever goes on must know.
    pub(super) async fn append<T: Serialize + Sync>(
        &mut self,
        at: Timestamp,
        records: &[T],
    ) -> Result<(), StoreFault> {
        if self.uncertain {
            let (host, path) = (self.directory.host().clone(), self.directory.file(&self.name));
            return Err(StoreFault::Uncertain { host, path });
        }
        // Stays so when the caller gives up in the middle.
        self.uncertain = true;
        let result = self.place(at, records).await;
        match &result {
            Ok(tail) => {
                self.tail = tail.clone();
                self.uncertain = false;
            }
            Err(StoreFault::Unreachable { .. }) => self.uncertain = false,
            Err(_) => {}
        }
        result.map(drop)
    }

    /// Brings records to the end of the file; answers the new end.
    ///
    /// The operation names the length that the file must have, so a try that takes effect late can't put a line there
    /// twice: either it or the next try is a conflict. What is so is then read from the file.
    async fn place<T: Serialize + Sync>(&self, at: Timestamp, records: &[T]) -> Result<Tail, StoreFault> {
        let malformed = |error: serde_json::Error| self.directory.malformed(&self.name, error.to_string());
        let path = self.directory.file(&self.name);
        let mut tail = self.tail.clone();
        let mut landed = 0;
        let mut broke = None;
        for _ in 0..TRIES {
            let (mut content, mut next) = (Vec::new(), tail.clone());
            for record in &records[landed..] {
                let (line, after) = next.encode(at, record).map_err(malformed)?;
                content.extend(line);
                next = after;
            }
            if next.length > FILE_LIMIT {
                let host = self.directory.host().clone();
                return Err(StoreFault::TooLarge { host, path, limit: FILE_LIMIT });
            }
            let append = Operation::Append { path: path.clone(), at: tail.length, content: content.into() };
            match self.directory.once(Some(self.guard.clone()), append).await {
                Ok(answer) => return self.directory.done(&answer).map(|()| next),
                Err(Failure::Fault(Fault { kind: FaultKind::Conflict, .. })) => {}
                Err(failure) if failure.is_unknown() => broke = Some(failure),
                Err(failure) => return Err(Self::after(broke.is_some(), self.directory.fault(failure))),
            }
            let found: Parsed<serde_json::Value> =
                read(&self.directory, &self.name).await.map_err(|fault| Self::after(true, fault))?;
            let wanted: Result<Vec<_>, _> = records.iter().map(serde_json::to_value).collect();
            match self.landed(&found, at, &wanted.map_err(malformed)?) {
                Some(all) if all == records.len() => return Ok(found.tail),
                Some(some) => (tail, landed) = (found.tail, some),
                // Another holder of the lock was here. The same try again is refused by the fence, or else by the length.
                None => (tail, landed) = (self.tail.clone(), 0),
            }
        }
        match broke {
            Some(failure) => Err(self.directory.fault(failure)),
            None => Err(StoreFault::JournalBroken {
                host: self.directory.host().clone(),
                path,
                line: usize::try_from(self.tail.seq).unwrap_or(usize::MAX).saturating_add(1),
                reason: "was not written by this deployment".to_owned(),
            }),
        }
    }

    /// How many of these records have come since we last knew the end, a part of the next one aside; none when something else has.
    fn landed(
        &self,
        found: &Parsed<serde_json::Value>,
        at: Timestamp,
        wanted: &[serde_json::Value],
    ) -> Option<usize> {
        let count = usize::try_from(found.tail.seq.checked_sub(self.tail.seq)?).ok()?;
        if count == 0 {
            return (found.tail.prev == self.tail.prev).then_some(0);
        }
        let come = &found.records[found.records.len().checked_sub(count)?..];
        let ours = wanted.get(..count)?.iter().map(|record| (at, record));
        come.iter().map(|(when, what)| (*when, what)).eq(ours).then_some(count)
    }

    /// A host that can't be reached did nothing, unless an earlier try is still open.
    fn after(broke: bool, fault: StoreFault) -> StoreFault {
        if let StoreFault::Unreachable { host, message } = &fault
            && broke
        {
            return StoreFault::Unknown { host: host.clone(), message: message.clone() };
        }
        fault
    }
}
