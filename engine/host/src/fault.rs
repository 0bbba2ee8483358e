//! Faults out of the system's own errors.

use std::fmt::Display;
use std::io;

use rustix::io::Errno;

use crate::operation::{Fault, FaultKind};

/// Gives a system error its kind, and a message of what was tried on what.
pub(crate) fn io(doing: &str, what: impl Display, error: impl Into<io::Error>) -> Fault {
    let error = error.into();
    Fault::new(kind_of(&error), format!("failed to {doing} `{what}`: {}", words(&error)))
}

/// The system's words without "(os error N)", which says nothing to people.
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let short = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = short.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn kind_of(error: &io::Error) -> FaultKind {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT | Errno::NOTDIR) => FaultKind::NotFound,
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => FaultKind::Permission,
        Some(Errno::NOSPC | Errno::DQUOT) => FaultKind::NoSpace,
        Some(Errno::XDEV | Errno::LOOP | Errno::NAMETOOLONG) => FaultKind::NotAllowed,
        Some(Errno::CONNREFUSED) => FaultKind::Refused,
        Some(Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::HOSTDOWN) => FaultKind::NoRoute,
        Some(Errno::TIMEDOUT) => FaultKind::TimedOut,
        Some(Errno::EXIST) => FaultKind::Conflict,
        _ => FaultKind::Failed,
    }
}

/// Tells a file system without inodes from one without bytes: the system has one error for both.
pub(crate) fn room(mut fault: Fault, on: impl std::os::fd::AsFd) -> Fault {
    if fault.kind == FaultKind::NoSpace
        && let Ok(system) = rustix::fs::fstatvfs(on)
        && system.f_files > 0
        && system.f_favail == 0
    {
        fault.kind = FaultKind::NoInodes;
        fault.message.push_str(" (no inodes left)");
    }
    fault
}

pub(crate) fn not_allowed(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::NotAllowed, message)
}

pub(crate) fn failed(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Failed, message)
}
