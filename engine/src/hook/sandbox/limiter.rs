//! Limits over all memories and tables of a call together; wasmtime's own are for each.

use wasmtime::ResourceLimiter;

use crate::hook::limits;

/// Counts what a call has taken.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    memory: usize,
    elements: usize,
    last: usize,
    /// Whether the guest was refused memory: the reason of many a trap.
    pub(super) refused: bool,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if self.memory.saturating_add(more) > limits::MEMORY {
            self.refused = true;
            return Ok(false);
        }
        self.memory += more;
        self.last = more;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory -= std::mem::take(&mut self.last).min(self.memory);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let fits = self.elements.saturating_add(more) <= limits::TABLE_ELEMENTS;
        if fits {
            self.elements += more;
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        limits::INSTANCES
    }

    fn tables(&self) -> usize {
        limits::TABLES
    }

    fn memories(&self) -> usize {
        limits::MEMORIES
    }
}
