//! Why the state of an application could not be read or changed.

use cutover_host::operation::{Fault, FaultKind, Lock};

use super::Misplaced;
use crate::model::{HostName, Trouble, without_hint};
use crate::transport::Failure;

/// Why the state of an application could not be read or changed. The text names the host and the path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// Another deployment holds the lock.
    #[error("{}", at_work(lock, directory, host))]
    Locked {
        /// The home.
        host: HostName,
        /// Its state directory.
        directory: String,
        /// The lock as it was read.
        lock: Box<Lock>,
    },
    /// The lock that was to be freed is not held under that epoch.
    #[error("the lock in `{directory}` on `{host}` is not held under epoch {epoch}: {}", held(lock))]
    NotHeld {
        /// The home.
        host: HostName,
        /// Its state directory.
        directory: String,
        /// The epoch that was given.
        epoch: u64,
        /// The lock as it was read.
        lock: Box<Lock>,
    },
    /// Someone took the lock over: nothing more may be changed.
    #[error("another deployment took over on `{host}`: {message}")]
    Fenced {
        /// The host that refused.
        host: HostName,
        /// Its words.
        message: String,
    },
    /// A host was fenced by a holder of the lock that the home, of which we hold it, has never had.
    #[error("`{host}` was fenced under an epoch that its home `{home}` never gave out: {message}")]
    Behind {
        /// The host.
        host: HostName,
        /// The home.
        home: HostName,
        /// The host's words.
        message: String,
    },
    /// A host belongs to another line of deployments than the home.
    #[error("`{host}` belongs to lineage `{found}` ({path}), but the home `{home}` to `{expected}`")]
    Lineage {
        /// The host.
        host: HostName,
        /// What its file says.
        found: String,
        /// That file.
        path: String,
        /// The home.
        home: HostName,
        /// What the home's file says.
        expected: String,
    },
    /// The state is not where the configuration looks for it.
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    /// Both possible state directories are in use.
    #[error("`{host}` has two states of this application: `{first}` and `{second}`")]
    TwoStates {
        /// The host.
        host: HostName,
        /// The system's directory.
        first: String,
        /// The deploy user's.
        second: String,
    },
    /// Another deployment began and has not ended.
    #[error("deployment `{deployment}` has not ended, says `{directory}/open.json` on `{host}`")]
    Unfinished {
        /// The home.
        host: HostName,
        /// Its state directory.
        directory: String,
        /// The deployment.
        deployment: String,
    },
    /// A line before the last one of a journal or of the history is damaged, missing or foreign.
    #[error("line {line} of `{path}` on `{host}` {reason}")]
    JournalBroken {
        /// The home.
        host: HostName,
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of a journal or of the history is as it was written, and says what no build of this program writes.
    #[error("line {line} of `{path}` on `{host}` {reason}")]
    JournalForged {
        /// The home.
        host: HostName,
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A file was written by a later version of this program.
    #[error("`{path}` on `{host}` was written by a newer cutover: format {version}, this one knows {known}")]
    NewerVersion {
        /// The host.
        host: HostName,
        /// The file.
        path: String,
        /// Version of its format.
        version: u32,
        /// The newest one that we know.
        known: u32,
    },
    /// A file does not hold what it should.
    #[error("`{path}` on `{host}` makes no sense: {reason}")]
    Malformed {
        /// The host.
        host: HostName,
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The live record is not the one that the change started from.
    #[error("the live record on `{host}` has generation {found}, not {expected}")]
    Generation {
        /// The home.
        host: HostName,
        /// What was seen before.
        expected: u64,
        /// What is there now.
        found: u64,
    },
    /// A record or file is larger than it may be.
    #[error("`{path}` on `{host}` would be larger than {limit} bytes")]
    TooLarge {
        /// The host.
        host: HostName,
        /// The file.
        path: String,
        /// Bytes.
        limit: u64,
    },
    /// The journal can't be written since an earlier record's fate is not known; it has to be read again.
    #[error("`{path}` on `{host}` can't be continued after a failed write")]
    Uncertain {
        /// The home.
        host: HostName,
        /// The file.
        path: String,
    },
    /// The host did not do it, for a reason of its own: rights, room.
    #[error("`{host}`: {message}")]
    Refused {
        /// The host.
        host: HostName,
        /// Kind of its fault.
        kind: FaultKind,
        /// Its words.
        message: String,
    },
    /// The host could not be reached; nothing was done.
    #[error("{}", without_hint(message).0)]
    Unreachable {
        /// The host.
        host: HostName,
        /// Why.
        message: String,
    },
    /// The host's key is unknown or has changed.
    #[error("{}", without_hint(message).0)]
    Untrusted {
        /// The host.
        host: HostName,
        /// Why.
        message: String,
    },
    /// The connection broke again and again, or the host talks nonsense: it is not known what it did.
    #[error("it is not known what `{host}` did: {message}")]
    Unknown {
        /// The host.
        host: HostName,
        /// Why.
        message: String,
    },
}

impl StoreFault {
    /// What a host's failure means for the store.
    pub fn new(host: &HostName, failure: Failure) -> Self {
        let host = host.clone();
        match failure {
            Failure::Fault(Fault { kind: FaultKind::Fenced, message }) => Self::Fenced { host, message },
            Failure::Fault(Fault { kind: FaultKind::Moved, message }) => {
                Misplaced::Gone { host, message }.into()
            }
            Failure::Fault(Fault { kind, message }) => Self::Refused { host, kind, message },
            Failure::Unreachable(message) => Self::Unreachable { host, message },
            Failure::Untrusted(message) => Self::Untrusted { host, message },
            Failure::Broken(message) | Failure::Nonsense(message) => Self::Unknown { host, message },
        }
    }

    /// Stable name of the fault: class and case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "state/locked",
            Self::NotHeld { .. } => "state/not-held",
            Self::Fenced { .. } => "state/fenced",
            Self::Behind { .. } => Trouble::BEHIND,
            Self::Lineage { .. } => "state/lineage",
            Self::Misplaced(misplaced) => misplaced.code(),
            Self::TwoStates { .. } => "state/two-states",
            Self::Unfinished { .. } => "state/unfinished",
            Self::JournalBroken { .. } => "state/journal-broken",
            Self::JournalForged { .. } => Trouble::FORGED,
            Self::NewerVersion { .. } => "state/newer-version",
            Self::Malformed { .. } => "state/malformed",
            Self::Generation { .. } => "state/generation",
            Self::TooLarge { .. } => "state/too-large",
            Self::Uncertain { .. } => "state/uncertain",
            Self::Refused { .. } => "state/refused",
            Self::Unreachable { .. } => "state/unreachable",
            Self::Untrusted { .. } => "state/untrusted",
            Self::Unknown { .. } => "state/unknown",
        }
    }

    /// The host that it is about, when it is one.
    #[must_use]
    pub const fn host(&self) -> Option<&HostName> {
        match self {
            Self::Misplaced(_) => None,
            Self::Locked { host, .. }
            | Self::NotHeld { host, .. }
            | Self::Fenced { host, .. }
            | Self::Behind { host, .. }
            | Self::Lineage { host, .. }
            | Self::TwoStates { host, .. }
            | Self::Unfinished { host, .. }
            | Self::JournalBroken { host, .. }
            | Self::JournalForged { host, .. }
            | Self::NewerVersion { host, .. }
            | Self::Malformed { host, .. }
            | Self::Generation { host, .. }
            | Self::TooLarge { host, .. }
            | Self::Uncertain { host, .. }
            | Self::Refused { host, .. }
            | Self::Unreachable { host, .. }
            | Self::Untrusted { host, .. }
            | Self::Unknown { host, .. } => Some(host),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Locked { lock, .. } => format!(
                "wait for it, as `cutover deploy --lock-wait 15m` does; if its process is gone: `cutover resume` takes over a minute \
                 after its last sign of life; where that is certain, `cutover unlock --epoch {}` frees the lock at once",
                lock.epoch
            ),
            Self::NotHeld { .. } => "look again: `cutover status`".to_owned(),
            Self::Fenced { .. } => "see who took over and how far it is: `cutover status`".to_owned(),
            Self::Behind { .. } => {
                "the home was put back to an older state, or somebody has changed the host's fence: `cutover doctor` tells more"
                    .to_owned()
            }
            Self::Lineage { path, .. } => format!(
                "two setups share this host; give one of them another `name`, or remove `{path}` on the host if the other is gone for good"
            ),
            Self::Misplaced(misplaced) => misplaced.hint(),
            Self::TwoStates { first, second, .. } => {
                format!(
                    "keep the one whose `live.json` is right and move the other away (`{first}`, `{second}`)"
                )
            }
            Self::Unfinished { .. } => {
                "go on with it: `cutover resume --forward`; or put back: `cutover abort`".to_owned()
            }
            Self::JournalForged { .. } => {
                "it was forged, or written by another version of cutover; where no such version is at hand, `cutover state recover` sets the \
                 file aside and goes by what hosts and routers show"
                    .to_owned()
            }
            Self::JournalBroken { .. } => {
                "`cutover state recover` sets the file aside and goes by what hosts and routers show; until then only \
                 `cutover status` and `cutover doctor` work"
                    .to_owned()
            }
            Self::NewerVersion { .. } => "use the cutover that deployed last, or a later one".to_owned(),
            Self::Malformed { .. } => {
                "where it is at the home, `cutover state recover` sets the file aside and goes by what hosts and routers show".to_owned()
            }
            Self::Generation { .. } => "someone changed it by hand; see `cutover status`".to_owned(),
            Self::Uncertain { .. } | Self::Unknown { .. } => {
                "see what is so: `cutover status`; then `cutover resume`".to_owned()
            }
            Self::Refused { kind: FaultKind::Permission, .. } => {
                "what the host needs once is printed by: `cutover setup`".to_owned()
            }
            Self::Refused { kind: FaultKind::NoSpace | FaultKind::NoInodes, .. } => {
                "make room on the host, then run the command again".to_owned()
            }
            Self::Refused { .. } | Self::TooLarge { .. } => return None,
            Self::Unreachable { message, .. } | Self::Untrusted { message, .. } => {
                without_hint(message).1.unwrap_or("try: `cutover check --hosts`").to_owned()
            }
        })
    }
}

/// Who is at work, in words: what is told to those who would be, too.
fn at_work(lock: &Lock, directory: &str, host: &HostName) -> String {
    let Some(holder) = &lock.holder else {
        return format!("the lock in `{directory}` on `{host}` can't be taken: {}", held(lock));
    };
    format!(
        "`{}` by {} is under way since {}{}: deployment {} holds the lock in `{directory}` on `{host}`, epoch {}",
        plain(&holder.command),
        plain(&holder.who),
        since(lock),
        step(lock),
        plain(&holder.deployment),
        lock.epoch
    )
}

/// Who holds a lock, in words.
fn held(lock: &Lock) -> String {
    let Some(holder) = &lock.holder else {
        return format!("it is free, epoch {}", lock.epoch);
    };
    format!(
        "`{}` by {}, deployment {}, since {}{}, epoch {}",
        plain(&holder.command),
        plain(&holder.who),
        plain(&holder.deployment),
        since(lock),
        step(lock),
        lock.epoch
    )
}

/// Who has the turn at a router: `blog/production, deployment 01J…, since 2026-05-04 10:11:12 UTC (ann@laptop pid 12)`.
#[must_use]
pub fn turn_words(lock: &Lock) -> String {
    let Some(holder) = &lock.holder else { return "nobody".to_owned() };
    format!("{}, since {} ({})", plain(&holder.deployment), since(lock), plain(&holder.who))
}

fn since(lock: &Lock) -> String {
    let at = i64::try_from(lock.acquired_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn step(lock: &Lock) -> String {
    if lock.step.is_empty() { String::new() } else { format!(", at step `{}`", plain(&lock.step)) }
}

/// What a host says that others wrote there: in one line, and not for ever.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use cutover_host::operation::LockHolder;

    use super::*;

    #[test]
    fn a_host_that_is_not_reached_is_named_once() {
        let host = HostName::new("web1").expect("a name");
        let told = |failure| {
            let fault = StoreFault::new(&host, failure);
            (fault.to_string(), fault.hint().unwrap_or_default())
        };
        let silent = Failure::Unreachable("host `web1` (`ann@web1`) can't be reached: refused".to_owned());
        let (text, hint) = told(silent);
        assert_eq!(text, "host `web1` (`ann@web1`) can't be reached: refused");
        assert_eq!(hint, "try: `cutover check --hosts`");
        let stranger =
            Failure::Untrusted("the key of host `web1` has changed\n  hint: find out why".to_owned());
        let (text, hint) = told(stranger);
        assert_eq!((text.as_str(), hint.as_str()), ("the key of host `web1` has changed", "find out why"));
    }

    #[test]
    fn a_held_lock_says_who_since_when_and_where() {
        let holder = LockHolder {
            who: "ann@laptop pid 7\u{1b}[2J".to_owned(),
            deployment: "01J".to_owned(),
            command: "deploy".to_owned(),
            process: None,
        };
        let lock = Lock {
            version: 1,
            epoch: 7,
            holder: Some(holder),
            acquired_ms: 1_700_000_000_000,
            renewed_ms: 0,
            step: "health".to_owned(),
        };
        let fault = StoreFault::Locked {
            host: HostName::new("lb1").expect("a name"),
            directory: "/var/lib/cutover/shop/default".to_owned(),
            lock: Box::new(lock),
        };
        assert_eq!(
            fault.to_string(),
            "`deploy` by ann@laptop pid 7[2J is under way since 2023-11-14 22:13:20 UTC, at step `health`: \
             deployment 01J holds the lock in `/var/lib/cutover/shop/default` on `lb1`, epoch 7"
        );
        assert_eq!(fault.code(), "state/locked");
        assert_eq!(
            fault.hint().as_deref(),
            Some(
                "wait for it, as `cutover deploy --lock-wait 15m` does; if its process is gone: `cutover resume` takes over a minute \
                 after its last sign of life; where that is certain, `cutover unlock --epoch 7` frees the lock at once"
            )
        );
    }
}
