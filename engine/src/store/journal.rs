//! The journal of one deployment, and which one is open.
//!
//! `open.json` names the deployment whose journal has not been closed. The order of writes, and what a crash after each of
//! them leaves for the next reader:
//!
//! | write | a crash after it leaves |
//! |---|---|
//! | 1. `open.json` | a name without a journal (or with a torn first line): nothing was done, to be closed |
//! | 2. first line | an unfinished deployment |
//! | 3. … last line, which says how it ended | an ended deployment: history is made sure of, then it is closed |
//! | 4. history | the same: the history takes each deployment once |
//! | 5. `open.json` removed | nothing |
//!
//! So the unfinished deployment, if any, is found in two round trips, however many journals there are. No write is done
//! without the lock, and no new journal is begun while another one is open.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::chain::Parsed;
use super::log::{self, Log};
use super::{HeldLock, Home, StoreFault};
use crate::model::Timestamp;

pub(super) const OPEN: &str = "open.json";
pub(super) const JOURNALS: &str = "journal";

/// Journals of ended deployments that are kept, for people to look at: the history has the end of each for ever.
pub(super) const KEPT_JOURNALS: usize = 100;

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal<T> {
    log: Log,
    records: PhantomData<fn(T)>,
}

/// A journal that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadJournal<T> {
    /// The deployment.
    pub deployment: String,
    /// Its records, oldest first. None: it never began, nothing was done.
    pub records: Vec<(Timestamp, T)>,
    /// What follows the last whole line: a record whose writer never heard that it was kept.
    pub torn: Option<String>,
}

impl<T> ReadJournal<T> {
    /// Its records, oldest first, without when each was written.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.records.iter().map(|(_, record)| record)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) deployment: String,
}

impl<T: Serialize + DeserializeOwned + Sync> Journal<T> {
    /// Begins the journal of a deployment with its first record.
    ///
    /// # Errors
    /// [`StoreFault::Unfinished`] when another journal is open, and what writing may meet.
    pub async fn create(
        home: &Home,
        lock: &HeldLock,
        deployment: &str,
        at: Timestamp,
        first: &T,
    ) -> Result<Self, StoreFault> {
        let directory = home.directory();
        let name = journal_name(home, deployment)?;
        let (open, ()) =
            tokio::try_join!(directory.read::<Open>(OPEN), directory.make_directory(lock.guard(), JOURNALS))?;
        if let Some(open) = open
            && open.deployment != deployment
        {
            return Err(unfinished(home, open));
        }
        let open = Open { deployment: deployment.to_owned() };
        directory.write(lock.guard(), OPEN, &open).await?;
        let log = Log::new(directory.clone(), lock.guard().clone(), name);
        let mut journal = Self { log, records: PhantomData };
        journal.append(at, first).await?;
        Ok(journal)
    }

    /// Reads the journal of a deployment and makes it ready to be continued. A torn last line stays in the file, set aside.
    ///
    /// # Errors
    /// [`StoreFault::JournalBroken`], and what reading may meet.
    pub async fn reopen(
        home: &Home,
        lock: &HeldLock,
        deployment: &str,
    ) -> Result<(Self, ReadJournal<T>), StoreFault> {
        let name = journal_name(home, deployment)?;
        let (log, parsed) = Log::reopen(home.directory().clone(), lock.guard().clone(), name).await?;
        Ok((Self { log, records: PhantomData }, ReadJournal::new(deployment.to_owned(), parsed)))
    }

    /// Appends a record. When this returns, it is on disk.
    ///
    /// # Errors
    /// [`StoreFault::Fenced`] when the lock is lost. After any error but [`StoreFault::Unreachable`] it is not known
    /// whether the record is there, and every further one is refused with [`StoreFault::Uncertain`]: nothing may be done
    /// until the journal is opened again.
    pub async fn append(&mut self, at: Timestamp, record: &T) -> Result<(), StoreFault> {
        self.append_all(at, std::slice::from_ref(record)).await
    }

    /// Appends records, with one wait for the disk. When this returns, all are there.
    ///
    /// # Errors
    /// As for [`Self::append`]; any number of the first ones may be there.
    pub async fn append_all(&mut self, at: Timestamp, records: &[T]) -> Result<(), StoreFault> {
        self.log.append(at, records).await
    }
}

impl<T> ReadJournal<T> {
    pub(super) fn new(deployment: String, parsed: Parsed<T>) -> Self {
        let torn = parsed.torn.map(|torn| String::from_utf8_lossy(&torn).into_owned());
        Self { deployment, records: parsed.records, torn }
    }
}

impl Home {
    /// Reads the journal of a deployment; one that is not there has no records.
    ///
    /// # Errors
    /// [`StoreFault::JournalBroken`], and what reading may meet.
    pub async fn read_journal<T: DeserializeOwned>(
        &self,
        deployment: &str,
    ) -> Result<ReadJournal<T>, StoreFault> {
        let name = journal_name(self, deployment)?;
        let parsed = log::read(self.directory(), &name).await?;
        Ok(ReadJournal::new(deployment.to_owned(), parsed))
    }

    /// The journal that has not been closed. The deployment is unfinished, unless its last record is an end (then only
    /// history and [`Home::close`] are missing) or it has no records (then only the latter).
    ///
    /// # Errors
    /// As for [`Home::read_journal`].
    pub async fn open_journal<T: DeserializeOwned>(&self) -> Result<Option<ReadJournal<T>>, StoreFault> {
        match self.directory().read::<Open>(OPEN).await? {
            Some(open) => self.read_journal(&open.deployment).await.map(Some),
            None => Ok(None),
        }
    }

    /// Closes the journal of a deployment that has ended and is in the history.
    ///
    /// # Errors
    /// [`StoreFault::Unfinished`] when another one is open.
    pub async fn close(&self, lock: &HeldLock, deployment: &str) -> Result<(), StoreFault> {
        match self.directory().read::<Open>(OPEN).await? {
            None => Ok(()),
            Some(open) if open.deployment == deployment => self.directory().remove(lock.guard(), OPEN).await,
            Some(open) => Err(unfinished(self, open)),
        }
    }

    /// Removes the oldest journals, beyond [`KEPT_JOURNALS`], of deployments that are in the history. One that is not has no end, and
    /// stays.
    ///
    /// # Errors
    /// What reading and writing may meet.
    pub async fn forget_journals(&self, lock: &HeldLock) -> Result<(), StoreFault> {
        let names = self.directory().list(JOURNALS).await?;
        let excess = names.len().saturating_sub(KEPT_JOURNALS);
        if excess == 0 {
            return Ok(());
        }
        let ended: BTreeSet<String> =
            self.history(usize::MAX).await?.into_iter().map(|entry| entry.deployment).collect();
        // Names begin with the time, and come in order.
        for name in &names[..excess] {
            if name.strip_suffix(".jsonl").is_some_and(|deployment| ended.contains(deployment)) {
                self.directory().remove(lock.guard(), &format!("{JOURNALS}/{name}")).await?;
            }
        }
        Ok(())
    }
}

/// Path of a journal below the state directory. Identifiers come from files too, and become part of a path.
pub(super) fn journal_name(home: &Home, deployment: &str) -> Result<String, StoreFault> {
    match Ulid::from_string(deployment) {
        Ok(id) if id.to_string() == deployment => Ok(format!("{JOURNALS}/{deployment}.jsonl")),
        Ok(_) | Err(_) => {
            let reason = format!("`{}` is no deployment", deployment.escape_debug());
            Err(home.directory().malformed(OPEN, reason))
        }
    }
}

fn unfinished(home: &Home, open: Open) -> StoreFault {
    let directory = home.directory();
    StoreFault::Unfinished {
        host: directory.host().clone(),
        directory: directory.path().to_owned(),
        deployment: open.deployment,
    }
}
