//! A home without a host: an object store, for teams whose hosts come and go.
//!
//! It takes the operations that the store speaks and does them by two means alone: an object is created where there is none, or
//! changed from exactly the version that was seen. Each line of a journal is an object of its own, named by the offset at which it
//! begins, and created once; everything else is one object a file.
//!
//! There is no mutex here, so the fence is looked at just before each change, and a holder that is overtaken between look and change
//! meets the version of whoever overtook it: of two that write the same place, one is refused. No version of an object comes back, since
//! each ends with a line that numbers it. Times are the store's own.

mod conditions;
mod journal;
mod objects;
#[cfg(test)]
mod tests;

use cutover_host::epoch::{self, Refusal};
use cutover_host::operation::{Answer, Call, Facts, Fault, FaultKind, Guard, Lock, Operation};
use tokio::sync::OnceCell;

use self::objects::{Objects, Seen};
use super::log::FILE_LIMIT;
use super::{Membership, versioned};
use crate::model::{BucketUrl, HostName};
use crate::transport::{Failure, Flow, Link, LinkFuture};

/// How often a change is tried whose object has changed since it was read.
const TRIES: usize = 5;

/// Lock, journals, history and live record in an object store.
#[derive(Debug)]
pub struct Bucket {
    name: HostName,
    objects: Objects,
    keeps_conditions: OnceCell<()>,
}

impl Bucket {
    /// The store at `url`, called `name` in messages. Nothing is asked yet. `variables` are those of the environment, of which the
    /// ones of the store's kind (`AWS_…`, `GOOGLE_…`, `AZURE_…`) tell region, endpoint and credentials.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] when they don't suffice to speak to it.
    pub fn open<'a>(
        name: HostName,
        url: &BucketUrl,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Failure> {
        let objects = Objects::open(url, variables)?;
        Ok(Self { name, objects, keeps_conditions: OnceCell::new() })
    }

    async fn answer(&self, call: Call) -> Result<Answer, Failure> {
        let Call { guard, operation, .. } = call;
        let guard = guard.as_ref();
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "what is not asked of a home by the store is not done"
        )]
        match operation {
            Operation::Facts { .. } => {
                let now_ms = self.objects.now_ms().await?;
                Ok(Answer::Facts(Facts { now_ms, home: "/".to_owned(), ..Facts::default() }))
            }
            Operation::ReadLock { state } => Ok(Answer::Lock(self.lock(&state).await?.0)),
            Operation::TakeLock { state, holder, steal } => {
                self.require_conditions(&state).await?;
                self.require_home(&state).await?;
                self.change_lock(&state, |lock, now_ms| epoch::take(lock, lock.epoch, &holder, steal, now_ms))
                    .await
            }
            Operation::FreeLock { state, epoch } => {
                self.change_lock(&state, |lock, _| epoch::free(lock, lock.epoch, epoch)).await
            }
            Operation::RenewLock { state, epoch, step } => {
                self.change_lock(&state, |lock, now_ms| epoch::renew(lock, lock.epoch, epoch, &step, now_ms))
                    .await
            }
            Operation::Fence { state, epoch } => {
                self.require_conditions(&state).await?;
                self.raise(&state, epoch).await.map(|()| Answer::Done)
            }
            // The lock's own epoch is the fence.
            Operation::Read { path, .. } if path.ends_with("/fence") => {
                let state = path.trim_end_matches("/fence");
                let (lock, seen) = self.lock(state).await?;
                let text = format!("{{\"version\":{},\"epoch\":{}}}", versioned::VERSION, lock.epoch);
                seen.map(|_| Answer::Content(text.into_bytes().into())).ok_or_else(|| not_found(&path))
            }
            Operation::Read { path, limit, .. } if journal::is_one(&path) => {
                journal::read(&self.objects, &path, limit)
                    .await
                    .map(|content| Answer::Content(content.into()))
            }
            Operation::Read { path, limit, .. } => match self.objects.get(&path, limit).await? {
                Some(Seen { content, .. }) if !content.is_empty() => Ok(Answer::Content(content.into())),
                _ => Err(not_found(&path)),
            },
            Operation::Append { path, at, content } if journal::is_one(&path) => {
                self.admit(guard).await?;
                journal::append(&self.objects, &path, at, content.0).await.map(|()| Answer::Done)
            }
            Operation::Append { path, at, content } => self.append(guard, &path, at, &content.0).await,
            // What a move brings comes as a whole; a part of it may be there from one that was cut off.
            Operation::Write { path, content, .. } if journal::is_one(&path) => {
                self.admit(guard).await?;
                journal::remove(&self.objects, &path, || self.admit(guard)).await?;
                self.admit(guard).await?;
                journal::append(&self.objects, &path, 0, content.0).await.map(|()| Answer::Done)
            }
            Operation::Write { path, content, .. } => self.replace(guard, &path, content.0).await,
            Operation::Remove { path, .. } if journal::is_one(&path) => {
                self.admit(guard).await?;
                journal::remove(&self.objects, &path, || self.admit(guard)).await.map(|()| Answer::Done)
            }
            // Nothing can be removed on the condition of its version, so it becomes empty, which no file of ours is.
            Operation::Remove { path, .. } => self.replace(guard, &path, Vec::new()).await,
            Operation::SetAside { path, name } => self.set_aside(guard, &path, &name).await,
            Operation::MakeDirectory { .. } => self.admit(guard).await.map(|()| Answer::Done),
            Operation::ListNames { path, .. } => self.objects.names(&path).await.map(Answer::Names),
            _ => Err(fault(FaultKind::NotAllowed, "an object store keeps state and does nothing else")),
        }
    }

    async fn require_conditions(&self, state: &str) -> Result<(), Failure> {
        self.keeps_conditions.get_or_try_init(|| conditions::require(&self.objects, state)).await.map(drop)
    }

    /// As on a host: where the state was moved away from, nobody takes the lock.
    async fn require_home(&self, state: &str) -> Result<(), Failure> {
        let path = format!("{state}/lineage");
        let Some(seen) = self.objects.get(&path, LOCK_LIMIT).await? else { return Ok(()) };
        let said: Result<Membership, _> = versioned::decode(&seen.content);
        let said =
            said.map_err(|_| fault(FaultKind::Failed, format!("`{path}` is not what cutover wrote there")))?;
        match said.moved_to {
            Some(to) => Err(fault(FaultKind::Moved, format!("`{}` was moved to `{to}`", self.objects.url()))),
            None => Ok(()),
        }
    }

    /// Raises the epoch: whoever held the lock under a lower one is shut out, and it is free.
    async fn raise(&self, state: &str, epoch: u64) -> Result<(), Failure> {
        let path = format!("{state}/lock.json");
        for _ in 0..TRIES {
            let (lock, seen) = self.lock(state).await?;
            let raised = epoch::raise(lock.epoch, epoch).map_err(|refusal| refused(&refusal))?;
            if raised == lock.epoch {
                return Ok(());
            }
            let lock = Lock { version: versioned::VERSION, epoch: raised, ..Lock::default() };
            let text = serde_json::to_vec(&lock).map_err(|error| {
                fault(FaultKind::Failed, format!("failed to put `{path}` into JSON: {error}"))
            })?;
            if self.objects.put(&path, text, seen.map(|seen| seen.version)).await? {
                return Ok(());
            }
        }
        Err(contended(&path))
    }

    /// The lock, free under epoch 0 where nobody ever took it, and its object.
    async fn lock(&self, state: &str) -> Result<(Lock, Option<Seen>), Failure> {
        let path = format!("{state}/lock.json");
        let Some(seen) = self.objects.get(&path, LOCK_LIMIT).await? else {
            return Ok((Lock { version: versioned::VERSION, ..Lock::default() }, None));
        };
        let mut lock: Lock = serde_json::from_slice(&seen.content).map_err(|error| {
            fault(FaultKind::Failed, format!("`{path}` is not what cutover wrote there: {error}"))
        })?;
        // By the store's clock, not that of whichever machine held it.
        lock.renewed_ms = seen.changed_ms;
        Ok((lock, Some(seen)))
    }

    async fn change_lock(
        &self,
        state: &str,
        decide: impl Fn(&Lock, u64) -> Result<Lock, Refusal>,
    ) -> Result<Answer, Failure> {
        let path = format!("{state}/lock.json");
        for _ in 0..TRIES {
            let (lock, seen) = self.lock(state).await?;
            let changed = decide(&lock, lock.renewed_ms).map_err(|refusal| refused(&refusal))?;
            let text = serde_json::to_vec(&changed).map_err(|error| {
                fault(FaultKind::Failed, format!("failed to put `{path}` into JSON: {error}"))
            })?;
            if self.objects.put(&path, text, seen.map(|seen| seen.version)).await? {
                return Ok(Answer::Lock(changed));
            }
        }
        Err(contended(&path))
    }

    /// Copies an object, or each line of a journal, to a name that is not there yet, and then removes it. Broken off in between, it is done
    /// again: what is there then has to be the same.
    async fn set_aside(&self, guard: Option<&Guard>, path: &str, name: &str) -> Result<Answer, Failure> {
        let (parent, _) = path.rsplit_once('/').ok_or_else(|| not_found(path))?;
        let aside = format!("{parent}/{name}");
        self.admit(guard).await?;
        if journal::is_one(path) {
            journal::copy(&self.objects, path, &aside, || self.admit(guard)).await?;
            return journal::remove(&self.objects, path, || self.admit(guard)).await.map(|()| Answer::Done);
        }
        let Some(seen) = self.objects.get(path, FILE_LIMIT).await?.filter(|seen| !seen.content.is_empty())
        else {
            return Ok(Answer::Done);
        };
        if !self.objects.put(&aside, seen.content.clone(), None).await?
            && self.objects.get(&aside, FILE_LIMIT).await?.is_none_or(|there| there.content != seen.content)
        {
            return Err(fault(FaultKind::Conflict, format!("`{aside}` is there already")));
        }
        self.replace(guard, path, Vec::new()).await
    }

    /// Whether the holder of this guard may change anything now.
    async fn admit(&self, guard: Option<&Guard>) -> Result<(), Failure> {
        let Some(guard) = guard else {
            return Err(fault(FaultKind::NotAllowed, "nothing is changed without the lock"));
        };
        let (lock, _) = self.lock(&guard.state).await?;
        epoch::admit(lock.epoch, guard.epoch).map_err(|refusal| refused(&refusal))
    }

    async fn replace(&self, guard: Option<&Guard>, path: &str, content: Vec<u8>) -> Result<Answer, Failure> {
        self.change(guard, path, |_| Ok(content.clone())).await
    }

    async fn append(
        &self,
        guard: Option<&Guard>,
        path: &str,
        at: u64,
        content: &[u8],
    ) -> Result<Answer, Failure> {
        let appended = |before: &[u8]| {
            if before.len() as u64 != at {
                let message = format!("`{path}` is {} bytes long, not {at}", before.len());
                return Err(fault(FaultKind::Conflict, message));
            }
            Ok([before, content].concat())
        };
        self.change(guard, path, appended).await
    }

    /// Changes a whole object under the guard, from the version that is seen before the guard is looked at.
    async fn change(
        &self,
        guard: Option<&Guard>,
        path: &str,
        changed: impl Fn(&[u8]) -> Result<Vec<u8>, Failure>,
    ) -> Result<Answer, Failure> {
        for _ in 0..TRIES {
            let seen = self.objects.get(path, FILE_LIMIT).await?;
            self.admit(guard).await?;
            let before = seen.as_ref().map_or(&[][..], |seen| &seen.content);
            let content = changed(before)?;
            if seen.is_some() && content == before {
                return Ok(Answer::Done);
            }
            if self.objects.put(path, content, seen.map(|seen| seen.version)).await? {
                return Ok(Answer::Done);
            }
        }
        Err(contended(path))
    }
}

/// Bytes of the lock.
const LOCK_LIMIT: u64 = 64 << 10;

impl Link for Bucket {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn perform(&self, call: Call) -> LinkFuture<'_, Answer> {
        Box::pin(self.answer(call))
    }

    fn open(&self, _: Call) -> LinkFuture<'_, Flow> {
        Box::pin(async { Err(fault(FaultKind::NotAllowed, "an object store has no streams")) })
    }
}

fn fault(kind: FaultKind, message: impl Into<String>) -> Failure {
    Failure::Fault(Fault::new(kind, message))
}

fn not_found(path: &str) -> Failure {
    fault(FaultKind::NotFound, format!("there is no `{path}`"))
}

fn contended(path: &str) -> Failure {
    fault(FaultKind::Conflict, format!("`{path}` changed {TRIES} times while it was to be changed"))
}

fn refused(refusal: &Refusal) -> Failure {
    let kind = match refusal {
        Refusal::Held => FaultKind::Held,
        Refusal::Fenced { .. } => FaultKind::Fenced,
        Refusal::Exhausted => FaultKind::Failed,
    };
    fault(kind, refusal.to_string())
}
