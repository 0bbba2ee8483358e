//! Whether our lock is still surely ours: what nobody has confirmed for a while is no longer counted on.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant as Moment, timeout};

/// Without a renewal that worked for so long, nothing more is begun: 15 s before others may take the lock.
const GIVEN_UP: Duration = Duration::from_secs(45);

/// How long a renewal is waited for then, before what was to be begun counts as not begun.
const PATIENCE: Duration = Duration::from_secs(60);

/// When the lock was last renewed, as the runner is told. By the clock of this machine that nobody sets.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    renewed: watch::Receiver<Moment>,
    given_up: Duration,
    patience: Duration,
}

impl Standing {
    /// `renewed` has the moment at which the last renewal that worked was asked for.
    pub(crate) const fn new(renewed: watch::Receiver<Moment>) -> Self {
        Self { renewed, given_up: GIVEN_UP, patience: PATIENCE }
    }

    /// Waits until the lock was renewed just now. False when that does not come, or never will since another one has the lock.
    pub(crate) async fn is_sure(&mut self) -> bool {
        let given_up = self.given_up;
        let is_fresh = |renewed: &Moment| renewed.elapsed() < given_up;
        let fresh = timeout(self.patience, self.renewed.wait_for(is_fresh)).await;
        matches!(fresh, Ok(Ok(_)))
    }
}

#[cfg(test)]
impl Standing {
    /// The same with a day for each minute.
    pub(crate) fn for_long() -> Self {
        Self { given_up: GIVEN_UP * 1440, ..Self::new(watch::channel(Moment::now()).1) }
    }

    /// The same with half a second for the 45.
    pub(crate) const fn for_moments(renewed: watch::Receiver<Moment>, patience: Duration) -> Self {
        Self { renewed, given_up: Duration::from_millis(500), patience }
    }
}
