//! Long-running processes of the `detached` driver.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::account::Account;
use crate::fault::failed;
use crate::fence::Leave;
use crate::host::Host;
use crate::operation::{Fault, FaultKind, Process, ProcessState};
use crate::place::absolute;
use crate::scope::Scope;
use crate::supervisor::{self, Duty, Order, Record, Status};

/// See [`crate::operation::Operation::StartProcess`].
pub(crate) fn start(host: &Host, process: &Process) -> Result<ProcessState, Fault> {
    let directory = absolute(&host.account, &process.directory)?;
    let duty = Duty::Process {
        release: process.release.clone(),
        log: absolute(&host.account, &process.log)?,
        log_limit: process.log_limit,
    };
    let program = crate::operation::Program { as_root: false, input: None, ..process.program.clone() };
    if let Status::Running(_) = supervisor::status(&directory)? {
        return same_release(&directory, &process.release);
    }
    supervisor::launch(host, Order { directory: directory.clone(), program, duty })?;
    same_release(&directory, &process.release)
}

fn same_release(directory: &str, wanted: &str) -> Result<ProcessState, Fault> {
    match look(directory)? {
        ProcessState::Running { release, pid, .. } if release != wanted => {
            let message = format!("process {pid} of release `{release}` runs there already");
            Err(Fault::new(FaultKind::Conflict, message))
        }
        state @ (ProcessState::Absent | ProcessState::Running { .. } | ProcessState::Exited { .. }) => {
            Ok(state)
        }
    }
}

/// See [`crate::operation::Operation::ProcessStatus`].
pub(crate) fn status(account: &Account, directory: &str) -> Result<ProcessState, Fault> {
    look(&absolute(account, directory)?)
}

/// See [`crate::operation::Operation::StopProcess`].
pub(crate) fn stop(
    account: &Account,
    directory: &str,
    grace_ms: u64,
    scope: &Scope<'_>,
    leave: impl FnOnce() -> Result<Leave, Fault>,
) -> Result<ProcessState, Fault> {
    let directory = absolute(account, directory)?;
    let grace = Duration::from_millis(grace_ms);
    let leave = leave()?;
    let running = supervisor::status(&directory)?;
    let unsupervised = match &running {
        Status::Running(record) if !supervisor::order_stop(&directory, grace)? => record.clone(),
        Status::Running(_) => None,
        Status::Ended(..) | Status::Gone(_) => {
            supervisor::forget(&directory)?;
            return Ok(ProcessState::Absent);
        }
        Status::Nothing => return Ok(ProcessState::Absent),
    };
    if let Some(record) = &unsupervised {
        record.identity.signal(Signal::TERM)?;
    }
    // The end is ordered; waiting for it needs no leave, and the holder of the lock must be able to renew it meanwhile.
    drop(leave);
    let kill_at = Instant::now() + grace;
    loop {
        match supervisor::status(&directory)? {
            Status::Running(_) => {}
            Status::Nothing => return Ok(ProcessState::Absent),
            Status::Ended(..) | Status::Gone(_) => {
                supervisor::forget(&directory)?;
                return Ok(ProcessState::Absent);
            }
        }
        let late = Instant::now().saturating_duration_since(kill_at);
        if late > Duration::ZERO
            && let Some(record) = &unsupervised
        {
            record.identity.signal(Signal::KILL)?;
        }
        if late > Duration::from_secs(10) {
            return Err(failed(format!("the process of `{directory}` does not end, not even by SIGKILL")));
        }
        scope.pause(Duration::from_millis(10))?;
    }
}

fn look(directory: &str) -> Result<ProcessState, Fault> {
    let release_of = |record: &Record| match &record.duty {
        Duty::Process { release, .. } => release.clone(),
        Duty::Operation { .. } => String::new(),
    };
    // Between its lock and its record a supervisor is about to start; that takes milliseconds.
    for _ in 0..200 {
        match supervisor::status(directory)? {
            Status::Nothing => return Ok(ProcessState::Absent),
            Status::Running(None) => std::thread::sleep(Duration::from_millis(10)),
            Status::Running(Some(record)) => {
                let release = release_of(&record);
                return Ok(ProcessState::Running {
                    pid: record.identity.pid,
                    release,
                    started_ms: record.started_ms,
                });
            }
            Status::Ended(record, exit) => {
                return Ok(ProcessState::Exited { status: Some(exit.status), release: release_of(&record) });
            }
            Status::Gone(record) => {
                return Ok(ProcessState::Exited { status: None, release: release_of(&record) });
            }
        }
    }
    Err(failed(format!("the supervisor of `{directory}` neither starts nor ends")))
}
