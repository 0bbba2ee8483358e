//! Commands that look, or that act beside deployments: `status`, `history`, `doctor`, `exec`, `logs`, `unlock`, `trust`.

pub(super) mod around;
pub(super) mod attend;
mod drift;
pub(super) mod exec;
pub(super) mod history;
pub(super) mod instance_choice;
pub(super) mod logs;
pub(super) mod status;
pub(super) mod status_facts;
pub(super) mod trust;
pub(super) mod unlock;
