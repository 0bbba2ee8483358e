//! Commands that deploy, from the wish to the end: `deploy`, `rollback`, `plan`, `resume`, `abort`.

mod already_live;
mod artifact;
mod build;
mod closing;
pub(super) mod deploy;
pub(super) mod early_exit;
pub(super) mod ending;
mod launch_notes;
pub(super) mod opening;
pub(super) mod plan;
mod preflight;
pub(super) mod recover;
pub(super) mod refusal;
mod shown;
mod still_open;
mod testers;
mod turn_words;
mod want;
