//! Worlds in which there is nothing to plan.

use crate::model::{Color, HostName};

/// Why no plan can be made. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Routers disagree among themselves.
    #[error("the routers disagree: {answers}")]
    RoutersDisagree {
        /// Each with its answer.
        answers: String,
    },
    /// Routers share the requests, and no deployment is at it.
    #[error("requests are shared between the colours: {answers}")]
    Shared {
        /// Each with its answer.
        answers: String,
    },
    /// Someone moved a router.
    #[error("the router shows {router}, the record says {record}")]
    Drift {
        /// What the routers show.
        router: String,
        /// What the record says.
        record: String,
    },
    /// More hosts can't be reached than may be left out.
    #[error("{} can't be reached, and `pipeline.max-excluded` lets {most} be left out", hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(" "))]
    TooFewHosts {
        /// Those that can't be reached.
        hosts: Vec<HostName>,
        /// How many may be left out.
        most: usize,
    },
    /// The release is live already.
    #[error("release {number} is live already, on {color}")]
    LiveAlready {
        /// Its number.
        number: u64,
        /// Its colour.
        color: Color,
    },
}
