//! What was looked at when a deployment had ended.

use crate::model::HostName;

/// What was looked at when a deployment had ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Afterwards {
    /// Instances of the old colour, where all was put back.
    pub(crate) old: Vec<InstanceHealth>,
    /// Instances that were warm before and that the way back has started again.
    pub(crate) warm: Vec<InstanceHealth>,
    /// What each router shows, or why it can't be told, where a person is needed, or somebody else has moved one meanwhile.
    pub(crate) routers: Vec<(HostName, Result<String, String>)>,
}

/// What one look at an instance of the old colour found at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LastLook {
    Healthy,
    /// With the reason.
    Sick(String),
    /// The hook could not tell, and why.
    Unknown(String),
}

/// An instance of the old colour, by its host.
pub(crate) type InstanceHealth = (HostName, LastLook);
