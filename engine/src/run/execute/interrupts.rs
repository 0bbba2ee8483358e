//! Signals, as data: how many came, and which was the first.

use std::time::Duration;

use tokio::sync::watch;

use crate::model::Trouble;

/// Code of the error that a signal is.
pub(crate) const INTERRUPTED: &str = "deploy/interrupted";

/// After a second signal, for whoever is at work to end by itself.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Returns when a second signal has come and whoever is at work has not ended upon it.
pub(crate) async fn second(mut interrupts: watch::Receiver<Interrupts>) -> Trouble {
    let Ok(trouble) = interrupts.wait_for(|interrupts| interrupts.count > 1).await.map(|seen| seen.trouble())
    else {
        return std::future::pending().await;
    };
    tokio::time::sleep(LAST_WORDS).await;
    trouble
}

/// Signals that have come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interrupts {
    /// How many.
    pub count: u32,
    /// Name of the first one: `Ctrl-C`, `SIGTERM`, `SIGHUP`.
    pub first: &'static str,
}

impl Interrupts {
    /// Returns when one has come; never where none can come any more.
    pub async fn one(mut interrupts: watch::Receiver<Self>) {
        if interrupts.wait_for(Self::any).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether one has come.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.count > 0
    }

    /// Number of the first one, as it is the same on all machines.
    pub(crate) fn number(&self) -> i32 {
        match self.first {
            "SIGHUP" => 1,
            "SIGTERM" => 15,
            _ => 2,
        }
    }

    /// As the error that turns a deployment back.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        Trouble::new(INTERRUPTED, format!("interrupted by {}", self.first))
    }
}
