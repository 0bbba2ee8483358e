//! An output that may stall: a paused terminal, a pager, a pipe that nobody drains. It must not hold up a deployment.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the output is waited for, once; then it counts as stalled until it has caught up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes that are kept for an output that has stalled. Of more the oldest are lost: the end is what matters most.
const KEPT: usize = 8 << 20;

/// Writes by a thread of its own. Dropping it waits until all is written: whoever pauses a pager has nothing else to wait for then.
pub struct Outlet {
    shared: Arc<Shared>,
    patience: Duration,
    writer: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    pieces: VecDeque<Vec<u8>>,
    /// Of all pieces, and of the one that is being written.
    bytes: usize,
    stalled: bool,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what comes, until it is closed and all is written.
    fn drain(&self, mut out: impl Write) {
        loop {
            let queue = self.lock();
            let idle = |queue: &mut Queue| queue.pieces.is_empty() && !queue.closed;
            let mut queue = self.changed.wait_while(queue, idle).unwrap_or_else(PoisonError::into_inner);
            let Some(piece) = queue.pieces.pop_front() else { return };
            drop(queue);
            // A closed output is nothing to us.
            let _ = out.write_all(&piece).and_then(|()| out.flush());
            self.lock().bytes -= piece.len();
            self.changed.notify_all();
        }
    }
}

impl Outlet {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self::with_patience(PATIENCE, out)
    }

    fn with_patience(patience: Duration, out: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let drained = Arc::clone(&shared);
        let writer = std::thread::Builder::new().name("output".to_owned()).spawn(move || drained.drain(out));
        Self { shared, patience, writer: writer.ok() }
    }
}

impl Write for Outlet {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.writer.is_none() {
            return Err(io::Error::other("there is no thread to write it"));
        }
        let mut queue = self.shared.lock();
        queue.bytes += piece.len();
        queue.pieces.push_back(piece.to_owned());
        while queue.bytes > KEPT
            && let Some(lost) = queue.pieces.pop_front()
        {
            queue.bytes -= lost.len();
        }
        self.shared.changed.notify_all();
        Ok(piece.len())
    }

    /// Waits until all is written, unless it has stalled.
    fn flush(&mut self) -> io::Result<()> {
        let queue = self.shared.lock();
        let patience = if queue.stalled { Duration::ZERO } else { self.patience };
        let is_behind = |queue: &mut Queue| queue.bytes > 0;
        let waited = self.shared.changed.wait_timeout_while(queue, patience, is_behind);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.stalled = queue.bytes > 0;
        Ok(())
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(writer) = self.writer.take() {
            // A panic of the writing thread has been reported by itself.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Instant;

    use super::*;

    /// Takes nothing until it is let go on.
    struct Paused {
        go_on: Receiver<()>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Paused {
        fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
            // Ends when the other side is dropped, and then takes all.
            let _ = self.go_on.recv();
            self.taken.send(piece.to_owned()).map_err(io::Error::other)?;
            Ok(piece.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_paused_output_is_waited_for_once_and_gets_all_in_the_end() {
        let ((play, go_on), (taken, heard)) = (channel(), channel());
        let mut outlet = Outlet::with_patience(Duration::from_millis(200), Paused { go_on, taken });
        let begun = Instant::now();
        for number in 0..1000 {
            outlet.write_all(format!("{number}\n").as_bytes()).expect("kept");
            outlet.flush().expect("does not matter");
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it waited each time");
        drop(play);
        drop(outlet);
        let expected: String = (0..1000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(heard.iter().flatten().collect()).expect("UTF-8"), expected);
    }

    #[test]
    fn what_is_flushed_is_written() {
        let ((play, go_on), (taken, heard)) = (channel(), channel());
        drop(play);
        let mut outlet = Outlet::new(Paused { go_on, taken });
        outlet.write_all(b"one").expect("kept");
        outlet.flush().expect("written");
        assert_eq!(heard.try_recv(), Ok(b"one".to_vec()));
    }
}
