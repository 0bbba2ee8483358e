//! One run of the real runner, from a given world and progress until it ends.

use std::sync::Arc;
use std::time::Duration;

use super::fault::Fault;
use super::sim::{Done, Sim};
use super::sim_journal::SimJournal;
use super::state::State;
use crate::model::{EventSink, Outcome, Progress, Record, Timestamp};
use crate::run::execute::reporter::{Clock, Reporter};
use crate::run::execute::runner::Runner;
use crate::run::execute::standing::Standing;

/// What one run came to.
pub(super) struct Execution {
    /// Where it began.
    pub(super) begun: (State, Progress),
    /// Records that it appended.
    pub(super) records: Vec<Record>,
    /// The world at the moment of each.
    pub(super) states: Vec<State>,
    /// What it did.
    pub(super) performed: Vec<Done>,
    /// The world at its end.
    pub(super) state: State,
    /// The progress at its end.
    pub(super) progress: Progress,
    /// How it ended; none when a signal cut it off, or its journal broke.
    pub(super) outcome: Option<Outcome>,
    /// Promises that were broken on the way.
    pub(super) violations: Vec<String>,
    /// What went wrong.
    pub(super) faults: Vec<(usize, Fault)>,
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        super::scene::PLANNED
    }
}

impl Execution {
    /// Runs.
    pub(super) async fn run(
        state: State,
        progress: &Progress,
        faults: &[(usize, Fault)],
        sink: Arc<dyn EventSink>,
        breaks_at: Option<usize>,
    ) -> Self {
        let sim = Arc::new(Sim::new(state, faults, sink));
        let log = SimJournal { sim: Arc::clone(&sim), records: Vec::new(), states: Vec::new(), breaks_at };
        let reporter = Reporter::new(Arc::clone(&sim.sink), Arc::new(Still));
        let is_late = faults.iter().any(|(_, fault)| fault.is_late());
        let time = if is_late { Duration::ZERO } else { Duration::from_secs(3600) };
        let mut runner = Runner {
            world: Arc::clone(&sim),
            log,
            reporter,
            interrupts: sim.interrupts(),
            standing: Standing::for_long(),
            parallel: 8,
            deadline: tokio::time::Instant::now() + time,
        };
        let mut after = progress.clone();
        let mut interrupts = sim.interrupts();
        let outcome = tokio::select! {
            biased;
            _ = interrupts.wait_for(|interrupts| interrupts.count > 1) => None,
            outcome = runner.run(&mut after) => outcome.ok(),
        };
        Self {
            begun: (state, progress.clone()),
            records: std::mem::take(&mut runner.log.records),
            states: std::mem::take(&mut runner.log.states),
            performed: sim.take_performed(),
            state: sim.state(),
            progress: after,
            outcome,
            violations: sim.take_violations(),
            faults: faults.to_vec(),
        }
    }

    /// The progress after each number of records.
    ///
    /// # Errors
    /// When the journal can't be read again.
    pub(super) fn progresses(&self) -> Result<Vec<Progress>, String> {
        let mut progress = self.begun.1.clone();
        let mut all = vec![progress.clone()];
        for record in &self.records {
            progress.apply(record).map_err(|reason| format!("P7, the journal can't be read: {reason}"))?;
            all.push(progress.clone());
        }
        Ok(all)
    }

    /// The world before the record of this index.
    pub(super) fn state_before(&self, record: usize) -> State {
        self.states.get(record).copied().unwrap_or(self.state)
    }
}
