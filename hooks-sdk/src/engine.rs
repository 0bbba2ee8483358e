//! The call itself: what a person sees of it, and its time. Needs no grant.

use std::time::Duration;

pub use crate::bindings::imports::cutover::hook::engine::Level;
use crate::wire;

/// A line of the deployment's log.
pub fn log(level: Level, message: impl AsRef<str>) {
    wire::engine::log(level, message.as_ref());
}

/// How far a long call has come: `done` of `total` (0 when not known) units named by `what`.
pub fn progress(done: u32, total: u32, what: &str) {
    wire::engine::progress(done, total, what);
}

/// Since the call began.
#[must_use]
pub fn elapsed() -> Duration {
    Duration::from_millis(wire::engine::elapsed_ms().into())
}

/// Until the engine ends the call.
#[must_use]
pub fn remaining() -> Duration {
    Duration::from_millis(wire::engine::remaining_ms().into())
}

/// Waits. The call's deadline goes on counting.
pub fn sleep(time: Duration) {
    wire::engine::sleep_ms(milliseconds(time));
}

pub(crate) fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
