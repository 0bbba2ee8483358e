//! The process that stands between us and a program that outlives us: it notes who the program is before it runs, keeps its
//! output, ends it when told to, and records how it ended.
//!
//! Two words of the same program: `watch` is the supervisor; `step` becomes the program once the supervisor has written down its
//! number and start time. Orders come on standard input, so that no secret is ever an argument.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::bytes::Bytes;
use crate::document;
use crate::environment::PATH;
use crate::fault::{self, failed};
use crate::host::Host;
use crate::identity::Identity;
use crate::operation::{Exit, Fault, FaultKind, Program};
use crate::program::{cannot_start, command};
use crate::scope::wait_for;
use crate::session;

mod watch;

use watch::Watch;

/// What each start of a process is announced with in its log, before the name of its release: what comes before the last one is of an
/// earlier life.
pub const STARTING: &str = "cutover: starting release ";

/// How long a supervisor may take until its program runs.
const START: Duration = Duration::from_secs(15);

/// What a supervisor is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The supervisor's own directory, absolute.
    pub(crate) directory: String,
    /// What to run.
    pub(crate) program: Program,
    /// What to do with it.
    pub(crate) duty: Duty,
}

/// What is done with output and end of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Duty {
    /// Both are kept: it is an operation, begun under this epoch, and never begun again.
    Operation { epoch: u64 },
    /// Output goes to a log file: it is a process, and may be started again.
    Process { release: String, log: String, log_limit: u64 },
}

/// Who runs, written before it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    pub(crate) identity: Identity,
    pub(crate) started_ms: u64,
    pub(crate) duty: Duty,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ending {
    version: u32,
    exit: Exit,
}

/// What a supervisor's directory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing was started, or it was stopped on command.
    Nothing,
    /// It runs, or is just being started.
    Running(Option<Record>),
    /// It ended by itself.
    Ended(Record, Exit),
    /// It is gone and nobody saw how.
    Gone(Record),
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    account: Account,
    supervisor: Vec<Bytes>,
    order: Order,
}

#[derive(Serialize, Deserialize)]
enum Reply {
    Started,
    /// Another supervisor is there, or the operation was begun before.
    Begun,
    Failed(Fault),
}

/// Starts a supervisor. True when it runs what it was ordered to, false when another was there before. After a fault it does not run, and
/// never will.
pub(crate) fn launch(host: &Host, order: Order) -> Result<bool, Fault> {
    launch_within(START, host, order)
}

fn launch_within(patience: Duration, host: &Host, order: Order) -> Result<bool, Fault> {
    document::make_private(&order.directory)?;
    let envelope = Envelope {
        account: host.account.clone(),
        supervisor: host.supervisor.iter().map(|word| Bytes(word.clone().into_vec())).collect(),
        order,
    };
    let text = serde_json::to_vec(&envelope).map_err(|error| failed(error.to_string()))?;
    let fails =
        |error: io::Error| fault::io("start a supervisor for", &envelope.order.program.program, error);
    let mut command = match session::way_out(&host.account, &host.supervisor) {
        Some((words, (name, value))) => {
            let mut command = supervisor_command(&words, "watch")?;
            command.env(name, value);
            command
        }
        None => supervisor_command(&host.supervisor, "watch")?,
    };
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(fails)?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let told = input.map_or(Ok(()), |mut input| input.write_all(&text)).map_err(fails);
    let reply = told.and_then(|()| output.map(|output| read_reply(output, patience)).transpose());
    if !matches!(reply, Ok(Some(Some(_)))) {
        // It may come to itself at any time.
        let _ = child.kill();
        let _ = child.wait();
    }
    // Reaped whenever it ends, be it now or in a week.
    std::thread::Builder::new().stack_size(64 << 10).spawn(move || child.wait()).map_err(fails)?;
    match reply?.flatten() {
        Some(Reply::Started) => Ok(true),
        Some(Reply::Begun) => Ok(false),
        Some(Reply::Failed(fault)) => Err(fault),
        None => without_reply(&envelope.order),
    }
}

/// What is so when a supervisor was killed before it said anything: its program runs, or never will.
fn without_reply(order: &Order) -> Result<bool, Fault> {
    let silent = || failed(format!("the supervisor of `{}` did not start", order.program.program));
    let ends_at = Instant::now() + START;
    loop {
        match status(&order.directory)? {
            // Its lock goes with it, within moments.
            Status::Running(None) if Instant::now() < ends_at => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Status::Running(_) => return Ok(true),
            Status::Ended(..) | Status::Gone(_) => return Ok(false),
            Status::Nothing => return Err(silent()),
        }
    }
}

fn read_reply(mut output: impl Read + AsFd, patience: Duration) -> Result<Option<Reply>, Fault> {
    let deadline = Instant::now() + patience;
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while !text.ends_with(b"\n") && text.len() < 64 << 10 {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(&output, PollFlags::IN)];
        wait_for(&mut fds, Some(left))?;
        if fds[0].revents().is_empty() {
            return Ok(None);
        }
        match output.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => text.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(serde_json::from_slice(&text).ok())
}

/// What is known of the program of a supervisor's directory.
pub(crate) fn status(directory: &str) -> Result<Status, Fault> {
    let path = format!("{directory}/lock");
    let lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Status::Nothing),
        Err(error) => return Err(fault::io("open", &path, error)),
    };
    // A supervisor holds it for as long as it lives, whatever becomes of it.
    let supervised = match flock(&lock, FlockOperation::NonBlockingLockShared) {
        Ok(()) => false,
        Err(Errno::WOULDBLOCK) => true,
        Err(error) => return Err(fault::io("look at", &path, error)),
    };
    let record: Option<Record> = document::load(&format!("{directory}/record.json"))?;
    if supervised {
        return Ok(Status::Running(record));
    }
    let Some(record) = record else { return Ok(Status::Nothing) };
    match document::load::<Ending>(&format!("{directory}/ending.json"))? {
        Some(ending) => Ok(Status::Ended(record, ending.exit)),
        None if record.identity.is_alive() => Ok(Status::Running(Some(record))),
        None => Ok(Status::Gone(record)),
    }
}

/// Tells the supervisor to end its program: SIGTERM to the group, SIGKILL after the grace. False when there is no supervisor.
pub(crate) fn order_stop(directory: &str, grace: Duration) -> Result<bool, Fault> {
    let path = format!("{directory}/control");
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    match File::options().write(true).custom_flags(flags).open(&path) {
        Ok(mut control) => {
            let order = format!("stop {}\n", grace.as_millis());
            control
                .write_all(order.as_bytes())
                .map(|()| true)
                .map_err(|error| fault::io("write to", &path, error))
        }
        // No reader, or never any.
        Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(fault::io("open", &path, error)),
    }
}

/// Forgets a program that has ended.
pub(crate) fn forget(directory: &str) -> Result<(), Fault> {
    for name in ["record.json", "ending.json"] {
        let path = format!("{directory}/{name}");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(fault::io("remove", &path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where the supervisor's two words lead. Returns the exit status of this process.
///
/// `words` are the arguments after the command given to [`Host::new`].
#[must_use]
pub fn supervise(words: impl IntoIterator<Item = OsString>) -> i32 {
    let words: Vec<OsString> = words.into_iter().collect();
    match words.first().and_then(|word| word.to_str()) {
        Some("watch") => watch(),
        Some("step") => step(),
        _ => 2,
    }
}

fn watch() -> i32 {
    // A leader of a process group can't make a session; then it is one of its own already.
    let _ = rustix::process::setsid();
    let mut text = Vec::new();
    if io::stdin().read_to_end(&mut text).is_err() {
        return 1;
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&text) else { return 1 };
    let reply = |reply: &Reply| {
        let mut line = serde_json::to_vec(reply).unwrap_or_default();
        line.push(b'\n');
        let mut out = io::stdout();
        // Whoever started us may be gone; the program is to run all the same.
        let _ = out.write_all(&line).and_then(|()| out.flush());
    };
    match Watch::begin(&envelope) {
        Ok(Some(watch)) => {
            reply(&Reply::Started);
            watch.attend().map_or(1, |()| 0)
        }
        Ok(None) => {
            reply(&Reply::Begun);
            0
        }
        Err(fault) => {
            reply(&Reply::Failed(fault));
            1
        }
    }
}

/// Becomes the program when the supervisor says so.
fn step() -> i32 {
    let _ = rustix::process::setsid();
    // A copy that exec closes: standard input itself will be the program's.
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned() else { return 126 };
    let mut socket = UnixStream::from(socket);
    let mut text = Vec::new();
    if socket.write_all(b"r").and_then(|()| socket.read_to_end(&mut text)).is_err() || text.is_empty() {
        return 126;
    }
    let fault = match serde_json::from_slice::<Envelope>(&text) {
        Ok(envelope) => become_program(&envelope),
        Err(error) => failed(error.to_string()),
    };
    let _ = socket.write_all(&serde_json::to_vec(&fault).unwrap_or_default());
    126
}

fn become_program(envelope: &Envelope) -> Fault {
    let program = &envelope.order.program;
    let mut command = match command(&envelope.account, program) {
        Ok(command) => command,
        Err(fault) => return fault,
    };
    let input = match &program.input {
        None => File::open("/dev/null"),
        Some(input) => memory_file(&input.0),
    };
    match input {
        Ok(input) => cannot_start(&program.program, command.stdin(input).exec()),
        Err(error) => fault::io("pass the input to", &program.program, error),
    }
}

fn memory_file(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("input", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(content)?;
    io::Seek::rewind(&mut file)?;
    Ok(file)
}

fn supervisor_command(supervisor: &[OsString], word: &str) -> Result<Command, Fault> {
    let (program, words) = supervisor
        .split_first()
        .ok_or_else(|| Fault::new(FaultKind::Failed, "no supervisor program was given"))?;
    let mut command = Command::new(program);
    command.args(words).arg(word).env_clear().env("PATH", PATH).current_dir("/");
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_that_is_too_slow_starts_nothing_later() {
        let scratch = tempfile::tempdir().expect("a directory");
        let home = scratch.path().to_str().expect("UTF-8").to_owned();
        // What comes to itself long after it was given up.
        let ran = scratch.path().join("ran");
        let script = format!("sleep 0.4; : > {}", ran.display());
        let late = ["/bin/sh", "-c", &script, "late"].map(OsString::from);
        let host = Host::new(late.to_vec(), Account { user: "me".to_owned(), uid: 0, home: home.clone() });
        let order = Order {
            directory: format!("{home}/ops/one"),
            program: Program { program: "/bin/migrate".to_owned(), ..Program::default() },
            duty: Duty::Operation { epoch: 1 },
        };
        let fault = launch_within(Duration::from_millis(50), &host, order).expect_err("it said nothing");
        assert_eq!(fault, failed("the supervisor of `/bin/migrate` did not start".to_owned()));
        std::thread::sleep(Duration::from_millis(700));
        assert!(!ran.exists());
    }
}
