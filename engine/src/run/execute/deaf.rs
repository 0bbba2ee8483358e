//! Who hears nothing, and whose clock stands still: for tests that look at something else.

use super::reporter::Clock;
use crate::model::{Event, EventSink, Timestamp};

/// Hears nothing.
pub(crate) struct Deaf;

impl EventSink for Deaf {
    fn emit(&self, _: &Event) {}
}

impl Clock for Deaf {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}
