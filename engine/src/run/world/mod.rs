//! Hosts, routers, hooks and the lock as a run speaks to them: what is read of the world, and each action that changes it.

pub(super) mod afterwards;
pub(super) mod asked;
pub(super) mod basis;
pub(super) mod before;
pub(super) mod claim;
pub(super) mod components;
mod counts;
pub(super) mod exclusion;
pub(super) mod front_doors;
pub(super) mod heeded;
pub(super) mod hooks;
pub(super) mod host_sight;
pub(super) mod insist;
pub(super) mod lease;
pub(super) mod made;
pub(super) mod named;
pub(super) mod observe;
mod perform;
pub(super) mod performer;
pub(super) mod planned_for;
pub(super) mod probe;
pub(super) mod recording;
pub(super) mod session;
pub(super) mod site;
pub(super) mod switching;
pub(super) mod teller;
pub(super) mod turns;
