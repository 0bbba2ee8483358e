//! Halting at a change of a host, so that a test can end this program, or what it talks to, exactly there.
//!
//! Every change is numbered, in the order in which it is asked for: from the beginning of the run, or of the first action of a name. At the one
//! that a test names, or at that action itself, this process stops itself as a whole (SIGSTOP), and the test does with it, with helpers on
//! hosts and with routers what it likes. Only debug builds know how: in a release build the functions are empty, and nobody reads the variable.

/// Where in a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The host does not know of it.
    Before,
    /// It was sent; the host may be at it, or done.
    Sent,
    /// The host has answered; nothing was made of it.
    Answered,
}

/// One operation, on its way to a host and back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage {
    /// Number of the change; none for what changes nothing.
    #[cfg(debug_assertions)]
    number: Option<u64>,
}

#[cfg(not(debug_assertions))]
impl Passage {
    pub(super) const fn of(_: &cutover_host::operation::Call) -> Self {
        Self {}
    }

    pub(super) async fn reach(self, _: Moment) {}
}

/// An action is about to be performed, and its intent is kept.
#[cfg(not(debug_assertions))]
pub(crate) fn reach_action(_: &dyn std::fmt::Display) {}

#[cfg(debug_assertions)]
pub(crate) use debug::reach_action;

#[cfg(debug_assertions)]
pub use debug::halt_at;

#[cfg(debug_assertions)]
mod debug {
    use std::fmt::Display;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Duration;

    use cutover_host::operation::{Call, Operation};
    use rustix::process::{Signal, getpid, kill_process};

    use super::{Moment, Passage};

    /// Where this process stops.
    struct Place {
        /// First word of the action from which on changes count.
        action: Option<String>,
        /// The change; none for the action itself.
        change: Option<u64>,
        /// The moment in it.
        moment: Moment,
        /// How long after that moment.
        after: Duration,
    }

    static HALT: OnceLock<Place> = OnceLock::new();

    /// Whether changes count yet.
    static COUNTS: AtomicBool = AtomicBool::new(false);

    /// Changes so far.
    static CHANGES: AtomicU64 = AtomicU64::new(0);

    /// Has this process stop at a place: `17:before`, `17:answered`, or `17:sent:3`, which is 3 ms after it was sent; counted from 0.
    /// `route:before` is before the first action of that name, `route+2:before` before the third change from there on. False when it is none.
    pub fn halt_at(place: &str) -> bool {
        let (moment, after) = match place.split(':').collect::<Vec<_>>()[..] {
            [_, "before"] => (Moment::Before, 0),
            [_, "answered"] => (Moment::Answered, 0),
            [_, "sent", after] => match after.parse() {
                Ok(after) => (Moment::Sent, after),
                Err(_) => return false,
            },
            _ => return false,
        };
        let which = place.split(':').next().unwrap_or_default();
        let (action, change) = match (which.split_once('+'), which.parse()) {
            (None, Ok(number)) => (None, Some(number)),
            (None, Err(_)) if moment == Moment::Before => (Some(which.to_owned()), None),
            (None, Err(_)) => return false,
            (Some((action, number)), _) => match number.parse() {
                Ok(number) => (Some(action.to_owned()), Some(number)),
                Err(_) => return false,
            },
        };
        COUNTS.store(action.is_none(), Ordering::Relaxed);
        HALT.set(Place { action, change, moment, after: Duration::from_millis(after) }).is_ok()
    }

    /// An action is about to be performed, and its intent is kept.
    pub(crate) fn reach_action(action: &dyn Display) {
        let Some(Place { action: Some(wanted), change, .. }) = HALT.get() else { return };
        let is_it = action.to_string().split(' ').next() == Some(wanted);
        // Only the first one of that name.
        if is_it && !COUNTS.swap(true, Ordering::Relaxed) && change.is_none() {
            stop();
        }
    }

    /// Stops this process. The kernel may give the signal to any thread, and on a busy machine that one may not run for a while: until it has
    /// taken it, this thread would go on. Once it has, this one stops too before it comes back from looking: who takes a stop
    /// marks all threads for it under the same lock.
    fn stop() {
        if kill_process(getpid(), Signal::STOP).is_ok() {
            while is_stop_pending() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Whether no thread has taken the stop yet, by the signals that wait for the process as a whole: `proc_pid_status(5)`.
    fn is_stop_pending() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
        let pending = pending.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default();
        pending & (1 << (Signal::STOP.as_raw() - 1)) != 0
    }

    impl Passage {
        pub(in super::super) fn of(call: &Call) -> Self {
            let changes = call.guard.is_some()
                || matches!(
                    call.operation,
                    Operation::TakeLock { .. } | Operation::FreeLock { .. } | Operation::Fence { .. }
                );
            let counts = changes && COUNTS.load(Ordering::Relaxed);
            Self { number: counts.then(|| CHANGES.fetch_add(1, Ordering::Relaxed)) }
        }

        pub(in super::super) async fn reach(self, moment: Moment) {
            let Some(place) = HALT.get() else { return };
            if self.number.is_none() || self.number != place.change || moment != place.moment {
                return;
            }
            if !place.after.is_zero() {
                tokio::time::sleep(place.after).await;
            }
            stop();
        }
    }
}
