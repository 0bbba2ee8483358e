//! What a switch was like, as it was measured by the run that made it.

use serde::{Deserialize, Serialize};

/// One move of the requests, over all routers. Lengths of time are milliseconds, and keys the same wherever it is kept or told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switched {
    /// Percent of the requests that the new colour has since.
    pub weight: u32,
    /// Routers that were moved.
    pub routers: u32,
    /// From the first router that showed the change to the last one. None: not known, since a run before has moved some of them.
    pub skew_ms: Option<u64>,
    /// Requests that were asked at the front doors from then on, to the end of the watch.
    pub requests: u64,
    /// Those that another release or colour answered. None: not known, since answers do not tell whose they are, or both colours may answer.
    pub late: Option<u64>,
    /// From the first change that a router was asked for to the last of those. None: there was none, or it is not known.
    pub last_late_ms: Option<u64>,
}
