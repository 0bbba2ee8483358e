//! Everything that a plan can do to the world, as data.
//!
//! An action names hosts, routers, colours and releases and nothing else: paths, programs, settings and grants always come
//! from the local configuration, so a journal can't smuggle any of them in.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Color, HostName, Name, ReleaseId, Routing, WHOLE};

/// One change of the world, or one question that the plan depends on.
#[expect(missing_docs, reason = "the types of the fields say what they are")]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Brings the release to a host, up to the rename that makes it whole.
    Stage { host: HostName, release: ReleaseId },
    /// Removes what an unfinished staging left.
    RemovePartial { host: HostName },
    /// Runs the release's migration.
    Migrate { host: HostName, release: ReleaseId, color: Color },
    /// Stops what occupies the colour, if anything does.
    Clear { host: HostName, color: Color },
    /// Writes the environment of one release in one colour, and by what words it starts: beside those that the release has already.
    Configure { host: HostName, color: Color, release: ReleaseId },
    /// From now on the release starts by the words that were written beside its own.
    Renew { host: HostName, release: ReleaseId },
    /// The release starts by the words again that were its own before.
    Revert { host: HostName, release: ReleaseId },
    /// Points the colour's link to a release; without one, removes it.
    Point { host: HostName, color: Color, release: Option<ReleaseId> },
    /// Starts the colour.
    Start { host: HostName, color: Color, release: ReleaseId },
    /// Stops the colour.
    Stop { host: HostName, color: Color },
    /// Waits until the instance is healthy.
    AwaitHealthy { host: HostName, color: Color, release: ReleaseId },
    /// Sees to it that nobody gets an answer from the colour on a host that is left out.
    Silence { host: HostName, color: Color },
    /// Runs a smoke test against the colour.
    Smoke {
        test: Name,
        color: Color,
        release: ReleaseId,
        /// On these hosts; empty for all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<HostName>,
    },
    /// Makes a reboot bring the colour up.
    Enable { host: HostName, color: Color },
    /// Makes a reboot leave the colour down.
    Disable { host: HostName, color: Color },
    /// Lets a router check and prepare the change.
    Prepare { router: HostName, want: Routing },
    /// Removes what was prepared.
    Discard { router: HostName },
    /// Moves the traffic of one router, and waits until the router itself says that it is so.
    Switch { router: HostName, want: Routing },
    /// Proves at the front doors that the colour answers: it alone, or beside the other one as far as that can be proven.
    Prove {
        color: Color,
        release: ReleaseId,
        /// Percent of the requests that it has.
        #[serde(default = "whole", skip_serializing_if = "is_whole")]
        weight: u32,
    },
    /// Watches the colour under traffic.
    Watch {
        color: Color,
        release: ReleaseId,
        /// Percent of the requests that it has.
        #[serde(default = "whole", skip_serializing_if = "is_whole")]
        weight: u32,
    },
    /// Goes on only if every instance of the colour is healthy now.
    RequireHealthy { color: Color },
    /// Goes on only if the colour answers on another host, or on none of these: while they are out, the others have all the requests.
    RequireOthers { color: Color, hosts: Vec<HostName> },
    /// Goes on only if no router sends anything to the colour.
    RequireUnrouted {
        color: Color,
        /// On these hosts; empty for all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<HostName>,
    },
    /// Waits until the routers have no connections to the colour.
    Drain {
        color: Color,
        /// On these hosts; empty for all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<HostName>,
    },
    /// Proves at the front doors that no request gets to the application.
    ProveClosed,
    /// Records what is live.
    RecordLive { color: Color, release: ReleaseId },
    /// Records that no colour gets requests, until a person ends that.
    RecordMaintenance,
    /// Points `current` to the release.
    SetCurrent { host: HostName, release: ReleaseId },
    /// Removes releases beyond those to keep.
    Prune { host: HostName },
}

impl Action {
    /// The host that it is done on, when it is about one.
    #[must_use]
    pub const fn host(&self) -> Option<&HostName> {
        match self {
            Self::Stage { host, .. }
            | Self::RemovePartial { host }
            | Self::Migrate { host, .. }
            | Self::Clear { host, .. }
            | Self::Configure { host, .. }
            | Self::Renew { host, .. }
            | Self::Revert { host, .. }
            | Self::Point { host, .. }
            | Self::Start { host, .. }
            | Self::Stop { host, .. }
            | Self::AwaitHealthy { host, .. }
            | Self::Silence { host, .. }
            | Self::Enable { host, .. }
            | Self::Disable { host, .. }
            | Self::SetCurrent { host, .. }
            | Self::Prune { host } => Some(host),
            Self::Smoke { .. }
            | Self::Prepare { .. }
            | Self::Discard { .. }
            | Self::Switch { .. }
            | Self::Prove { .. }
            | Self::Watch { .. }
            | Self::RequireHealthy { .. }
            | Self::RequireOthers { .. }
            | Self::RequireUnrouted { .. }
            | Self::Drain { .. }
            | Self::ProveClosed
            | Self::RecordLive { .. }
            | Self::RecordMaintenance => None,
        }
    }

    /// The hosts that it is about, when it is about some of a colour's.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others have one host, or none")]
    pub fn hosts(&self) -> &[HostName] {
        match self {
            Self::Smoke { hosts, .. }
            | Self::RequireOthers { hosts, .. }
            | Self::RequireUnrouted { hosts, .. }
            | Self::Drain { hosts, .. } => hosts,
            _ => self.host().map_or(&[], std::slice::from_ref),
        }
    }

    /// The router that it is done on, when it is about one.
    #[must_use]
    pub const fn router(&self) -> Option<&HostName> {
        if let Self::Prepare { router, .. } | Self::Discard { router } | Self::Switch { router, .. } = self {
            Some(router)
        } else {
            None
        }
    }

    /// What a colour has of the requests when it is done, in percent, where it is about that.
    #[must_use]
    pub const fn weight(&self, color: Color) -> Option<u32> {
        match self {
            Self::Prepare { want, .. } | Self::Switch { want, .. } => Some(want.share(color)),
            Self::Prove { weight, .. } | Self::Watch { weight, .. } => Some(*weight),
            Self::Stage { .. }
            | Self::RemovePartial { .. }
            | Self::Migrate { .. }
            | Self::Clear { .. }
            | Self::Configure { .. }
            | Self::Renew { .. }
            | Self::Revert { .. }
            | Self::Point { .. }
            | Self::Start { .. }
            | Self::Stop { .. }
            | Self::AwaitHealthy { .. }
            | Self::Silence { .. }
            | Self::Smoke { .. }
            | Self::Enable { .. }
            | Self::Disable { .. }
            | Self::Discard { .. }
            | Self::RequireHealthy { .. }
            | Self::RequireOthers { .. }
            | Self::RequireUnrouted { .. }
            | Self::Drain { .. }
            | Self::ProveClosed
            | Self::RecordLive { .. }
            | Self::RecordMaintenance
            | Self::SetCurrent { .. }
            | Self::Prune { .. } => None,
        }
    }

    /// Whether it is about all that runs of a colour, wherever that is.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        matches!(self, Self::RequireHealthy { .. })
            || matches!(self, Self::Drain { hosts, .. } if hosts.is_empty())
    }

    /// What people read in the column of places: a host, a router, a test, a colour.
    #[must_use]
    pub fn place(&self) -> String {
        if let Some(name) = self.host().or_else(|| self.router()) {
            return name.to_string();
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others have a host or a router")]
        match self {
            Self::Smoke { test, hosts, .. } if hosts.is_empty() => test.to_string(),
            Self::Smoke { test, hosts, .. } => format!("{test} {}", listed(hosts)),
            Self::Drain { hosts, .. }
            | Self::RequireOthers { hosts, .. }
            | Self::RequireUnrouted { hosts, .. }
                if !hosts.is_empty() =>
            {
                listed(hosts)
            }
            Self::Drain { color, .. }
            | Self::RequireHealthy { color }
            | Self::RequireUnrouted { color, .. } => color.to_string(),
            Self::Prove { .. } | Self::ProveClosed => "front door".into(),
            Self::Watch { color, weight: WHOLE, .. } => color.to_string(),
            Self::Watch { color, weight, .. } => format!("{color} {weight} %"),
            Self::RecordLive { .. } | Self::RecordMaintenance => "home".into(),
            _ => String::new(),
        }
    }
}

fn listed(hosts: &[HostName]) -> String {
    hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(" ")
}

/// What a journal means that does not say it: those of earlier versions know no shares.
const fn whole() -> u32 {
    WHOLE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_whole(weight: &u32) -> bool {
    *weight == WHOLE
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage { release, .. } => write!(f, "bring release {release}"),
            Self::RemovePartial { .. } => f.write_str("remove what is half staged"),
            Self::Migrate { .. } => f.write_str("migrate"),
            Self::Clear { color, .. } => write!(f, "stop what runs as {color}"),
            Self::Configure { color, .. } => write!(f, "write the environment of {color}"),
            Self::Renew { release, .. } => write!(f, "renew how {release} is started"),
            Self::Revert { release, .. } => write!(f, "let {release} start as before"),
            Self::Point { color, release: Some(release), .. } => write!(f, "point {color} to {release}"),
            Self::Point { color, release: None, .. } => write!(f, "remove the link {color}"),
            Self::Start { color, release, .. } => write!(f, "start {color} from {release}"),
            Self::Stop { color, .. } => write!(f, "stop {color}"),
            Self::AwaitHealthy { color, .. } => write!(f, "wait until {color} is healthy"),
            Self::Silence { color, .. } => write!(f, "see to it that {color} answers nobody"),
            Self::Smoke { test, color, hosts, .. } if hosts.is_empty() => {
                write!(f, "smoke test {test} against {color}")
            }
            Self::Smoke { test, hosts, .. } => write!(f, "smoke test {test} on {}", listed(hosts)),
            Self::Enable { color, .. } => write!(f, "enable {color} at boot"),
            Self::Disable { color, .. } => write!(f, "disable {color} at boot"),
            Self::Prepare { want, .. } => write!(f, "prepare {want}"),
            Self::Discard { .. } => f.write_str("drop what was prepared"),
            Self::Switch { want, .. } => write!(f, "route {want}"),
            Self::Prove { color, weight: WHOLE, .. } => write!(f, "prove that {color} answers"),
            Self::Prove { color, weight, .. } => write!(f, "prove that {color} may answer at {weight} %"),
            Self::Watch { color, weight: WHOLE, .. } => write!(f, "watch {color}"),
            Self::Watch { color, weight, .. } => write!(f, "watch {color} at {weight} %"),
            Self::RequireHealthy { color } => write!(f, "make sure that {color} is healthy"),
            Self::RequireOthers { hosts, .. } => {
                write!(f, "make sure that someone answers without {}", listed(hosts))
            }
            Self::RequireUnrouted { color, hosts } if hosts.is_empty() => {
                write!(f, "make sure that no router points to {color}")
            }
            Self::RequireUnrouted { hosts, .. } => {
                write!(f, "make sure that no router points to {}", listed(hosts))
            }
            Self::Drain { color, hosts } if hosts.is_empty() => write!(f, "drain {color}"),
            Self::Drain { hosts, .. } => write!(f, "drain {}", listed(hosts)),
            Self::ProveClosed => f.write_str("prove that nobody gets to the application"),
            Self::RecordMaintenance => f.write_str("record that no colour gets requests"),
            Self::RecordLive { color, .. } => write!(f, "record {color} as live"),
            Self::SetCurrent { .. } => f.write_str("set current"),
            Self::Prune { .. } => f.write_str("prune old releases"),
        }
    }
}
