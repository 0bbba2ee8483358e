//! The process that stands between us and a program that outlives us: it notes who the program is before it runs, keeps its
//! output, ends it when told to, and records how it ended.
//!
//! Two words of the same program: `watch` is the supervisor; `step` becomes the program once the supervisor has written down its
//! number and start time. Orders come on standard input, so that no secret is ever an argument.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{CWD, FileType, FlockOperation, Mode, OFlags, flock, mknodat};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::bytes::Bytes;
use crate::clock::now_ms;
use crate::document;
use crate::environment::PATH;
use crate::fault::{self, failed};
use crate::host::Host;
use crate::identity::Identity;
use crate::log_file::LogFile;
use crate::operation::{Exit, Fault, FaultKind, Program};
use crate::output::Output;
use crate::program::{cannot_start, command, status_number, when_ended};
use crate::scope::wait_for;
use crate::stream::Flag;

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

/// Starts a supervisor. True when it runs what it was ordered to, false when another was there before.
pub(crate) fn launch(host: &Host, order: Order) -> Result<bool, Fault> {
    document::make_private(&order.directory)?;
    let envelope = Envelope {
        account: host.account.clone(),
        supervisor: host.supervisor.iter().map(|word| Bytes(word.clone().into_vec())).collect(),
        order,
    };
    let text = serde_json::to_vec(&envelope).map_err(|error| failed(error.to_string()))?;
    let fails =
        |error: io::Error| fault::io("start a supervisor for", &envelope.order.program.program, error);
    let mut child = supervisor_command(&host.supervisor, "watch")?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(fails)?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    // Reaped whenever it ends, be it now or in a week.
    std::thread::Builder::new().stack_size(64 << 10).spawn(move || child.wait()).map_err(fails)?;
    if let Some(mut input) = input {
        input.write_all(&text).map_err(fails)?;
    }
    let reply = output.map(read_reply).transpose()?.flatten();
    match reply {
        Some(Reply::Started) => Ok(true),
        Some(Reply::Begun) => Ok(false),
        Some(Reply::Failed(fault)) => Err(fault),
        None => Err(failed(format!("the supervisor of `{}` did not start", envelope.order.program.program))),
    }
}

fn read_reply(mut output: impl Read + AsFd) -> Result<Option<Reply>, Fault> {
    let deadline = Instant::now() + START;
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

/// A supervisor with its program under way.
struct Watch<'a> {
    order: &'a Order,
    child: std::process::Child,
    control: File,
    log: Option<LogFile>,
    over: Arc<Flag>,
    _lock: File,
}

impl<'a> Watch<'a> {
    /// None when the program has a supervisor, or was begun before.
    fn begin(envelope: &'a Envelope) -> Result<Option<Self>, Fault> {
        let order = &envelope.order;
        let Some(lock) = hold(&order.directory)? else { return Ok(None) };
        if matches!(order.duty, Duty::Operation { .. }) && status_of_record(&order.directory)? {
            return Ok(None);
        }
        forget(&order.directory)?;
        let control = control(&order.directory)?;
        let log = match &order.duty {
            Duty::Process { log, log_limit, .. } => Some(LogFile::open(log, *log_limit)?),
            Duty::Operation { .. } => None,
        };
        let name = &order.program.program;
        let fails = |error: io::Error| fault::io("start", name, error);
        let (ours, theirs) = UnixStream::pair().map_err(fails)?;
        let supervisor: Vec<OsString> =
            envelope.supervisor.iter().map(|word| OsString::from_vec(word.0.clone())).collect();
        let mut child = supervisor_command(&supervisor, "step")?
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(fails)?;
        let started = Self::release(&ours, child.id(), envelope);
        if let Err(fault) = started {
            let _ = child.kill();
            let _ = child.wait();
            forget(&order.directory)?;
            return Err(fault);
        }
        let over = Arc::new(Flag::new().map_err(fails)?);
        when_ended(Pid::from_child(&child), Arc::clone(&over))?;
        Ok(Some(Self { order, child, control, log, over, _lock: lock }))
    }

    /// Writes down who it is, then lets it become the program.
    fn release(mut socket: &UnixStream, pid: u32, envelope: &Envelope) -> Result<(), Fault> {
        let name = &envelope.order.program.program;
        let fails = |error: io::Error| fault::io("start", name, error);
        socket.set_read_timeout(Some(START)).map_err(fails)?;
        let mut ready = [0];
        socket.read_exact(&mut ready).map_err(fails)?;
        let identity = Identity::of(pid).ok_or_else(|| failed(format!("`{name}` ended before it began")))?;
        let record = Record { version: 1, identity, started_ms: now_ms(), duty: envelope.order.duty.clone() };
        document::save(&format!("{}/record.json", envelope.order.directory), &record)?;
        let text = serde_json::to_vec(envelope).map_err(|error| failed(error.to_string()))?;
        socket.write_all(&text).and_then(|()| socket.shutdown(std::net::Shutdown::Write)).map_err(fails)?;
        // Exec closes it; whatever is said before that is why there was none.
        let mut complaint = Vec::new();
        socket.take(64 << 10).read_to_end(&mut complaint).map_err(fails)?;
        if complaint.is_empty() {
            return Ok(());
        }
        Err(serde_json::from_slice(&complaint)
            .unwrap_or_else(|_| failed(format!("`{name}` could not be started"))))
    }

    /// Stays until the program has ended, and writes down how.
    fn attend(mut self) -> Result<(), Fault> {
        let pid = Pid::from_child(&self.child);
        let limit = self.order.program.output_limit;
        let mut kept = (Output::new(limit), Output::new(limit));
        let mut log = self.log.take();
        let mut out: [Option<Box<dyn Pipe>>; 2] = [
            self.child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Pipe>),
            self.child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Pipe>),
        ];
        let (mut kill_at, mut stopped, mut ended_at): (Option<Instant>, bool, Option<Instant>) =
            (None, false, None);
        let mut buffer = vec![0; 32 << 10];
        loop {
            let mut fds: Vec<PollFd<'_>> = vec![PollFd::new(&self.control, PollFlags::IN)];
            if ended_at.is_none() {
                fds.push(PollFd::new(&*self.over, PollFlags::IN));
            }
            let first_pipe = fds.len();
            fds.extend(out.iter().flatten().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            let timeout = match (ended_at, kill_at) {
                (Some(_), _) => Some(Duration::from_millis(200)),
                (None, kill_at) => kill_at.map(|at| at.saturating_duration_since(Instant::now())),
            };
            wait_for(&mut fds, timeout)?;
            let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            drop(fds);
            if ready[0]
                && let Some(grace) = read_stop(&mut self.control)
            {
                let _ = kill_process_group(pid, Signal::TERM);
                stopped = true;
                let at = Instant::now() + grace;
                kill_at = Some(kill_at.map_or(at, |now| now.min(at)));
            }
            if ended_at.is_none() && kill_at.is_some_and(|at| at <= Instant::now()) {
                let _ = kill_process_group(pid, Signal::KILL);
                kill_at = None;
            }
            let mut index = first_pipe;
            let mut heard = false;
            for (which, slot) in out.iter_mut().enumerate() {
                let Some(pipe) = slot else { continue };
                let is_ready = ready[index];
                index += 1;
                if !is_ready {
                    continue;
                }
                heard = true;
                match pipe.read(&mut buffer) {
                    Ok(0) | Err(_) => *slot = None,
                    Ok(length) => match (&mut log, which) {
                        (Some(log), _) => log.write(&buffer[..length]),
                        (None, 0) => kept.0.add(&buffer[..length]),
                        (None, _) => kept.1.add(&buffer[..length]),
                    },
                }
            }
            if ended_at.is_none() && ready[1] {
                ended_at = Some(Instant::now());
                // What it left behind in its group would keep its port and its log open. The leader is not reaped yet.
                if log.is_some() {
                    let _ = kill_process_group(pid, Signal::KILL);
                }
            }
            let quiet = out.iter().all(Option::is_none) || !heard;
            if ended_at.is_some_and(|at| quiet || at.elapsed() > Duration::from_secs(2)) {
                break;
            }
        }
        let status =
            self.child.wait().map_err(|error| fault::io("wait for", &self.order.program.program, error))?;
        if stopped && log.is_some() {
            return forget(&self.order.directory);
        }
        let ((out, first), (errors, second)) = (kept.0.finish(), kept.1.finish());
        let exit = Exit {
            status: status_number(status),
            out: Bytes(out),
            errors: Bytes(errors),
            truncated: first || second,
        };
        document::save(&format!("{}/ending.json", self.order.directory), &Ending { version: 1, exit })
    }
}

trait Pipe: Read + AsFd {}
impl<T: Read + AsFd> Pipe for T {}

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

/// The supervisor's lock; none when another holds it.
fn hold(directory: &str) -> Result<Option<File>, Fault> {
    let path = format!("{directory}/lock");
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags)
        .open(&path)
        .map_err(|error| fault::io("open", &path, error))?;
    // Whoever only asks for the status holds it for a moment.
    for _ in 0..50 {
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(lock)),
            Err(Errno::WOULDBLOCK) => std::thread::sleep(Duration::from_millis(4)),
            Err(error) => return Err(fault::io("lock", &path, error)),
        }
    }
    Ok(None)
}

fn status_of_record(directory: &str) -> Result<bool, Fault> {
    Ok(document::load::<Record>(&format!("{directory}/record.json"))?.is_some())
}

fn control(directory: &str) -> Result<File, Fault> {
    let path = format!("{directory}/control");
    match mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(fault::io("make", &path, error)),
    }
    // Open for both directions, so that it never reads as ended.
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    File::options()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(&path)
        .map_err(|error| fault::io("open", &path, error))
}

fn read_stop(control: &mut File) -> Option<Duration> {
    let mut buffer = [0; 256];
    let length = control.read(&mut buffer).ok()?;
    let text = std::str::from_utf8(&buffer[..length]).ok()?;
    text.lines().filter_map(|line| line.strip_prefix("stop ")?.parse().ok()).min().map(Duration::from_millis)
}

fn supervisor_command(supervisor: &[OsString], word: &str) -> Result<Command, Fault> {
    let (program, words) = supervisor
        .split_first()
        .ok_or_else(|| Fault::new(FaultKind::Failed, "no supervisor program was given"))?;
    let mut command = Command::new(program);
    command.args(words).arg(word).env_clear().env("PATH", PATH).current_dir("/");
    Ok(command)
}
