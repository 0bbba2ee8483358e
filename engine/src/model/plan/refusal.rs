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
    /// Hosts have one place each, and what is live is in another.
    #[error(
        "{color} is live, and where hosts are taken out one after the other, each has one place, which is blue"
    )]
    NoPlace {
        /// What is live.
        color: Color,
    },
    /// Someone has taken hosts out.
    #[error("{router} has {} out: all hosts have to be in first", hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(" "))]
    HostsOut {
        /// The first such router.
        router: HostName,
        /// What it has out.
        hosts: Vec<HostName>,
    },
    /// The release is live already.
    #[error("release {number} is live already, on {color}")]
    LiveAlready {
        /// Its number.
        number: u64,
        /// Its colour.
        color: Color,
    },
    /// Hosts are to have turns, and no router may be moved.
    #[error("in maintenance no hosts are taken out and let in again")]
    Rests,
    /// There is nothing that could get no requests.
    #[error("nothing was deployed yet, so there is nothing to keep requests from")]
    NothingLive,
    /// That is so.
    #[error("{title} is in maintenance already")]
    InMaintenance {
        /// `shop/production`.
        title: String,
    },
    /// That is so.
    #[error("{title} is not in maintenance")]
    NotInMaintenance {
        /// `shop/production`.
        title: String,
    },
}
