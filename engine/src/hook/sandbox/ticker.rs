//! The clock of a sandbox: makes a computing guest look at the time, and ends the process when the engine is gone.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wasmtime::Engine;

use crate::hook::limits;

/// A thread that ticks while something runs and sleeps otherwise.
#[derive(Debug)]
pub(super) struct Ticker {
    running: Arc<AtomicBool>,
    thread: Thread,
}

/// Ticks until it is dropped.
#[derive(Debug)]
pub(super) struct Running<'a>(&'a Ticker);

impl Ticker {
    pub(super) fn start(engine: &Engine, stream: UnixStream) -> io::Result<Self> {
        let running = Arc::new(AtomicBool::new(false));
        let (flag, engine) = (Arc::clone(&running), engine.clone());
        let tick = Timespec { tv_sec: 0, tv_nsec: limits::TICK.subsec_nanos().into() };
        let handle = std::thread::Builder::new().stack_size(64 << 10).spawn(move || {
            loop {
                while !flag.load(Ordering::Acquire) {
                    std::thread::park();
                }
                // Asks for nothing but what is always told: that the other end is closed. No guest can hold this up, and it works however
                // the engine ended.
                let mut fds = [PollFd::new(&stream, PollFlags::empty())];
                if poll(&mut fds, Some(&tick)).is_ok_and(|ready| ready > 0) {
                    std::process::exit(0);
                }
                engine.increment_epoch();
            }
        })?;
        Ok(Self { running, thread: handle.thread().clone() })
    }

    pub(super) fn run(&self) -> Running<'_> {
        self.running.store(true, Ordering::Release);
        self.thread.unpark();
        Running(self)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.store(false, Ordering::Release);
    }
}
