//! Halting at a change of a host, so that a test can end this program, or what it talks to, exactly there.
//!
//! Every change is numbered, in the order in which it is asked for. At the one that a test names, this process stops itself as a whole
//! (SIGSTOP), and the test does with it and with helpers on hosts what it likes. Only debug builds know how: in a release build the
//! functions are empty, and nobody reads the variable.

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

#[cfg(debug_assertions)]
pub use debug::halt_at;

#[cfg(debug_assertions)]
mod debug {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use cutover_host::operation::{Call, Operation};
    use rustix::process::{Signal, getpid, kill_process};

    use super::{Moment, Passage};

    /// Where this process stops: the change, the moment in it, and how long after that moment.
    static HALT: OnceLock<(u64, Moment, Duration)> = OnceLock::new();

    /// Changes so far.
    static CHANGES: AtomicU64 = AtomicU64::new(0);

    /// Has this process stop at a place: `17:before`, `17:answered`, or `17:sent:3`, which is 3 ms after it was sent; counted from 0. False
    /// when it is none.
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
        let number = place.split(':').next().and_then(|number| number.parse().ok());
        number.is_some_and(|number| HALT.set((number, moment, Duration::from_millis(after))).is_ok())
    }

    impl Passage {
        pub(in super::super) fn of(call: &Call) -> Self {
            let changes = call.guard.is_some()
                || matches!(
                    call.operation,
                    Operation::TakeLock { .. } | Operation::FreeLock { .. } | Operation::Fence { .. }
                );
            Self { number: changes.then(|| CHANGES.fetch_add(1, Ordering::Relaxed)) }
        }

        pub(in super::super) async fn reach(self, moment: Moment) {
            let Some((number, at, after)) = HALT.get().copied() else { return };
            if self.number != Some(number) || moment != at {
                return;
            }
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            let _ = kill_process(getpid(), Signal::STOP);
        }
    }
}
