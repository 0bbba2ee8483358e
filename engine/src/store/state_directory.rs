//! The state directory of one application and environment on one host: where it is, and how its files are read and changed.

use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::{Answer, Facts, FaultKind, Guard, Operation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lineage::LINEAGE;
use super::versioned::{self, Unreadable, VERSION};
use super::{Membership, Said, StoreFault};
use crate::model::{HostName, Name};
use crate::transport::{Failure, Link};

/// For one operation of the store; they are small, so this only ends what hangs.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often an operation is tried that may be done twice, while its outcome is unknown.
pub(super) const TRIES: usize = 3;
/// Bytes of a small file.
const SMALL: u64 = 1 << 20;

/// The state directory of one application and environment on one host.
///
/// Every host has one, for `fence`, `ops/` and `lineage`; the home keeps the lock, the journals and the history in it too.
#[derive(Debug, Clone)]
pub struct StateDirectory {
    link: Arc<dyn Link>,
    path: String,
}

/// What the host writes into `fence`.
#[derive(Deserialize)]
struct Fence {
    epoch: u64,
}

/// What [`StateDirectory::find`] learns in its one round trip.
#[derive(Debug, Clone)]
pub struct Found {
    /// The directory; it need not exist yet.
    pub directory: StateDirectory,
    /// What line of deployments the host belongs to, before any lock: to be read again under it.
    pub membership: Option<Membership>,
    /// The host's facts, with the room for the paths asked about (after the one for the system's state directory).
    pub facts: Facts,
}

impl StateDirectory {
    /// Finds the directory: the one that has a lineage, else the one that [`place`] chooses. `rooms` are paths whose room
    /// is asked about in the same breath.
    ///
    /// # Errors
    /// [`StoreFault::TwoStates`] when both have a lineage, and what reading may meet.
    pub async fn find(
        link: Arc<dyn Link>,
        app: &Name,
        environment: Option<&Name>,
        rooms: &[String],
    ) -> Result<Found, StoreFault> {
        let system = Self { link: Arc::clone(&link), path: system_path(app, environment) };
        let user = Self { link, path: user_path("~", app, environment) };
        let paths = std::iter::once(&system.path).chain(rooms).cloned().collect();
        let (facts, of_system, of_user) = tokio::try_join!(
            system.repeat(None, Operation::Facts { paths }),
            system.read_membership(),
            user.read_membership()
        )?;
        let Answer::Facts(facts) = facts else { return Err(system.nonsense()) };
        if !facts.home.starts_with('/') {
            let reason = format!("`{}` is no home directory", facts.home);
            return Err(StoreFault::new(system.host(), Failure::Nonsense(reason)));
        }
        let user = Self { path: user_path(&facts.home, app, environment), ..user };
        let (directory, membership) = match (of_system, of_user) {
            (Some(_), Some(_)) => {
                return Err(StoreFault::TwoStates {
                    host: system.host().clone(),
                    first: system.path,
                    second: user.path,
                });
            }
            (Some(membership), None) => (system, Some(membership)),
            (None, Some(membership)) => (user, Some(membership)),
            (None, None) => (Self { path: place(&facts, app, environment), ..system }, None),
        };
        Ok(Found { directory, membership, facts })
    }

    /// The directory at that absolute path.
    #[must_use]
    pub const fn at(link: Arc<dyn Link>, path: String) -> Self {
        Self { link, path }
    }

    /// The directory in an object store.
    #[must_use]
    pub fn in_bucket(link: Arc<dyn Link>, app: &Name, environment: Option<&Name>) -> Self {
        Self { link, path: below(app, environment) }
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &HostName {
        self.link.name()
    }

    /// Absolute path on the host.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What the host says of itself, as it was read from this directory.
    #[must_use]
    pub fn said<'a>(&'a self, membership: Option<&'a Membership>) -> Said<'a> {
        Said { host: self.host(), path: &self.path, membership }
    }

    /// What a change on this host is performed under, while the lock is held under `epoch`.
    #[must_use]
    pub fn guard(&self, epoch: u64) -> Guard {
        Guard { state: self.path.clone(), epoch, turn: None }
    }

    /// Raises the host's fence to `epoch`, which shuts out every earlier holder of the lock. Makes the directory.
    ///
    /// # Errors
    /// [`StoreFault::Fenced`] when a later holder was here.
    pub async fn fence(&self, epoch: u64) -> Result<(), StoreFault> {
        let answer = self.repeat(None, Operation::Fence { state: self.path.clone(), epoch }).await?;
        self.done(&answer)
    }

    /// Ends what earlier holders of the lock left running; answers their operation identifiers.
    ///
    /// # Errors
    /// What the host or the way to it may meet.
    pub async fn reap(&self, epoch: u64) -> Result<Vec<String>, StoreFault> {
        let guard = Some(self.guard(epoch));
        let reap = Operation::Reap { state: self.path.clone(), epoch };
        let Answer::Names(names) = self.repeat(guard, reap).await? else { return Err(self.nonsense()) };
        Ok(names)
    }

    /// What line of deployments the host belongs to, and its part in it.
    ///
    /// # Errors
    /// What reading may meet.
    pub async fn read_membership(&self) -> Result<Option<Membership>, StoreFault> {
        self.read(LINEAGE).await
    }

    /// Makes the host a member. Only under the fence, which makes the directory, and after [`super::disagreements`] had nothing to
    /// say against it.
    pub(super) async fn write_membership(
        &self,
        guard: &Guard,
        membership: &Membership,
    ) -> Result<(), StoreFault> {
        self.write(guard, LINEAGE, membership).await
    }

    /// The epoch of the host's fence; 0 when it has none.
    ///
    /// # Errors
    /// What reading may meet.
    pub(super) async fn read_fence(&self) -> Result<u64, StoreFault> {
        Ok(self.read::<Fence>("fence").await?.map_or(0, |fence| fence.epoch))
    }

    /// Path of a file of the directory.
    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// One try of one operation.
    pub(super) async fn once(&self, guard: Option<Guard>, operation: Operation) -> Result<Answer, Failure> {
        self.link.perform(operation.call().within(DEADLINE).under(guard)).await
    }

    /// An operation that may be done twice: tried again while its outcome is unknown.
    ///
    /// A try whose connection broke may still take effect late, on a host that was only slow. It then repeats what the
    /// later try did, and from the next holder of the lock on, the fence refuses it.
    pub(super) async fn repeat(
        &self,
        guard: Option<Guard>,
        operation: Operation,
    ) -> Result<Answer, StoreFault> {
        let mut tries = 1;
        loop {
            match self.once(guard.clone(), operation.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(failure) if failure.is_unknown() && tries < TRIES => tries += 1,
                Err(failure) => return Err(self.fault(failure)),
            }
        }
    }

    /// A file's bytes; none when it is not there.
    pub(super) async fn read_bytes(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreFault> {
        let path = self.file(name);
        match self.repeat(None, Operation::Read { path: path.clone(), beneath: None, limit }).await {
            Ok(Answer::Content(content)) if content.0.len() as u64 <= limit => Ok(Some(content.0)),
            Ok(_) => Err(self.nonsense()),
            Err(StoreFault::Refused { kind: FaultKind::NotFound, .. }) => Ok(None),
            Err(StoreFault::Refused { kind: FaultKind::TooLarge, .. }) => {
                Err(StoreFault::TooLarge { host: self.host().clone(), path, limit })
            }
            Err(fault) => Err(fault),
        }
    }

    /// Replaces a file as a whole.
    pub(super) async fn write_bytes(
        &self,
        guard: &Guard,
        name: &str,
        content: Vec<u8>,
    ) -> Result<(), StoreFault> {
        let path = self.file(name);
        let write = Operation::Write { path, beneath: None, content: content.into(), mode: Some(0o600) };
        let answer = self.repeat(Some(guard.clone()), write).await?;
        self.done(&answer)
    }

    /// A small versioned file; none when it is not there.
    pub(super) async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreFault> {
        let Some(text) = self.read_bytes(name, SMALL).await? else { return Ok(None) };
        versioned::decode(&text).map(Some).map_err(|fault| match fault {
            Unreadable::Newer(version) => self.newer(name, version),
            Unreadable::Malformed(reason) => self.malformed(name, reason),
        })
    }

    /// Replaces a small versioned file.
    pub(super) async fn write<T: Serialize + Sync>(
        &self,
        guard: &Guard,
        name: &str,
        content: &T,
    ) -> Result<(), StoreFault> {
        let text = versioned::encode(content).map_err(|error| self.malformed(name, error.to_string()))?;
        self.write_bytes(guard, name, text).await
    }

    /// Removes a file.
    pub(super) async fn remove(&self, guard: &Guard, name: &str) -> Result<(), StoreFault> {
        let remove = Operation::Remove { path: self.file(name), beneath: None };
        let answer = self.repeat(Some(guard.clone()), remove).await?;
        self.done(&answer)
    }

    /// Makes a directory in the state directory.
    pub(super) async fn make_directory(&self, guard: &Guard, name: &str) -> Result<(), StoreFault> {
        let make = Operation::MakeDirectory { path: self.file(name), mode: 0o700 };
        let answer = self.repeat(Some(guard.clone()), make).await?;
        self.done(&answer)
    }

    /// Names in a directory of the state directory, in order; none when it is not there.
    pub(super) async fn list(&self, name: &str) -> Result<Vec<String>, StoreFault> {
        self.names_in(self.file(name)).await
    }

    /// Names in the state directory itself; none when it is not there.
    pub(super) async fn names(&self) -> Result<Vec<String>, StoreFault> {
        self.names_in(self.path.clone()).await
    }

    async fn names_in(&self, path: String) -> Result<Vec<String>, StoreFault> {
        match self.repeat(None, Operation::ListNames { path, beneath: None }).await {
            Ok(Answer::Names(names)) => Ok(names),
            Ok(_) => Err(self.nonsense()),
            Err(StoreFault::Refused { kind: FaultKind::NotFound, .. }) => Ok(Vec::new()),
            Err(fault) => Err(fault),
        }
    }

    pub(super) fn done(&self, answer: &Answer) -> Result<(), StoreFault> {
        if *answer == Answer::Done { Ok(()) } else { Err(self.nonsense()) }
    }

    pub(super) fn fault(&self, failure: Failure) -> StoreFault {
        StoreFault::new(self.host(), failure)
    }

    pub(super) fn newer(&self, name: &str, version: u32) -> StoreFault {
        StoreFault::NewerVersion { host: self.host().clone(), path: self.file(name), version, known: VERSION }
    }

    pub(super) fn malformed(&self, name: &str, reason: String) -> StoreFault {
        StoreFault::Malformed { host: self.host().clone(), path: self.file(name), reason }
    }

    /// An answer of a kind that was not asked for. It is not shown: it may be anything.
    pub(super) fn nonsense(&self) -> StoreFault {
        self.fault(Failure::Nonsense("it gave an answer that does not belong to the question".to_owned()))
    }
}

/// The system's state directory, for hosts where `cutover setup` (or root) made room for us.
#[must_use]
pub fn system_path(app: &Name, environment: Option<&Name>) -> String {
    format!("/var/lib/cutover/{}", below(app, environment))
}

fn below(app: &Name, environment: Option<&Name>) -> String {
    format!("{app}/{}", environment.map_or("default", Name::as_str))
}

/// The deploy user's own.
pub(super) fn user_path(home: &str, app: &Name, environment: Option<&Name>) -> String {
    format!("{}/.local/state/cutover/{}", home.trim_end_matches('/'), below(app, environment))
}

/// Where the turn at a router is kept on its host: beside the states of applications, and no application's name begins so. It is always
/// the deploy user's own, since there is no place that each user may write and none may spoil.
#[must_use]
pub fn turn_path(home: &str) -> String {
    format!("{}/.local/state/cutover/.router", home.trim_end_matches('/'))
}

/// Where the state of a first deployment goes: the system's directory if `facts` (asked about [`system_path`]) say that we
/// may write there, else the deploy user's.
#[must_use]
pub fn place(facts: &Facts, app: &Name, environment: Option<&Name>) -> String {
    let system = system_path(app, environment);
    if facts.room.iter().any(|room| room.path == system && room.writable) {
        system
    } else {
        user_path(&facts.home, app, environment)
    }
}

#[cfg(test)]
mod tests {
    use cutover_host::operation::Room;

    use super::*;

    #[test]
    fn the_systems_directory_is_taken_when_it_is_ours() {
        let (app, environment) = (Name::new("shop").expect("name"), Name::new("production").expect("name"));
        let facts = |writable| Facts {
            home: "/home/deploy".to_owned(),
            room: vec![
                Room { path: "/var/lib/cutover/shop/production".to_owned(), writable, ..Room::default() },
                Room { path: "/srv".to_owned(), writable: true, ..Room::default() },
            ],
            ..Facts::default()
        };
        assert_eq!(place(&facts(true), &app, Some(&environment)), "/var/lib/cutover/shop/production");
        assert_eq!(
            place(&facts(false), &app, Some(&environment)),
            "/home/deploy/.local/state/cutover/shop/production"
        );
        assert_eq!(place(&facts(true), &app, None), "/home/deploy/.local/state/cutover/shop/default");
        assert_eq!(
            place(&Facts { home: "/".to_owned(), ..Facts::default() }, &app, None),
            "/.local/state/cutover/shop/default"
        );
    }
}
