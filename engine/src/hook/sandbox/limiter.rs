//! Limits over all memories and tables of a call together; wasmtime's own are for each.

use wasmtime::ResourceLimiter;

use crate::model::{Limit, Limits};

/// Counts what a call has taken.
#[derive(Debug)]
pub(super) struct Limiter {
    limits: Limits,
    memory: usize,
    elements: usize,
    last: usize,
    /// What the guest was refused more of: the reason of many a trap.
    pub(super) refused: Option<Limit>,
}

impl Limiter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), memory: 0, elements: 0, last: 0, refused: None }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if self.memory.saturating_add(more) > self.limits.size(Limit::Memory) {
            self.refused = Some(Limit::Memory);
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
        if self.elements.saturating_add(more) > self.limits.size(Limit::TableElements) {
            self.refused = Some(Limit::TableElements);
            return Ok(false);
        }
        self.elements += more;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.size(Limit::Instances)
    }

    fn tables(&self) -> usize {
        self.limits.size(Limit::Tables)
    }

    fn memories(&self) -> usize {
        self.limits.size(Limit::Memories)
    }
}
