//! The loop that carries a plan out, writes the journal and tells what happens. It knows hosts and routers only as a trait.

#[cfg(test)]
pub(super) mod deaf;
pub(super) mod interrupts;
pub(super) mod journal_log;
pub(super) mod moment;
pub(super) mod performed;
pub(super) mod reporter;
pub(super) mod runner;
pub(super) mod standing;
pub(super) mod step_report;
pub(super) mod vigil;
