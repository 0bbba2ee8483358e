//! What else the machine does: seen by who should be woken each millisecond.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(1);

/// Listens until it is asked.
pub(crate) struct Noise {
    stop: Arc<AtomicBool>,
    listener: JoinHandle<Vec<Duration>>,
}

impl Noise {
    pub(crate) fn listen() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&stop);
        let listener = thread::spawn(move || {
            let mut late = Vec::new();
            while !heard.load(Ordering::SeqCst) {
                let begun = Instant::now();
                thread::sleep(TICK);
                late.push(begun.elapsed().saturating_sub(TICK));
            }
            late
        });
        Self { stop, listener }
    }

    /// How much too late it was woken, 99 of 100 times at most.
    pub(crate) fn heard(self) -> Duration {
        self.stop.store(true, Ordering::SeqCst);
        let mut late = self.listener.join().expect("nothing in it fails");
        late.sort_unstable();
        late.get(late.len() * 99 / 100).copied().unwrap_or_default()
    }
}
