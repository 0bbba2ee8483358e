//! Tells events to a sink, with the time.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::{Event, EventKind, EventSink, Timestamp};

/// Tells the time. The runner never reads a clock of its own.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Tells events to a sink.
#[derive(Clone)]
pub struct Reporter {
    sink: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
    began: Timestamp,
}

impl Reporter {
    /// Begins now.
    #[must_use]
    pub fn new(sink: Arc<dyn EventSink>, clock: Arc<dyn Clock>) -> Self {
        let began = clock.now();
        Self { sink, clock, began }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What tells the time.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Since it began.
    #[must_use]
    pub fn elapsed(&self) -> std::time::Duration {
        self.now().since(self.began)
    }

    /// Tells one thing.
    pub fn tell(&self, kind: EventKind) {
        let at = self.now();
        self.sink.emit(&Event { at, elapsed: at.since(self.began), kind });
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("began", &self.began).finish_non_exhaustive()
    }
}
