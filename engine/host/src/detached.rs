//! Operations that go on when the connection breaks, and are asked about afterwards.

use std::time::{Duration, Instant};

use crate::account::Account;
use crate::document;
use crate::fault::not_allowed;
use crate::host::Host;
use crate::operation::{Detached, Fault, FaultKind, Program};
use crate::place::absolute;
use crate::release::remove_tree;
use crate::scope::Scope;
use crate::supervisor::{self, Duty, Order, Record, Status};

/// From SIGTERM to SIGKILL for operations of an older epoch.
const GRACE: Duration = Duration::from_secs(2);

/// See [`crate::operation::Operation::Begin`].
pub(crate) fn begin(
    host: &Host,
    state: &str,
    operation: &str,
    program: &Program,
    epoch: u64,
) -> Result<Detached, Fault> {
    if program.as_root && program.input.is_some() {
        return Err(not_allowed("a detached program that runs as root takes no input"));
    }
    let directory = directory(&host.account, state, operation)?;
    let before = look(&directory)?;
    if before != Detached::NeverBegan {
        return Ok(before);
    }
    document::make_private(&absolute(&host.account, state)?)?;
    let order =
        Order { directory: directory.clone(), program: program.clone(), duty: Duty::Operation { epoch } };
    match supervisor::launch(host, order) {
        Ok(true) => Ok(Detached::Running),
        Ok(false) => look(&directory),
        Err(fault) => Err(fault),
    }
}

/// See [`crate::operation::Operation::Outcome`].
pub(crate) fn outcome(
    account: &Account,
    state: &str,
    operation: &str,
    wait_ms: u64,
    scope: &Scope<'_>,
) -> Result<Detached, Fault> {
    let directory = directory(account, state, operation)?;
    let until = Instant::now().checked_add(Duration::from_millis(wait_ms));
    let mut pause = Duration::from_millis(2);
    loop {
        let now = look(&directory)?;
        if now != Detached::Running || until.is_some_and(|until| until <= Instant::now()) {
            return Ok(now);
        }
        scope.pause(pause)?;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// See [`crate::operation::Operation::Reap`]. Answers the operations that were ended.
pub(crate) fn reap(
    account: &Account,
    state: &str,
    epoch: u64,
    scope: &Scope<'_>,
) -> Result<Vec<String>, Fault> {
    let operations = format!("{}/ops", absolute(account, state)?);
    let names = match crate::files::list_names(account, &operations, None) {
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(Vec::new()),
        names => names?,
    };
    let mut ended = Vec::new();
    for name in names {
        let directory = format!("{operations}/{name}");
        // A supervisor that has written no record yet finds the fence raised, and begins nothing.
        if let Status::Running(Some(record)) = supervisor::status(&directory)?
            && matches!(record.duty, Duty::Operation { epoch: begun } if begun < epoch)
        {
            order_end(&directory, &record)?;
            ended.push((name, directory, record));
        }
    }
    let kill_at = kill_time();
    for (_, directory, record) in &ended {
        wait_for_end(directory, record, kill_at, scope)?;
    }
    Ok(ended.into_iter().map(|(name, ..)| name).collect())
}

/// See [`crate::operation::Operation::End`].
pub(crate) fn end(
    account: &Account,
    state: &str,
    operation: &str,
    scope: &Scope<'_>,
) -> Result<Detached, Fault> {
    let directory = directory(account, state, operation)?;
    // Between its lock and its record a supervisor is about to start.
    while supervisor::status(&directory)? == Status::Running(None) {
        scope.pause(Duration::from_millis(10))?;
    }
    if let Status::Running(Some(record)) = supervisor::status(&directory)? {
        order_end(&directory, &record)?;
        wait_for_end(&directory, &record, kill_time(), scope)?;
    }
    look(&directory)
}

fn order_end(directory: &str, record: &Record) -> Result<(), Fault> {
    if !supervisor::order_stop(directory, GRACE)? {
        // Its supervisor was killed.
        record.identity.signal(rustix::process::Signal::TERM)?;
    }
    Ok(())
}

/// When what was ordered to end now is killed.
fn kill_time() -> Instant {
    Instant::now() + GRACE + GRACE / 2
}

fn wait_for_end(directory: &str, record: &Record, kill_at: Instant, scope: &Scope<'_>) -> Result<(), Fault> {
    while matches!(supervisor::status(directory)?, Status::Running(_)) {
        if Instant::now() > kill_at && !record.identity.signal(rustix::process::Signal::KILL)? {
            // The program is gone; its supervisor is about to be.
            break;
        }
        if Instant::now() > kill_at + GRACE {
            return Err(crate::fault::failed(format!("the operation of `{directory}` does not end")));
        }
        scope.pause(Duration::from_millis(10))?;
    }
    Ok(())
}

/// See [`crate::operation::Operation::ForgetOperations`].
pub(crate) fn forget(account: &Account, state: &str, spare: &str, newest: usize) -> Result<(), Fault> {
    let operations = format!("{}/ops", absolute(account, state)?);
    let mut names = match crate::files::list_names(account, &operations, None) {
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(()),
        names => names?,
    };
    names.retain(|name| !name.starts_with(spare));
    let mut ended = Vec::new();
    for name in names {
        let directory = format!("{operations}/{name}");
        match supervisor::status(&directory)? {
            Status::Running(_) => {}
            Status::Ended(record, _) | Status::Gone(record) => ended.push((record.started_ms, directory)),
            Status::Nothing => ended.push((0, directory)),
        }
    }
    ended.sort();
    for (_, directory) in ended.iter().rev().skip(newest) {
        remove_tree(directory)?;
    }
    Ok(())
}

fn directory(account: &Account, state: &str, operation: &str) -> Result<String, Fault> {
    let fine = !operation.is_empty()
        && operation.len() <= 128
        && operation.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fine {
        Ok(format!("{}/ops/{operation}", absolute(account, state)?))
    } else {
        Err(not_allowed(format!("`{}` is not an identifier of an operation", operation.escape_debug())))
    }
}

fn look(directory: &str) -> Result<Detached, Fault> {
    Ok(match supervisor::status(directory)? {
        Status::Nothing => Detached::NeverBegan,
        Status::Running(_) => Detached::Running,
        Status::Ended(_, exit) => Detached::Ended(exit),
        Status::Gone(_) => Detached::Lost,
    })
}
