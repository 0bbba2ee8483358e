//! The engine's end of a sandbox: starts the child, speaks to it, ends it.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::memory::SealedMemory;
use super::wire::{self, Order, Report, Room};
use super::{SANDBOX_WORD, limits};

/// The program that becomes a sandbox when it is started with [`SANDBOX_WORD`]: this one.
#[derive(Debug, Clone)]
pub struct SandboxProgram(PathBuf);

impl SandboxProgram {
    /// `path` is absolute: the program whose `main` calls [`super::sandbox_main`].
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

/// A running sandbox. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Sandbox {
    child: Child,
    stream: UnixStream,
}

impl Sandbox {
    /// Starts a sandbox with its socket as standard input and the code as standard output: no other handle is ever open in it.
    ///
    /// # Errors
    /// When the system can't start it.
    pub(super) fn start(program: &SandboxProgram, code: &SealedMemory) -> io::Result<Self> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let ours = std::os::unix::net::UnixStream::from(ours);
        ours.set_nonblocking(true)?;
        let stream = UnixStream::from_std(ours)?;
        let child = Command::new(&program.0)
            .arg(SANDBOX_WORD)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::from(code.handle()?))
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { child, stream })
    }

    /// # Errors
    /// When the sandbox is gone.
    pub(super) async fn send(&mut self, order: &Order, payload: &[u8]) -> io::Result<()> {
        self.stream.write_all(&wire::encode(order, payload)?).await
    }

    /// # Errors
    /// When the sandbox is gone, or says what makes no sense.
    pub(super) async fn receive(&mut self, room: Room) -> io::Result<(Report, Vec<u8>)> {
        let mut head = [0; 8];
        self.stream.read_exact(&mut head).await?;
        let (message, payload) = wire::lengths(head, room)?;
        let message = wire::decode(&self.bytes(message).await?)?;
        Ok((message, self.bytes(payload).await?))
    }

    async fn bytes(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // Grows with what really comes, so that a lying length costs nothing.
        (&mut self.stream).take(length as u64).read_to_end(&mut bytes).await?;
        if bytes.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
    }

    /// Whether it still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How a sandbox ended that broke off, in words for people.
    pub(super) async fn epitaph(mut self) -> String {
        let status = tokio::time::timeout(limits::LAST_BREATH, self.child.wait()).await;
        let mut printed = Vec::new();
        if let Some(pipe) = self.child.stderr.take() {
            // What a panic or abort of the runtime left in the pipe.
            let _ =
                tokio::time::timeout(limits::LAST_BREATH, pipe.take(4096).read_to_end(&mut printed)).await;
        }
        let how = match status {
            Ok(Ok(status)) => status_text(status),
            Ok(Err(_)) | Err(_) => "the sandbox stopped answering".to_owned(),
        };
        let tells = |line: &&str| !line.is_empty() && !line.starts_with("note: ");
        match String::from_utf8_lossy(&printed).lines().map(str::trim).rfind(tells) {
            Some(last) => format!("{how}: {last}"),
            None => how,
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Without an id it has ended and was waited for: the number may be another's by now.
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // Can only fail because it has just ended.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

fn status_text(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            let name = Signal::from_named_raw(signal).map(|name| format!("{name:?}")).unwrap_or_default();
            format!("the sandbox was killed by signal {signal} {name}").trim_end().to_owned()
        }
        (None, Some(code)) => format!("the sandbox ended with status {code}"),
        (None, None) => "the sandbox ended".to_owned(),
    }
}
