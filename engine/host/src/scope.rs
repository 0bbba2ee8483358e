//! What bounds an operation while it runs: its deadline, and the engine giving it up.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::fault;
use crate::operation::{Fault, FaultKind};
use crate::stream::Stream;

/// Bounds of one operation.
pub(crate) struct Scope<'a> {
    deadline: Option<Instant>,
    /// Its streams.
    pub(crate) stream: &'a dyn Stream,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(deadline_ms: Option<u64>, stream: &'a dyn Stream) -> Self {
        let deadline = deadline_ms.and_then(|ms| Instant::now().checked_add(Duration::from_millis(ms)));
        Self { deadline, stream }
    }

    /// Time that is left; none without a deadline.
    ///
    /// # Errors
    /// When none is left, or the engine gave up.
    pub(crate) fn left(&self) -> Result<Option<Duration>, Fault> {
        if self.stream.cancelled().is_raised() {
            return Err(given_up());
        }
        match self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            Some(Duration::ZERO) => Err(timed_out()),
            left => Ok(left),
        }
    }

    /// Waits until one of `fds` is ready, or `at_most` has passed (then none of them is).
    ///
    /// # Errors
    /// When the deadline passes or the engine gives up.
    pub(crate) fn wait<'fd>(
        &'fd self,
        fds: &mut [PollFd<'fd>],
        at_most: Option<Duration>,
    ) -> Result<(), Fault> {
        let left = self.left()?;
        let timeout = match (left, at_most) {
            (Some(left), Some(most)) => Some(left.min(most)),
            (one, other) => one.or(other),
        };
        let cancel = PollFd::new(self.stream.cancelled(), PollFlags::IN);
        let mut all: Vec<PollFd<'fd>> = fds.iter().cloned().chain([cancel]).collect();
        wait_for(&mut all, timeout)?;
        fds.clone_from_slice(&all[..fds.len()]);
        if fds.iter().all(|fd| fd.revents().is_empty()) {
            self.left()?;
        }
        Ok(())
    }

    /// Sleeps.
    ///
    /// # Errors
    /// When the deadline passes or the engine gives up meanwhile.
    pub(crate) fn pause(&self, time: Duration) -> Result<(), Fault> {
        self.wait(&mut [], Some(time))
    }
}

/// Polls without regard to signals.
pub(crate) fn wait_for(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<(), Fault> {
    let timeout = timeout.and_then(|time| {
        Some(Timespec { tv_sec: time.as_secs().try_into().ok()?, tv_nsec: time.subsec_nanos().into() })
    });
    match poll(fds, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(fault::io("wait for", "input", error)),
    }
}

fn timed_out() -> Fault {
    Fault::new(FaultKind::TimedOut, "the deadline of the operation passed")
}

fn given_up() -> Fault {
    fault::failed("the operation was given up")
}
