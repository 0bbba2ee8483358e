//! The history: every ended deployment, once. Lines as in [`super::chain`], nothing is ever taken away.

use super::log::{self, Log};
use super::{HeldLock, Home, StoreFault};
use crate::model::{HistoryEntry, Timestamp};

pub(super) const HISTORY: &str = "history.jsonl";

impl Home {
    /// Ended deployments, oldest first; of more than `limit` the newest.
    ///
    /// # Errors
    /// [`StoreFault::JournalBroken`], and what reading may meet.
    pub async fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, StoreFault> {
        let parsed = log::read::<HistoryEntry>(self.directory(), HISTORY).await?;
        let skipped = parsed.records.len().saturating_sub(limit);
        Ok(parsed.records.into_iter().skip(skipped).map(|(_, entry)| entry).collect())
    }

    /// Remembers the end of a deployment. A deployment that is there already stays as it is: whoever finds an ended journal
    /// that is still open can't know whether its end came to be remembered.
    ///
    /// # Errors
    /// What reading and writing may meet.
    pub async fn remember(
        &self,
        lock: &HeldLock,
        at: Timestamp,
        entry: &HistoryEntry,
    ) -> Result<(), StoreFault> {
        let (directory, guard) = (self.directory().clone(), lock.guard().clone());
        let (mut log, parsed) = Log::reopen::<HistoryEntry>(directory, guard, HISTORY.to_owned()).await?;
        if parsed.records.iter().any(|(_, known)| known.deployment == entry.deployment) {
            return Ok(());
        }
        log.append(at, std::slice::from_ref(entry)).await
    }
}
