//! Programs that run to their end while the engine waits.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::account::Account;
use crate::bytes::Bytes;
use crate::environment::{self, PATH};
use crate::fault::{self, not_allowed};
use crate::fence::Stay;
use crate::operation::{Exit, Fault, FaultKind, Program};
use crate::output::Output;
use crate::place::{absolute, open_granted};
use crate::scope::{Scope, wait_for};
use crate::stream::{Flag, Lane};

/// After the end of a program: how long its output may still come from descendants that hold it open.
const AFTERMATH: Duration = Duration::from_millis(200);

/// See [`crate::operation::Operation::Run`].
pub(crate) fn run(
    account: &Account,
    program: &Program,
    scope: &Scope<'_>,
    stay: impl FnOnce() -> Result<Option<Stay>, Fault>,
) -> Result<Exit, Fault> {
    let mut command = command(account, program)?;
    let directory = granted_directory(account, program)?;
    if let Some(directory) = &directory {
        // What was opened, wherever its path may lead by now.
        command.current_dir(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    }
    let stay = stay()?;
    let mut running = Running::start(command, program)?;
    drop(directory);
    let (mut out, mut errors) = (Output::new(program.output_limit), Output::new(program.output_limit));
    let input = program.input.as_ref().map(|input| input.0.as_slice()).unwrap_or_default();
    let ended = running.attend(input, scope, stay.as_ref(), |lane, piece| {
        match lane {
            Lane::Out => out.add(piece),
            Lane::Errors => errors.add(piece),
        }
        Ok(())
    })?;
    let exit = exit(ended, out, errors);
    if program.as_root && account.uid != 0 { refuse_password(&exit).map_or(Ok(exit), Err) } else { Ok(exit) }
}

/// See [`crate::operation::Operation::Stream`].
pub(crate) fn stream(account: &Account, program: &Program, scope: &Scope<'_>) -> Result<Exit, Fault> {
    let mut running = Running::start(command(account, program)?, program)?;
    let mut errors = Output::new(4096);
    let input = running.child.stdin.take();
    let over = Arc::clone(&running.over);
    let ended = std::thread::scope(|threads| {
        threads.spawn(move || {
            if let Some(mut input) = input {
                feed(&mut input, &over, scope);
            }
        });
        let ended = running.attend(&[], scope, None, |lane, piece| {
            if lane == Lane::Errors {
                errors.add(piece);
            }
            scope.stream.send(lane, piece)
        });
        scope.stream.end_receiving();
        ended
    })?;
    let exit = exit(ended, Output::new(0), errors);
    if program.as_root
        && account.uid != 0
        && let Some(fault) = refuse_password(&exit)
    {
        return Err(fault);
    }
    Ok(Exit { status: exit.status, ..Exit::default() })
}

/// Passes the engine's stream on to the standard input until either ends.
fn feed(input: &mut ChildStdin, over: &Flag, scope: &Scope<'_>) {
    while let Some(piece) = scope.stream.receive() {
        let mut rest = piece.as_slice();
        while !rest.is_empty() {
            let mut fds = [PollFd::new(input, PollFlags::OUT), PollFd::new(over, PollFlags::IN)];
            if wait_for(&mut fds, None).is_err() || !fds[1].revents().is_empty() {
                return;
            }
            match input.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}

/// Where a program starts, held open, when it may start nowhere else.
fn granted_directory(account: &Account, program: &Program) -> Result<Option<OwnedFd>, Fault> {
    let directory = program.directory.as_deref().filter(|_| program.directory_granted);
    let open = |directory| open_granted(&absolute(account, directory)?, OFlags::PATH | OFlags::DIRECTORY);
    directory.map(open).transpose()
}

/// Makes the command with its whole environment, not yet its streams.
pub(crate) fn command(account: &Account, program: &Program) -> Result<Command, Fault> {
    let name = &program.program;
    if name.is_empty() || (name.contains('/') && !name.starts_with('/')) {
        return Err(not_allowed(format!(
            "`{name}` is neither an absolute path nor a bare name of a program"
        )));
    }
    let directory = match &program.directory {
        Some(directory) => absolute(account, directory)?,
        None => account.home.clone(),
    };
    if !std::path::Path::new(&directory).is_dir() {
        let message = format!("`{directory}`, where `{name}` is to start, is not a directory");
        return Err(Fault::new(FaultKind::NotFound, message));
    }
    let mut command = if program.as_root && account.uid != 0 {
        let mut sudo = Command::new("sudo");
        sudo.arg("-n").arg(name);
        sudo
    } else {
        Command::new(name)
    };
    command
        .args(&program.args)
        .env_clear()
        .envs(environment::of_program(account, program)?)
        .current_dir(directory);
    Ok(command)
}

/// A fault for a command that could not be started.
pub(crate) fn cannot_start(name: &str, error: io::Error) -> Fault {
    if error.kind() != io::ErrorKind::NotFound {
        return fault::io("run", name, error);
    }
    let words = if name.contains('/') { " (or the interpreter that its first line names)" } else { "" };
    let place = if name.contains('/') { String::new() } else { format!(" on {PATH}") };
    Fault::new(FaultKind::NotFound, format!("program `{name}` was not found{place}{words}"))
}

/// Exit status as shells count it: 128 plus the signal's number when a signal ended it.
pub(crate) fn status_number(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

fn exit(ended: ExitStatus, out: Output, errors: Output) -> Exit {
    let ((out, first), (errors, second)) = (out.finish(), errors.finish());
    Exit { status: status_number(ended), out: Bytes(out), errors: Bytes(errors), truncated: first || second }
}

/// What `sudo -n` says when a sudoers line is missing.
fn refuse_password(exit: &Exit) -> Option<Fault> {
    let errors = exit.errors.to_text();
    let refused = exit.status == 1
        && errors.lines().any(|line| {
            line.starts_with("sudo: a password is required")
                || line.starts_with("sudo: a terminal is required")
                || line.contains("is not in the sudoers file")
                || line.contains("may not run sudo on")
                || line.contains("is not allowed to execute")
        });
    refused.then(|| Fault::new(FaultKind::NoSudo, errors.trim().to_owned()))
}

/// A program under way, its own process group, ended with it when dropped.
struct Running {
    name: String,
    child: Child,
    over: Arc<Flag>,
    reaped: bool,
}

impl Running {
    fn start(mut command: Command, program: &Program) -> Result<Self, Fault> {
        let over = Arc::new(Flag::new().map_err(|error| fault::io("run", &program.program, error))?);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| {
                let name = command.get_program().to_string_lossy();
                cannot_start(&name, error)
            })?;
        watch(&mut child, &over)?;
        Ok(Self { name: program.program.clone(), child, over, reaped: false })
    }

    /// Feeds `input`, passes output on, and waits for the end. The process is gone when this returns, also with a fault.
    fn attend(
        &mut self,
        input: &[u8],
        scope: &Scope<'_>,
        stay: Option<&Stay>,
        take: impl FnMut(Lane, &[u8]) -> Result<(), Fault>,
    ) -> Result<ExitStatus, Fault> {
        let ended = self.follow(input, scope, stay, take);
        if ended.is_err() {
            self.kill();
        }
        ended
    }

    fn follow(
        &mut self,
        input: &[u8],
        scope: &Scope<'_>,
        stay: Option<&Stay>,
        mut take: impl FnMut(Lane, &[u8]) -> Result<(), Fault>,
    ) -> Result<ExitStatus, Fault> {
        let mut rest = input;
        let (mut stdin, mut stdout, mut stderr) =
            (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take());
        let mut ended_at: Option<Instant> = None;
        let mut buffer = vec![0; 32 << 10];
        while (stdout.is_some() || stderr.is_some() || ended_at.is_none())
            && ended_at.is_none_or(|at| at.elapsed() < 10 * AFTERMATH)
        {
            if rest.is_empty() {
                stdin = None;
            }
            let mut fds = Vec::with_capacity(4);
            let add = |fds: &mut Vec<_>, fd: Option<_>, flags| {
                fd.map(|fd| {
                    fds.push(PollFd::from_borrowed_fd(fd, flags));
                    fds.len() - 1
                })
            };
            let in_at = add(&mut fds, stdin.as_ref().map(AsFd::as_fd), PollFlags::OUT);
            let out_at = add(&mut fds, stdout.as_ref().map(AsFd::as_fd), PollFlags::IN);
            let err_at = add(&mut fds, stderr.as_ref().map(AsFd::as_fd), PollFlags::IN);
            let over_at = add(&mut fds, ended_at.is_none().then(|| self.over.as_fd()), PollFlags::IN);
            let at_most = ended_at.map(|_| AFTERMATH).or(stay.map(|_| Stay::LOOK));
            scope.wait(&mut fds, at_most)?;
            let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            drop(fds);
            stay.map_or(Ok(()), Stay::check)?;
            let is_ready = |at: Option<usize>| at.is_some_and(|at| ready[at]);
            if ended_at.is_some() && !ready.contains(&true) {
                break;
            }
            if is_ready(in_at)
                && let Some(pipe) = &mut stdin
            {
                match pipe.write(rest) {
                    Ok(written) => rest = &rest[written..],
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // It does not want its input: its own matter.
                    Err(_) => rest = &[],
                }
            }
            if is_ready(out_at)
                && let Some(pipe) = &mut stdout
            {
                match pipe.read(&mut buffer) {
                    Ok(0) => stdout = None,
                    Ok(length) => take(Lane::Out, &buffer[..length])?,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(fault::io("read the output of", &self.name, error)),
                }
            }
            if is_ready(err_at)
                && let Some(pipe) = &mut stderr
            {
                match pipe.read(&mut buffer) {
                    Ok(0) => stderr = None,
                    Ok(length) => take(Lane::Errors, &buffer[..length])?,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(fault::io("read the output of", &self.name, error)),
                }
            }
            if is_ready(over_at) {
                ended_at = Some(Instant::now());
            }
        }
        let status = self.child.wait().map_err(|error| fault::io("wait for", &self.name, error))?;
        self.reaped = true;
        Ok(status)
    }

    fn kill(&mut self) {
        if self.reaped {
            return;
        }
        self.reaped = true;
        // The leader is not reaped yet, so the number is still this group's.
        if kill_process_group(Pid::from_child(&self.child), Signal::KILL).is_ok() {
            let _ = self.child.wait();
        }
        // A program under sudo is not ours to kill: it ends by its closed streams, or goes on.
        self.over.raise();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Makes the pipes not block, and raises `over` when the child has ended, without reaping it.
fn watch(child: &mut Child, over: &Arc<Flag>) -> Result<(), Fault> {
    let pipes = [
        child.stdin.as_ref().map(AsFd::as_fd),
        child.stdout.as_ref().map(AsFd::as_fd),
        child.stderr.as_ref().map(AsFd::as_fd),
    ];
    for pipe in pipes.into_iter().flatten() {
        rustix::io::ioctl_fionbio(pipe, true).map_err(|error| fault::io("prepare", "a pipe", error))?;
    }
    when_ended(Pid::from_child(child), Arc::clone(over))
}

/// Raises `over` when the child `pid` of this process has ended, without reaping it.
pub(crate) fn when_ended(pid: Pid, over: Arc<Flag>) -> Result<(), Fault> {
    let wait = move || {
        while let Err(rustix::io::Errno::INTR) =
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {}
        over.raise();
    };
    let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(wait);
    thread.map(drop).map_err(|error| fault::io("start", "a thread", error))
}
