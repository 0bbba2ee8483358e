//! A journal in memory, which notes beside each record what the world was like.

use std::sync::Arc;

use super::sim::Sim;
use super::state::State;
use crate::model::Record;
use crate::run::execute::runner::Log;

/// A journal in memory.
pub(super) struct SimJournal {
    pub(super) sim: Arc<Sim>,
    pub(super) records: Vec<Record>,
    /// The world at the moment of each record.
    pub(super) states: Vec<State>,
    /// Breaks at this record.
    pub(super) breaks_at: Option<usize>,
}

impl Log for SimJournal {
    type Lost = ();

    async fn append(&mut self, record: &Record) -> Result<(), ()> {
        if self.breaks_at == Some(self.records.len()) {
            return Err(());
        }
        self.states.push(self.sim.state());
        self.records.push(record.clone());
        self.sim.note_records(self.records.len());
        Ok(())
    }
}
