//! What a host answers.

use serde::{Deserialize, Serialize};

use super::LockHolder;
use crate::bytes::Bytes;

/// What a host answers when it did what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is so now.
    Done,
    /// See [`Operation::Facts`](super::Operation::Facts).
    Facts(Facts),
    /// A file's or a socket's bytes.
    Content(Bytes),
    /// One text.
    Text(String),
    /// A sorted list.
    Names(Vec<String>),
    /// A program ended.
    Exited(Exit),
    /// State of a detached operation.
    Operation(Detached),
    /// An application directory.
    Application(Application),
    /// A step of staging is done.
    Staging(Staging),
    /// A supervised process.
    Process(ProcessState),
    /// A TCP port.
    Port(PortState),
    /// The lock as it is now.
    Lock(Lock),
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exit {
    /// Exit status; 128 plus the signal's number when a signal ended it.
    pub status: i32,
    /// Standard output.
    pub out: Bytes,
    /// Standard error.
    pub errors: Bytes,
    /// Whether either lost its middle.
    pub truncated: bool,
}

/// A detached operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detached {
    /// No such operation was ever begun here: asking proves that it did not run.
    NeverBegan,
    /// Runs.
    Running,
    /// Ended, with result on disk.
    Ended(Exit),
    /// Was begun, is gone, and left no result: the host went down in the middle.
    Lost,
}

/// What a host says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// `x86_64`, `aarch64`, …
    pub architecture: String,
    /// Of this boot of the kernel: the same for whoever asks. Containers on one machine have the same.
    pub boot_id: String,
    /// Name of the user that we are there.
    pub user: String,
    /// Its number.
    pub uid: u32,
    /// Its home directory.
    pub home: String,
    /// Milliseconds since 1970 by the host's clock.
    pub now_ms: u64,
    /// Room for each path asked about, in the order asked.
    pub room: Vec<Room>,
    /// Whether systemd is this host's init.
    pub systemd: bool,
    /// Whether logind ends what we start when our session ends (`KillUserProcesses=yes`), unless the user lingers.
    pub ends_at_logout: bool,
}

/// Room on a file system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Room {
    /// The path asked about.
    pub path: String,
    /// Whether it is there.
    pub exists: bool,
    /// Whether we can write there (into the nearest existing parent when it is absent).
    pub writable: bool,
    /// The nearest existing parent, where it is no directory: then the path can't be made.
    pub obstacle: Option<String>,
    /// Bytes free for us.
    pub bytes: u64,
    /// Inodes free for us; none where the file system has no such limit.
    pub inodes: Option<u64>,
}

/// An application directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Application {
    /// Whether the directory is there.
    pub exists: bool,
    /// Whole releases, oldest first by identifier.
    pub releases: Vec<StagedRelease>,
    /// Tokens of leftovers of staging.
    pub partials: Vec<String>,
    /// Release that `current` points to.
    pub current: Option<String>,
    /// Release that `blue` points to.
    pub blue: Option<String>,
    /// Release that `green` points to.
    pub green: Option<String>,
}

/// A whole release on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedRelease {
    /// Its identifier.
    pub id: String,
    /// Digest of its manifest, as computed when it was staged.
    pub digest: String,
    /// The record given at [`Operation::StageFinish`].
    pub record: String,
}

/// Progress of staging.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Staging {
    /// The release is there already, whole and the same: neither fill nor finish is needed (finish does no harm).
    pub complete: bool,
    /// Bytes of files in the manifest.
    pub total_bytes: u64,
    /// Bytes taken from releases on the host.
    pub reused_bytes: u64,
    /// Bytes that had to come over the wire (before compression).
    pub received_bytes: u64,
}

/// A supervised process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessState {
    /// Nothing was started there, or it was stopped by us.
    Absent,
    /// Runs.
    Running {
        /// Process identifier.
        pid: u32,
        /// Release it was started from.
        release: String,
        /// Milliseconds since 1970.
        started_ms: u64,
    },
    /// Ended by itself.
    Exited {
        /// As in [`Exit::status`]; none when it is not known (host went down).
        status: Option<i32>,
        /// Release it was started from.
        release: String,
    },
}

/// A TCP port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortState {
    /// Nothing listens.
    Free,
    /// Something does.
    Taken {
        /// Program and pid, as far as this user may see it.
        by: Option<String>,
    },
}

/// The lock file's content (`lock.json`), never deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Lock {
    /// Version of the file's format: 1.
    pub version: u32,
    /// The epoch: only grows.
    pub epoch: u64,
    /// Who holds it; none when it is free.
    pub holder: Option<LockHolder>,
    /// Milliseconds since 1970 by the host's clock, when it was taken.
    pub acquired_ms: u64,
    /// When it was last renewed.
    pub renewed_ms: u64,
    /// Step the holder was last at.
    pub step: String,
}

/// Why a host did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// For decisions.
    pub kind: FaultKind,
    /// For people: what was tried on which path, and the system's own words.
    pub message: String,
}

/// Kinds of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// No such file, program or socket.
    NotFound,
    /// The host's user may not.
    Permission,
    /// File system full.
    NoSpace,
    /// No inodes left.
    NoInodes,
    /// Larger than the limit given.
    TooLarge,
    /// Something else is there: not a link, another length, another release.
    Conflict,
    /// Another epoch holds the fence. The message names both.
    Fenced,
    /// The lock is held; the message says by whom.
    Held,
    /// The state was moved to another host, so nobody can take the lock here; the message says where.
    Moved,
    /// Content did not have the promised digest.
    Digest,
    /// Connection refused by what should listen.
    Refused,
    /// There is no route to what was to be connected to.
    NoRoute,
    /// The deadline passed.
    TimedOut,
    /// A path or name that is not allowed: relative, `..`, out of `beneath`, not a regular file.
    NotAllowed,
    /// `sudo -n` asked for a password.
    NoSudo,
    /// Everything else.
    Failed,
}

impl Fault {
    /// A fault of `kind` with a message for people.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
