//! Where to look for a violation, when not everywhere.

use super::{Fault, action_kind};
use crate::model::Action;

/// Only histories whose first mishap is this one, followed by at most one more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim {
    /// Kind of the action that goes wrong, as in [`action_kind::NAMES`].
    pub(super) action: &'static str,
    pub(super) fault: Fault,
}

impl Aim {
    pub(super) const MISHAPS: u8 = 2;

    /// Whether this is the mishap.
    pub(super) fn is_at(self, action: &Action, fault: Fault) -> bool {
        action_kind::NAMES[action_kind::kind(action)] == self.action && fault == self.fault
    }
}
