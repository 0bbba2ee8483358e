//! Whether hosts and front doors are ready for a deployment. It is decided here alone: `check --hosts` tells all of it, and a deployment
//! is refused for what concerns it while nothing has changed.

mod features;
mod front_door;
mod host;
mod judge;
mod obstacles;
mod questions;

pub(crate) use features::{
    MAINTENANCE, feature_finding, feature_obstacle, maintenance_obstacle, router_features,
};
pub(crate) use front_door::{LiveSight, front_door_findings};
pub(crate) use host::host_readiness;
pub(crate) use judge::judge_router;
pub(crate) use obstacles::{Ahead, first_of, front_door_obstacles, host_obstacles};
