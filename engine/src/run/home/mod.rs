//! The state at its home: what every host keeps of it, what of that is not as it should be, and how it is moved or rebuilt.

pub(super) mod diagnose;
pub(super) mod examine;
mod rebuild;
pub(super) mod state_move;
pub(super) mod state_recover;
pub(super) mod state_view;
