//! Tells events to a sink, with the time, and knows which steps are under way.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{Denial, Event, EventKind, EventSink, Step, StepEnd, Timestamp, Upkeep};

/// Tells the time of day, which tests choose and people may turn. How long something took is measured by the monotonic clock.
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
    steps: Arc<Mutex<Steps>>,
    upkeep: Arc<Mutex<Upkeep>>,
    denials: Arc<Mutex<Vec<Denial>>>,
}

/// What was told of steps.
#[derive(Debug, Default)]
struct Steps {
    /// Begun and not ended, with places, weight and time.
    open: Vec<(Step, Vec<String>, Option<u32>, Timestamp)>,
    /// How long each took that ended well.
    took: BTreeMap<Step, Duration>,
}

impl Steps {
    fn note(&mut self, kind: &EventKind, at: Timestamp) {
        if let EventKind::StepStarted { step, places, weight, .. } = kind {
            self.open.push((*step, places.clone(), *weight, at));
        } else if let EventKind::StepEnded { step, end, took, .. } = kind {
            self.open.retain(|(open, ..)| open != step);
            if *end == StepEnd::Ok {
                self.took.insert(*step, *took);
            }
        }
    }
}

impl Reporter {
    /// Begins now.
    #[must_use]
    pub fn new(sink: Arc<dyn EventSink>, clock: Arc<dyn Clock>) -> Self {
        let began = clock.now();
        Self { sink, clock, began, steps: Arc::default(), upkeep: Arc::default(), denials: Arc::default() }
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
    pub fn elapsed(&self) -> Duration {
        self.now().since(self.began)
    }

    /// Tells one thing.
    pub fn tell(&self, kind: EventKind) {
        let at = self.now();
        self.steps().note(&kind, at);
        if let EventKind::Denied { hook, request, grant } = &kind {
            self.note_denial(Denial::new(hook, request, grant));
        }
        self.sink.emit(&Event { at, elapsed: at.since(self.began), kind });
    }

    fn note_denial(&self, denial: Denial) {
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < Denial::MOST && !denials.contains(&denial) {
            denials.push(denial);
        }
    }

    /// What hooks were denied since this was asked last, for the journal.
    pub(crate) fn take_denials(&self) -> Vec<Denial> {
        std::mem::take(&mut *self.denials.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the run has spent on being safe so far.
    pub(crate) fn upkeep(&self) -> Upkeep {
        *self.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is for the lock's sake.
    pub(crate) async fn for_lock<T>(&self, work: impl Future<Output = T>) -> T {
        self.spend(work, |upkeep, took| upkeep.lock += took).await
    }

    /// Does what is for the journal's sake.
    pub(crate) async fn for_journal<T>(&self, work: impl Future<Output = T>) -> T {
        self.spend(work, |upkeep, took| upkeep.journal += took).await
    }

    async fn spend<T>(&self, work: impl Future<Output = T>, note: impl Fn(&mut Upkeep, Duration)) -> T {
        // Many of these take less than the clock of events can tell.
        let begun = Instant::now();
        let done = work.await;
        note(&mut self.upkeep.lock().unwrap_or_else(PoisonError::into_inner), begun.elapsed());
        done
    }

    /// How long a step took in this run, when it ended well.
    pub(crate) fn took(&self, step: Step) -> Option<Duration> {
        self.steps().took.get(&step).copied()
    }

    /// Every step that is under way was broken off by a signal.
    pub(crate) fn break_off(&self, why: &str) {
        let open = self.steps().open.clone();
        for (step, places, weight, began) in open {
            let (end, took) = (StepEnd::Interrupted, self.now().since(began));
            let (summary, details) = (why.to_owned(), Vec::new());
            self.tell(EventKind::StepEnded { step, places, weight, end, summary, details, took });
        }
    }

    fn steps(&self) -> std::sync::MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("began", &self.began).finish_non_exhaustive()
    }
}
