//! The supervisor at work: it starts its program, stays until the end, and writes down how it ended.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{CWD, FileType, FlockOperation, Mode, OFlags, flock, mknodat};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

use super::{Duty, Ending, Envelope, Order, Record, START, STARTING, forget, supervisor_command};
use crate::bytes::Bytes;
use crate::clock::now_ms;
use crate::document;
use crate::fault::{self, failed};
use crate::fence;
use crate::identity::Identity;
use crate::log_file::LogFile;
use crate::operation::{Exit, Fault};
use crate::output::Output;
use crate::program::{status_number, when_ended};
use crate::scope::wait_for;
use crate::stream::Flag;

/// A supervisor with its program under way.
pub(super) struct Watch<'a> {
    order: &'a Order,
    child: std::process::Child,
    control: File,
    log: Option<LogFile>,
    over: Arc<Flag>,
    _lock: File,
}

impl<'a> Watch<'a> {
    /// None when the program has a supervisor, or was begun before.
    pub(super) fn begin(envelope: &'a Envelope) -> Result<Option<Self>, Fault> {
        let order = &envelope.order;
        let Some(lock) = hold(&order.directory)? else { return Ok(None) };
        if matches!(order.duty, Duty::Operation { .. }) && status_of_record(&order.directory)? {
            return Ok(None);
        }
        forget(&order.directory)?;
        let control = control(&order.directory)?;
        let log = match &order.duty {
            Duty::Process { release, log, log_limit } => {
                let mut log = LogFile::open(log, *log_limit)?;
                log.announce(&format!("{STARTING}{release}"));
                Some(log)
            }
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
        // Who raised the fence before this finds it raised here; who does so later finds the record, and ends what it tells of.
        admitted(&envelope.order)?;
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
    pub(super) fn attend(mut self) -> Result<(), Fault> {
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

/// Goes on only while an operation may still begin.
fn admitted(order: &Order) -> Result<(), Fault> {
    let Duty::Operation { epoch } = order.duty else { return Ok(()) };
    order.directory.rsplit_once("/ops/").map_or(Ok(()), |(state, _)| fence::require_no_later(state, epoch))
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
