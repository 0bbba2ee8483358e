//! What hosts, routers and the record said at preflight: all that a plan is made from beside the wish.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Color, HostName, Observation, ReleaseId, Routing};

/// The world as it was read under the lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Every application host that could be reached.
    pub hosts: BTreeMap<HostName, ObservedHost>,
    /// Every router, in the order of the configuration.
    pub routers: Vec<(HostName, Observation)>,
    /// Application hosts that could not be reached, and may be left out.
    pub unreachable: BTreeSet<HostName>,
    /// What the record says is live.
    pub recorded: Option<(Color, ReleaseId)>,
    /// Whether the record says that it gets no requests now.
    pub maintenance: bool,
}

impl Observed {
    /// What the routers agree on: `Ok(None)` when none of them knows the application or none sends anything to it.
    ///
    /// # Errors
    /// With every router's own answer when they differ, or share between the colours.
    pub fn live_color(&self) -> Result<Option<Color>, Disagreement> {
        let mut colors = self.routers.iter().map(|(_, seen)| seen.routing.as_ref().and_then(Routing::only));
        let first = colors.next().flatten();
        let mixed =
            self.routers.iter().any(|(_, seen)| seen.routing.as_ref().is_some_and(Routing::is_shared));
        if mixed || colors.any(|color| color != first) {
            let answers = self.routers.iter().map(|(name, seen)| {
                let said =
                    seen.routing.as_ref().map_or_else(|| "unknown here".to_owned(), ToString::to_string);
                (name.clone(), said)
            });
            return Err(Disagreement { answers: answers.collect() });
        }
        Ok(first)
    }

    /// How the routers share the requests between the colours, where all share them alike.
    #[must_use]
    pub fn shares(&self) -> Option<&Routing> {
        let mut shown = self.routers.iter().map(|(_, seen)| seen.routing.as_ref());
        let first = shown.next().flatten().filter(|routing| routing.is_shared())?;
        shown.all(|other| other == Some(first)).then_some(first)
    }
}

/// Routers that answer differently, or share the traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// Each router with its answer.
    pub answers: Vec<(HostName, String)>,
}

/// One application host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObservedHost {
    /// The blue instance.
    pub blue: ObservedInstance,
    /// The green instance.
    pub green: ObservedInstance,
}

impl ObservedHost {
    /// One of the two instances.
    #[must_use]
    pub const fn instance(&self, color: Color) -> &ObservedInstance {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }

    /// The same, to be changed.
    pub const fn instance_mut(&mut self, color: Color) -> &mut ObservedInstance {
        match color {
            Color::Blue => &mut self.blue,
            Color::Green => &mut self.green,
        }
    }
}

/// One colour on one host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObservedInstance {
    /// Release that the colour's link points to.
    pub link: Option<ReleaseId>,
    /// Whether a process of ours runs.
    pub running: bool,
    /// Release that it was started from, where the driver can tell.
    pub release: Option<ReleaseId>,
    /// Whether it was looked at, answers as the release that it runs, and was started by the words that are kept of it.
    pub fit: bool,
}
