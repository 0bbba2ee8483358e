//! The two directions of an operation that has streams.

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::operation::Fault;

/// Which stream of an operation a piece belongs to, on its way to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Standard output, or the only stream.
    Out,
    /// Standard error.
    Errors,
}

/// What an operation has towards the engine while it runs.
pub trait Stream: Sync {
    /// The next piece from the engine; none when it has closed its side, or after [`Stream::end_receiving`].
    fn receive(&self) -> Option<Vec<u8>>;

    /// Makes a waiting and every later [`Stream::receive`] return none.
    fn end_receiving(&self);

    /// Sends a piece of at most [`crate::frame::MAX_PAYLOAD`] bytes; waits while the engine is not ready for more.
    ///
    /// # Errors
    /// When the engine no longer listens.
    fn send(&self, lane: Lane, piece: &[u8]) -> Result<(), Fault>;

    /// Whether the engine gave the operation up.
    fn cancelled(&self) -> &Flag;
}

/// Says once that something has happened; can be waited for together with other descriptors.
#[derive(Debug)]
pub struct Flag {
    event: OwnedFd,
}

impl Flag {
    /// Not raised.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self { event: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)? })
    }

    /// Raises it, for good.
    pub fn raise(&self) {
        // It fails only when the counter is full, and then it says already what it is to say.
        let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        let mut fds = [PollFd::new(&self.event, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }
}

impl AsFd for Flag {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
