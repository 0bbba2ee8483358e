//! Two hosts, their engines, and what is on its way between them.

use super::client::{HOSTS, LIVES};
use super::{Client, Message, Mutation};
use crate::epoch::{self, Refusal};
use crate::operation::{Lock, LockHolder};

/// Engines of the model.
pub(super) const CLIENTS: usize = 3;

/// Everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) clients: [Client; CLIENTS],
    /// Epoch and holder of the lock; no holder is 0.
    pub(super) lock: (u8, u8),
    pub(super) fences: [u8; HOSTS],
    /// Epoch of what runs detached on a host; 0 for nothing.
    pub(super) running: [u8; HOSTS],
    /// Epoch of what stays on a host outside the mutex; 0 for nothing.
    pub(super) staying: [u8; HOSTS],
    /// A message that was given up and has not arrived.
    pub(super) late: Option<Message>,
}

/// What a host answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// The lock is taken, under this epoch.
    Taken(u8),
    Held,
    Refused,
    /// Not before what stays there has ended.
    Waits,
}

impl World {
    pub(super) const NEW: Self = Self {
        clients: [Client::NEW; CLIENTS],
        lock: (0, 0),
        fences: [0; HOSTS],
        running: [0; HOSTS],
        staying: [0; HOSTS],
        late: None,
    };

    /// The name of a process.
    pub(super) fn holder(&self, client: usize) -> u8 {
        1 + client as u8 * LIVES + self.clients[client].life
    }

    /// A host does what it is asked.
    ///
    /// # Errors
    /// When a promise is broken by it.
    pub(super) fn deliver(
        &mut self,
        message: Message,
        bug: Option<Mutation>,
        torn: bool,
    ) -> Result<Answer, String> {
        let host = usize::from(message.host());
        let guarded = |fence: u8, epoch: u8| {
            bug == Some(Mutation::NoFenceCheck) || epoch::admit(fence.into(), epoch.into()).is_ok()
        };
        match message {
            Message::Take { holder, steal } => self.take(holder, steal, bug, torn),
            Message::Free { epoch } => self.free(epoch, bug, torn),
            Message::Fence { epoch, .. } => {
                if bug == Some(Mutation::FenceFalls) {
                    self.fences[host] = epoch;
                    return Ok(Answer::Done);
                }
                let raised = epoch::raise(self.fences[host].into(), epoch.into());
                Ok(raised.map_or(Answer::Refused, |raised| {
                    self.fences[host] = small(raised);
                    let waits = self.staying[host] != 0 && bug != Some(Mutation::FenceDoesNotWait);
                    if waits { Answer::Waits } else { Answer::Done }
                }))
            }
            Message::Reap { epoch, .. }
            | Message::Change { epoch, .. }
            | Message::Begin { epoch, .. }
            | Message::Run { epoch, .. }
                if !guarded(self.fences[host], epoch) =>
            {
                Ok(Answer::Refused)
            }
            Message::Reap { epoch, .. } => {
                if self.running[host] < epoch && bug != Some(Mutation::NoReap) {
                    self.running[host] = 0;
                }
                Ok(Answer::Done)
            }
            Message::Change { epoch, .. } => self.judge_change(host, epoch).map(|()| Answer::Done),
            Message::Begin { epoch, .. } => {
                self.judge_change(host, epoch)?;
                self.running[host] = epoch;
                Ok(Answer::Done)
            }
            Message::Run { epoch, .. } => {
                self.judge_change(host, epoch)?;
                self.staying[host] = epoch;
                Ok(Answer::Done)
            }
        }
    }

    /// What must be so whenever a host changes something.
    fn judge_change(&self, host: usize, epoch: u8) -> Result<(), String> {
        if let Some(later) = self.clients.iter().find(|client| client.relies() && client.epoch > epoch) {
            return Err(format!("epoch {epoch} changes a world that epoch {} has read", later.epoch));
        }
        if let Some(older) = self.running.iter().find(|running| **running != 0 && **running < epoch) {
            return Err(format!("epoch {epoch} changes the world while an operation of {older} still runs"));
        }
        if host == 0 && (self.lock.0 != epoch || self.lock.1 == 0) {
            return Err(format!("epoch {epoch} changes the home and does not hold the lock"));
        }
        Ok(())
    }

    fn take(&mut self, holder: u8, steal: u8, bug: Option<Mutation>, torn: bool) -> Result<Answer, String> {
        let (lock, fence) = (self.full_lock(), u64::from(self.fences[0]));
        let over = (steal != 0)
            .then(|| if bug == Some(Mutation::UnconditionalSteal) { lock.epoch } else { steal.into() });
        let taken = match epoch::take(&lock, fence, &name(holder), over, 0) {
            Ok(taken) => taken,
            Err(Refusal::Held) => return Ok(Answer::Held),
            Err(_) => return Ok(Answer::Refused),
        };
        let is_held = lock.holder.is_some() && lock.epoch >= fence;
        if is_held && u64::from(steal) != lock.epoch {
            return Err(format!("whoever saw epoch {steal} took the lock from epoch {}", lock.epoch));
        }
        self.put(&taken, holder, bug == Some(Mutation::FenceOutsideAcquire), torn);
        Ok(Answer::Taken(small(taken.epoch)))
    }

    fn free(&mut self, epoch: u8, bug: Option<Mutation>, torn: bool) -> Result<Answer, String> {
        let (lock, fence) = (self.full_lock(), u64::from(self.fences[0]));
        let named = if bug == Some(Mutation::UnconditionalUnlock) { lock.epoch } else { epoch.into() };
        match epoch::free(&lock, fence, named) {
            Ok(freed) => {
                if lock.epoch != u64::from(epoch) {
                    return Err(format!(
                        "whoever meant epoch {epoch} freed the lock of epoch {}",
                        lock.epoch
                    ));
                }
                if bug == Some(Mutation::UnlockKeepsEpoch) {
                    self.lock.1 = 0;
                } else {
                    self.put(&freed, 0, false, torn);
                }
                Ok(Answer::Done)
            }
            Err(_) => Ok(Answer::Refused),
        }
    }

    /// Fence first, then the lock; a host that goes down in between has only the one.
    fn put(&mut self, lock: &Lock, holder: u8, keep_fence: bool, torn: bool) {
        if !keep_fence {
            self.fences[0] = small(lock.epoch);
        }
        if !torn {
            self.lock = (small(lock.epoch), holder);
        }
    }

    fn full_lock(&self) -> Lock {
        let (epoch, holder) = self.lock;
        let holder = (holder != 0).then(|| name(holder));
        Lock { version: 1, epoch: epoch.into(), holder, ..Lock::default() }
    }

    /// What must be so at all times.
    ///
    /// # Errors
    /// When it is not.
    pub(super) fn judge(&self) -> Result<(), String> {
        let holding = |client: &&Client| client.holds();
        for (index, one) in self.clients.iter().enumerate().filter(|(_, client)| holding(client)) {
            let twin =
                self.clients[index + 1..].iter().filter(holding).find(|other| other.epoch == one.epoch);
            if twin.is_some() {
                return Err(format!("two engines hold the lock under epoch {}", one.epoch));
            }
        }
        for one in self.clients.iter().filter(|client| client.relies()) {
            if let Some(older) = self.staying.iter().find(|stays| **stays != 0 && **stays < one.epoch) {
                let (epoch, read) = (older, one.epoch);
                return Err(format!("what {epoch} runs still changes a world that epoch {read} has read"));
            }
        }
        Ok(())
    }
}

fn name(holder: u8) -> LockHolder {
    LockHolder {
        who: char::from(b'a' + holder).to_string(),
        deployment: String::new(),
        command: String::new(),
        process: None,
    }
}

fn small(epoch: u64) -> u8 {
    u8::try_from(epoch).expect("the search is bounded")
}
