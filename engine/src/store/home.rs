//! The home of an application and environment: the host that keeps its lock, journals, history and live record.

use cutover_host::operation::{Answer, Lock, Operation};
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use super::lineage::{disagreements, is_to_join};
use super::{HeldLock, Lineage, Membership, ReadJournal, StateDirectory, StoreFault};
use crate::model::{HistoryEntry, LiveRecord, Timestamp};

pub(super) const LIVE: &str = "live.json";

/// The home of an application and environment.
#[derive(Debug, Clone)]
pub struct Home {
    directory: StateDirectory,
}

/// All that the home knows, read at once.
#[derive(Debug, Clone, PartialEq)]
pub struct HomeState<T> {
    /// The lock.
    pub lock: Lock,
    /// What is live; none before the first deployment has ended well.
    pub live: Option<LiveRecord>,
    /// The journal that is not closed, see [`Home::open_journal`].
    pub open: Option<ReadJournal<T>>,
    /// Ended deployments, oldest first.
    pub history: Vec<HistoryEntry>,
}

impl Home {
    /// The home whose state is in this directory.
    #[must_use]
    pub const fn new(directory: StateDirectory) -> Self {
        Self { directory }
    }

    /// Its directory.
    #[must_use]
    pub const fn directory(&self) -> &StateDirectory {
        &self.directory
    }

    /// Reads everything, in two round trips (one while no journal is open). Without the lock the parts may be of different
    /// moments.
    ///
    /// # Errors
    /// The first fault of any part.
    pub async fn read_all<T: DeserializeOwned>(&self) -> Result<HomeState<T>, StoreFault> {
        let (lock, live, open, history) =
            tokio::try_join!(self.read_lock(), self.live(), self.open_journal(), self.history(usize::MAX))?;
        Ok(HomeState { lock, live, open, history })
    }

    /// Makes sure that home and hosts belong to one line of deployments; the first deployment begins it as `fresh`. Hosts
    /// that are new join. All of `hosts` must be fenced with our epoch; the home may be among them.
    ///
    /// # Errors
    /// The first of [`disagreements`]; then nothing was written.
    pub async fn settle_lineage(
        &self,
        lock: &HeldLock,
        hosts: &[StateDirectory],
        fresh: Lineage,
    ) -> Result<Lineage, StoreFault> {
        let others = hosts.iter().filter(|host| host.host() != self.directory.host());
        let mut reading = JoinSet::new();
        for host in others.cloned() {
            reading.spawn(async move {
                let membership = host.read_membership().await;
                (host, membership)
            });
        }
        let of_home = self.directory.read_membership().await?;
        let mut found = Vec::new();
        for (host, membership) in reading.join_all().await {
            found.push((host, membership?));
        }
        found.sort_by(|(a, _), (b, _)| a.host().cmp(b.host()));
        let others = found.iter().map(|(host, membership)| host.said(membership.as_ref()));
        let faults = disagreements(self.directory.said(of_home.as_ref()), others);
        if let Some(fault) = faults.into_iter().next() {
            return Err(fault);
        }
        let membership = match of_home {
            Some(membership) => membership,
            None => {
                let membership = Membership::home(fresh);
                self.directory.write_membership(lock.guard(), &membership).await?;
                membership
            }
        };
        let mut joining = JoinSet::new();
        for (host, _) in found.into_iter().filter(|(_, found)| is_to_join(found.as_ref(), &membership)) {
            let guard = host.guard(lock.epoch());
            let joined = Membership::host(membership.lineage.clone());
            joining.spawn(async move { host.write_membership(&guard, &joined).await });
        }
        for joined in joining.join_all().await {
            joined?;
        }
        Ok(membership.lineage)
    }

    /// Renames a file of the state directory so that nothing reads it any more, and nothing of it is lost.
    ///
    /// # Errors
    /// What writing may meet.
    pub async fn set_aside(&self, lock: &HeldLock, name: &str) -> Result<(), StoreFault> {
        let directory = &self.directory;
        let last = name.rsplit('/').next().unwrap_or(name);
        let aside = format!("{last}.aside-{}", lock.epoch());
        let set_aside = Operation::SetAside { path: directory.file(name), name: aside };
        let answer = directory.repeat(Some(lock.guard().clone()), set_aside).await?;
        directory.done(&answer)
    }

    /// Makes this host the home of a new line, which goes on with another one whose home was lost.
    ///
    /// # Errors
    /// What writing may meet.
    pub async fn begin_line(
        &self,
        lock: &HeldLock,
        line: Lineage,
        replaces: Lineage,
    ) -> Result<(), StoreFault> {
        let membership = Membership { replaces: vec![replaces], ..Membership::home(line) };
        self.directory.write_membership(lock.guard(), &membership).await
    }

    /// Replaces the record of what is live, whatever it says.
    ///
    /// # Errors
    /// What writing may meet.
    pub async fn rewrite_live(&self, lock: &HeldLock, record: &LiveRecord) -> Result<(), StoreFault> {
        self.directory.write(lock.guard(), LIVE, record).await
    }

    /// What the home's clock shows: a lock's times are by it.
    ///
    /// # Errors
    /// What the host or the way to it may meet.
    pub async fn now(&self) -> Result<Timestamp, StoreFault> {
        let answer = self.directory.repeat(None, Operation::Facts { paths: Vec::new() }).await?;
        let Answer::Facts(facts) = answer else { return Err(self.directory.nonsense()) };
        Ok(Timestamp(facts.now_ms))
    }

    /// What the record says is live.
    ///
    /// # Errors
    /// What reading may meet.
    pub async fn live(&self) -> Result<Option<LiveRecord>, StoreFault> {
        self.directory.read(LIVE).await
    }

    /// Records what is live now, if the record is still the one of the generation before (0: there was none). Doing it again
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreFault::Generation`] when the record is another one.
    pub async fn set_live(&self, lock: &HeldLock, wanted: LiveRecord) -> Result<LiveRecord, StoreFault> {
        let seen = wanted.generation.saturating_sub(1);
        let now = self.live().await?;
        if now.as_ref() == Some(&wanted) {
            return Ok(wanted);
        }
        let found = now.map_or(0, |record| record.generation);
        if found != seen {
            return Err(StoreFault::Generation {
                host: self.directory.host().clone(),
                expected: seen,
                found,
            });
        }
        self.directory.write(lock.guard(), LIVE, &wanted).await?;
        Ok(wanted)
    }
}
