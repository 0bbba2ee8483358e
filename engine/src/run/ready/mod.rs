//! What hosts need before anything can be deployed to them, and whether it is there.

pub(super) mod check_hosts;
pub(super) mod needs;
pub(super) mod readiness;
pub(super) mod setup;
