//! What the engine asks of a host, and what a host answers: the whole vocabulary between the two.
//!
//! The same types are used in process (`local = true`) and over SSH. The engine always brings the helper of its own
//! build, so nothing here needs a version; what stays on a host's disk does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bytes::Bytes;

mod answer;
mod beneath;
mod guard;

pub use answer::{
    Answer, Application, Detached, Exit, Facts, Fault, FaultKind, Lock, PortState, ProcessState, Room,
    StagedRelease, Staging,
};
pub use beneath::Beneath;
pub use guard::{Guard, Turn};

/// One operation with everything that rules it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Unique on its connection; answers and stream frames carry it. The link gives it.
    pub id: u64,
    /// Present for every change: the host performs it under its mutex, and only while the fence holds this epoch.
    pub guard: Option<Guard>,
    /// Milliseconds after which the host gives up and answers [`FaultKind::TimedOut`]; none for no limit.
    pub deadline_ms: Option<u64>,
    /// What to do.
    pub operation: Operation,
}

impl Call {
    /// Within this time the host is to be done; none said is no limit.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { deadline_ms: Some(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX)), ..self }
    }

    /// As a change under a lock's epoch; without a guard it stays a question.
    #[must_use]
    pub fn under(self, guard: Option<Guard>) -> Self {
        Self { guard, ..self }
    }
}

/// All that can be done on a host. Paths are absolute unless said otherwise; `~/` at the start is the home directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Who and where the host is; disk room of each path (of its nearest existing parent). Answers [`Answer::Facts`].
    Facts {
        /// Paths whose file systems matter.
        paths: Vec<String>,
    },

    /// Reads a regular file, at most `limit` bytes, else [`FaultKind::TooLarge`]. Answers [`Answer::Content`].
    Read {
        /// The file.
        path: String,
        /// Directory that the file must lie beneath; opened without a race.
        beneath: Option<Beneath>,
        /// Bytes.
        limit: u64,
    },
    /// Replaces a file as a whole (temporary, fsync, rename, fsync of the directory). Answers [`Answer::Done`].
    Write {
        /// The file. Its directory must exist.
        path: String,
        /// As for [`Operation::Read`].
        beneath: Option<Beneath>,
        /// The whole new content.
        content: Bytes,
        /// Permission bits; an existing file's mode and owner are kept when absent (0o644 for a new one).
        mode: Option<u32>,
    },
    /// Appends to a file that must be exactly `at` bytes long, then fdatasync. Another length is [`FaultKind::Conflict`].
    Append {
        /// The file; created 0600 when `at` is 0 and it is absent.
        path: String,
        /// Its length before.
        at: u64,
        /// What to append.
        content: Bytes,
    },
    /// Points a symbolic link to `target` by temporary link and rename. Replaces nothing but a link. [`Answer::Done`].
    WriteLink {
        /// The link.
        path: String,
        /// As for [`Operation::Read`].
        beneath: Option<Beneath>,
        /// Text of the link, written as it is.
        target: String,
    },
    /// Target of a symbolic link. Answers [`Answer::Text`].
    ReadLink {
        /// The link.
        path: String,
        /// As for [`Operation::Read`].
        beneath: Option<Beneath>,
    },
    /// Names in a directory, sorted, at most 100,000. Answers [`Answer::Names`].
    ListNames {
        /// The directory.
        path: String,
        /// As for [`Operation::Read`].
        beneath: Option<Beneath>,
    },
    /// Removes a file or link; there being none is success. Answers [`Answer::Done`].
    Remove {
        /// The file or link.
        path: String,
        /// As for [`Operation::Read`].
        beneath: Option<Beneath>,
    },
    /// Renames a file within its directory, to a name that is not there yet ([`FaultKind::Conflict`] when it is). There being no
    /// such file is success. Answers [`Answer::Done`].
    SetAside {
        /// The file.
        path: String,
        /// Its new name, without a directory.
        name: String,
    },
    /// Creates a directory and its parents; being there already is success (mode left alone). Answers [`Answer::Done`].
    MakeDirectory {
        /// The directory.
        path: String,
        /// Permission bits of what is created.
        mode: u32,
    },

    /// Runs a program to its end; it is killed, with its process group, at the deadline. Answers [`Answer::Exited`]. With a guard, other
    /// changes are made meanwhile: whoever raises the fence waits for its end, which then comes within 3 s.
    Run {
        /// What to run.
        program: Program,
    },
    /// Runs a program with its output (and the caller's input) as a stream. Answers [`Answer::Exited`] with empty texts.
    Stream {
        /// What to run; its `input` is ignored, the stream's upload is the standard input.
        program: Program,
    },
    /// Starts a program under an operation id, detached: it goes on when the connection breaks, and its result is kept
    /// in `ops/ID` of the state directory. Beginning the same id again begins nothing. Answers [`Answer::Operation`].
    Begin {
        /// State directory of the application and environment.
        state: String,
        /// Identifier, unique for ever: letters, digits, `-`.
        operation: String,
        /// What to run. Never `as_root` with an input.
        program: Program,
    },
    /// Waits at most `wait_ms` for the end of a detached operation. Answers [`Answer::Operation`].
    Outcome {
        /// As for `Begin`.
        state: String,
        /// As for `Begin`.
        operation: String,
        /// Milliseconds; 0 asks only.
        wait_ms: u64,
    },
    /// Ends one detached operation as [`Operation::Reap`] does, and waits for that. There being none is success. Answers
    /// [`Answer::Operation`].
    End {
        /// As for `Begin`.
        state: String,
        /// As for `Begin`.
        operation: String,
    },
    /// Ends (SIGTERM, 2 s, SIGKILL) detached operations that were begun under an epoch below `epoch`. Answers [`Answer::Names`].
    Reap {
        /// State directory.
        state: String,
        /// The new epoch.
        epoch: u64,
    },

    /// Forgets detached operations that have ended, but for the `newest` that were begun last. Guarded.
    /// Answers [`Answer::Done`].
    ForgetOperations {
        /// State directory.
        state: String,
        /// Operations whose names begin so are kept, however many there are: somebody may still ask for them.
        spare: String,
        /// How many others are kept.
        newest: usize,
    },

    /// State of one application directory: releases, links, leftovers. Answers [`Answer::Application`].
    InspectApplication {
        /// The application's directory; its absence is an empty answer, no fault.
        directory: String,
    },
    /// Starts staging: receives the manifest as a stream (see [`crate::manifest`]), makes `releases/.partial-TOKEN`, takes files that
    /// the host has from its newest releases or in `twin` (re-hashed while copied), and sends back as a stream the indices of the entries
    /// whose content it lacks. A whole release of that id with the same digest answers with nothing needed. [`Answer::Staging`].
    StageBegin {
        /// The application's directory.
        directory: String,
        /// Release identifier.
        release: String,
        /// Names the partial directory; unique for the deployment.
        token: String,
        /// Directory on this host that may hold the same tree: where it was built.
        twin: Option<String>,
    },
    /// Receives the contents of the needed entries, in the order asked, as a stream of LZ4 frames. [`Answer::Staging`].
    StageFill {
        /// As for `StageBegin`.
        directory: String,
        /// As for `StageBegin`.
        token: String,
    },
    /// Verifies every digest, makes links last, fsyncs, writes the release record, renames to `releases/ID`. A release that
    /// is there already with the same digest is success. Guarded. [`Answer::Done`].
    StageFinish {
        /// As for `StageBegin`.
        directory: String,
        /// As for `StageBegin`.
        release: String,
        /// As for `StageBegin`.
        token: String,
        /// JSON text kept in `releases/ID.json`, given back by `InspectApplication`.
        record: String,
        /// Directories of `shared/` linked into the release (made when absent).
        linked_dirs: Vec<String>,
        /// Files of `shared/` linked into the release; a missing one is a fault.
        linked_files: Vec<String>,
    },
    /// Describes a tree (or a file alone) and sends of it what the engine lacks. The stream to the engine has the length of the
    /// manifest (four bytes, the highest first), the manifest (see [`crate::manifest`]), and, once the engine has sent the indices of the
    /// entries that it wants and closed its side, their contents as LZ4 frames: what `StageBegin` asks for and `StageFill` takes.
    /// Answers [`Answer::Staging`].
    SendTree {
        /// The tree.
        path: String,
        /// Directory that it must lie beneath: [`Beneath::Directory`].
        beneath: String,
    },
    /// Makes a private directory, sends its absolute path as a stream, and removes it with all that is in it when the engine closes its
    /// side, gives up, or is gone. Removes first what earlier holders left that were killed. Answers [`Answer::Done`] once it is gone.
    HoldDirectory {
        /// The directory that it is made in; made 0700 when absent.
        directory: String,
        /// Its name: letters, digits, `-`. It being there is [`FaultKind::Conflict`].
        token: String,
    },
    /// Removes `releases/.partial-*`. Answers [`Answer::Done`].
    RemovePartials {
        /// The application's directory.
        directory: String,
    },
    /// Removes a whole release: renamed to a partial first, so that it never looks whole while it goes. [`Answer::Done`].
    RemoveRelease {
        /// The application's directory.
        directory: String,
        /// Release identifier; its absence is success.
        release: String,
    },

    /// Starts a supervised process in a session of its own (driver `detached`). Running already with the same
    /// `release` is success; with another it is [`FaultKind::Conflict`]. Answers [`Answer::Process`].
    StartProcess {
        /// The process.
        process: Process,
    },
    /// Writes a script that `/bin/sh` runs to become `program`, with the environment that [`Operation::Run`] would give it now
    /// (all but PATH, HOME, LANG and USER, which are those of whoever runs it). Written like [`Operation::Write`]; `as_root`,
    /// `input` and `output_limit` are not used. Answers [`Answer::Done`].
    WriteLaunch {
        /// The script. Its directory must exist.
        path: String,
        /// What it becomes.
        program: Program,
        /// A line that the script prints first, so that a log tells which start its lines belong to.
        announce: String,
        /// Permission bits.
        mode: u32,
    },
    /// Looks at a supervised process. Answers [`Answer::Process`].
    ProcessStatus {
        /// Directory given at the start.
        directory: String,
    },
    /// SIGTERM to the process group, `grace_ms`, SIGKILL; never to a process that is not the one started. [`Answer::Process`].
    StopProcess {
        /// Directory given at the start.
        directory: String,
        /// Milliseconds.
        grace_ms: u64,
    },
    /// Whether something listens on a TCP port, and who as far as can be told. Answers [`Answer::Port`].
    Port {
        /// IP address that would be listened on.
        address: String,
        /// The port.
        port: u16,
    },
    /// The last `lines` of a log file, then what is appended while `follow`, as a stream. Answers [`Answer::Done`].
    Tail {
        /// The file; absent is an empty stream.
        path: String,
        /// How many lines to begin with.
        lines: u32,
        /// Goes on until the engine closes its side.
        follow: bool,
    },

    /// Sends `content` to a socket, closes the sending side, returns what comes back. No link may be on the way to a socket with a path.
    /// Answers [`Answer::Content`].
    Exchange {
        /// `unix:/path` or `tcp:ADDRESS:PORT` (a literal address).
        socket: String,
        /// What to send.
        content: Bytes,
        /// Bytes of the answer at most, else [`FaultKind::TooLarge`].
        limit: u64,
    },
    /// Resolves a name as this host does. Answers [`Answer::Names`] with addresses.
    Resolve {
        /// DNS name.
        name: String,
    },
    /// A TCP connection from this host as a two-way stream. Answers [`Answer::Done`] when the other end has closed its side. With a guard,
    /// it is cut soon after a later holder of the lock came.
    Relay {
        /// Literal IP address.
        address: String,
        /// Port.
        port: u16,
        /// Milliseconds for connecting, else [`FaultKind::TimedOut`].
        connect_ms: u64,
    },

    /// Takes the lock: under the mutex of `state`, checks that it is free (or that its epoch is `steal`, or below the fence, which
    /// leaves its holder nothing), raises the epoch and writes lock and fence. Where the file `lineage` says that the state was moved away: [`FaultKind::Moved`]. Answers
    /// [`Answer::Lock`].
    TakeLock {
        /// State directory at the home; made 0700 when absent.
        state: String,
        /// Who takes it.
        holder: LockHolder,
        /// Take it although it is held, when the holder's epoch is exactly this.
        steal: Option<u64>,
    },
    /// Frees the lock when it is held under `epoch` (raising the epoch, deleting nothing); else [`FaultKind::Fenced`]. Answers
    /// [`Answer::Lock`].
    FreeLock {
        /// As for `TakeLock`.
        state: String,
        /// The epoch that is held, by us or by whom we unlock.
        epoch: u64,
    },
    /// Notes in the lock at which step its holder is. [`FaultKind::Fenced`] when it is no longer ours. [`Answer::Lock`].
    RenewLock {
        /// As for `TakeLock`.
        state: String,
        /// Our epoch.
        epoch: u64,
        /// Step, for people.
        step: String,
    },
    /// Reads the lock. Answers [`Answer::Lock`].
    ReadLock {
        /// As for `TakeLock`.
        state: String,
    },
    /// Raises this host's fence to `epoch`; a higher one there is [`FaultKind::Fenced`]. Makes `state` when absent. [`Answer::Done`].
    Fence {
        /// State directory on this host.
        state: String,
        /// The epoch.
        epoch: u64,
    },
}

impl Operation {
    /// As a question that takes as long as it takes; [`Call::within`] and [`Call::under`] make it more.
    #[must_use]
    pub const fn call(self) -> Call {
        Call { id: 0, guard: None, deadline_ms: None, operation: self }
    }
}

/// A program to run. There is no shell anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Program {
    /// Absolute path, or a bare name to be found on the PATH of the environment below.
    pub program: String,
    /// Arguments.
    pub args: Vec<String>,
    /// Variables beside PATH, HOME, LANG and USER; none of the helper's own reach the program.
    pub env: Vec<(String, String)>,
    /// Files of `NAME=value` lines (quotes and `#` comments as systemd's EnvironmentFile), read on the host, before `env`.
    pub env_files: Vec<String>,
    /// Where to start; the home directory when absent.
    pub directory: Option<String>,
    /// No link may be on the way to `directory`: it was granted. Kept by [`Operation::Run`] alone.
    pub directory_granted: bool,
    /// Standard input; empty when absent.
    pub input: Option<Bytes>,
    /// Runs `sudo -n PROGRAM ARGS` (plain when already root). No variable is passed on.
    pub as_root: bool,
    /// Bytes kept of each output stream: the first and the last half, the middle is dropped.
    pub output_limit: u64,
}

/// A long-running process of the `detached` driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Directory for pid, start time, boot id and record, 0700; one process a directory.
    pub directory: String,
    /// What it is, for people and for "is it the same": the release.
    pub release: String,
    /// What to run. `as_root`, `input` and `output_limit` are not used.
    pub program: Program,
    /// Log file of both outputs; at the limit it is moved to `LOG.1` and begun anew.
    pub log: String,
    /// Bytes.
    pub log_limit: u64,
}

/// Who holds a lock. Shown to whoever finds it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockHolder {
    /// `user@machine`, of the engine.
    pub who: String,
    /// Deployment identifier.
    pub deployment: String,
    /// Command: `deploy`, `rollback`, `resume`, `abort`.
    pub command: String,
    /// Boot, PID namespace and number of the engine's process: who shares the first two can tell whether it is alive. None where it could
    /// not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
}
