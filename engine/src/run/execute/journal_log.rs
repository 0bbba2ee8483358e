//! The journal at the home, as the runner writes it.

use std::sync::{Arc, Mutex};

use super::reporter::Reporter;
use super::runner::Log;
use crate::model::{Plan, Progress, Record, Trouble};
use crate::store::{Journal, StoreFault};

/// Writes records, and notes the step for whoever finds the lock held.
pub(crate) struct JournalLog {
    pub(crate) journal: Journal<Record>,
    pub(crate) reporter: Reporter,
    pub(crate) plan: Arc<Plan>,
    pub(crate) step: Arc<Mutex<String>>,
}

impl Log for JournalLog {
    type Lost = StoreFault;

    async fn append(&mut self, record: &Record) -> Result<(), StoreFault> {
        self.append_all(std::slice::from_ref(record)).await
    }

    async fn append_all(&mut self, records: &[Record]) -> Result<(), StoreFault> {
        let now = self.reporter.now();
        self.reporter.for_journal(self.journal.append_all(now, records)).await?;
        let now = records.iter().rev().find_map(|record| record.step(&self.plan));
        if let (Some(now), Ok(mut step)) = (now, self.step.lock()) {
            *step = now.to_string();
        }
        Ok(())
    }
}

/// Folds the journal of a deployment, whose lines are as they were written: what can't be folded was never written by this program.
pub(crate) fn replay<'a>(
    deployment: &str,
    records: impl IntoIterator<Item = &'a Record>,
) -> Result<Progress, Trouble> {
    let forged = |reason: String| {
        Trouble::new(Trouble::FORGED, format!("the journal of deployment {deployment}: {reason}"))
            .hint(
                "it was forged, or written by another version of cutover; `cutover state recover` sets the journal aside and \
                 goes by what hosts and routers show",
            )
    };
    let progress = Progress::replay(records).map_err(|error| forged(error.to_string()))?;
    if progress.plan().deployment == deployment {
        Ok(progress)
    } else {
        Err(forged("its plan is of another deployment".to_owned()))
    }
}
