//! A state directory as it is, each of its files by itself: what is broken keeps nothing else from being seen. Changes nothing.

use std::sync::Arc;

use cutover_host::operation::Lock;
use serde::de::DeserializeOwned;

use super::history::HISTORY;
use super::journal::{JOURNALS, OPEN, Open, journal_name};
use super::log;
use super::state_directory::{system_path, user_path};
use super::{Home, Membership, ReadJournal, StateDirectory, StoreFault};
use crate::model::{HistoryEntry, LiveRecord, Name};
use crate::transport::Link;

/// A state directory as it is.
#[derive(Debug, Clone)]
pub struct StateSight<T> {
    /// Absolute path.
    pub path: String,
    /// The host's part in a line of deployments.
    pub membership: Result<Option<Membership>, StoreFault>,
    /// The epoch of its fence; 0 when there is none.
    pub fence: Result<u64, StoreFault>,
    /// The lock; one that was never taken has the epoch 0.
    pub lock: Result<Lock, StoreFault>,
    /// What is live.
    pub live: Result<Option<LiveRecord>, StoreFault>,
    /// Identifier of the deployment whose journal is not closed.
    pub open: Result<Option<String>, StoreFault>,
    /// That journal; none when no deployment is open.
    pub journal: Option<Result<ReadJournal<T>, StoreFault>>,
    /// Ended deployments that are remembered.
    pub history: Result<usize, StoreFault>,
    /// Journals that are kept.
    pub journals: usize,
    /// Bytes of the history and of the open journal.
    pub bytes: u64,
}

impl<T: DeserializeOwned> StateSight<T> {
    /// Looks at both places where a host may have a state directory; answers those that are there. `home` is the home directory
    /// of the host's user.
    ///
    /// # Errors
    /// When the host can't be asked.
    pub async fn look(
        link: Arc<dyn Link>,
        home: &str,
        app: &Name,
        environment: Option<&Name>,
    ) -> Result<Vec<Self>, StoreFault> {
        let mut found = Vec::new();
        for path in [system_path(app, environment), user_path(home, app, environment)] {
            let directory = StateDirectory::at(Arc::clone(&link), path);
            if !directory.names().await?.is_empty() {
                found.push(Self::of(directory).await);
            }
        }
        Ok(found)
    }

    /// Looks at the place in an object store; answers it when there is anything.
    ///
    /// # Errors
    /// When the store can't be asked.
    pub async fn look_in_bucket(
        link: Arc<dyn Link>,
        app: &Name,
        environment: Option<&Name>,
    ) -> Result<Vec<Self>, StoreFault> {
        let directory = StateDirectory::in_bucket(link, app, environment);
        let is_empty = directory.names().await?.is_empty();
        Ok(if is_empty { Vec::new() } else { vec![Self::of(directory).await] })
    }

    async fn of(directory: StateDirectory) -> Self {
        let home = Home::new(directory.clone());
        let (membership, fence, lock, live, open, history, journals) = tokio::join!(
            directory.read_membership(),
            directory.read_fence(),
            home.read_lock(),
            home.live(),
            directory.read::<Open>(OPEN),
            log::read::<HistoryEntry>(&directory, HISTORY),
            directory.list(JOURNALS),
        );
        let open = open.map(|open| open.map(|open| open.deployment));
        let (journal, size) = match &open {
            Ok(Some(deployment)) => match read_journal(&home, deployment).await {
                Ok((journal, size)) => (Some(Ok(journal)), size),
                Err(fault) => (Some(Err(fault)), 0),
            },
            Ok(None) | Err(_) => (None, 0),
        };
        let bytes = size + history.as_ref().map_or(0, |history| history.tail.length);
        Self {
            fence,
            history: history.map(|history| history.records.len()),
            journals: journals.map_or(0, |names| names.len()),
            path: directory.path().to_owned(),
            membership,
            lock,
            live,
            open,
            journal,
            bytes,
        }
    }
}

/// Path below the state directory of the journal that is open, when its name makes sense.
#[must_use]
pub fn journal_file(open: &Result<Option<String>, StoreFault>) -> Option<String> {
    let deployment = open.as_ref().ok()?.as_ref()?;
    let id = ulid::Ulid::from_string(deployment).ok()?;
    (id.to_string() == *deployment).then(|| format!("{JOURNALS}/{deployment}.jsonl"))
}

/// A journal with its size in bytes.
async fn read_journal<T: DeserializeOwned>(
    home: &Home,
    deployment: &str,
) -> Result<(ReadJournal<T>, u64), StoreFault> {
    let name = journal_name(home, deployment)?;
    let parsed = log::read(home.directory(), &name).await?;
    let size = parsed.tail.length;
    Ok((ReadJournal::new(deployment.to_owned(), parsed), size))
}
