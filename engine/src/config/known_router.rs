//! Routers that a hook of ours switches.

/// What `cutover init` looks for on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownRouter {
    /// The one of the default hook.
    Nginx,
    /// HAProxy.
    Haproxy,
}

impl KnownRouter {
    /// All of them; where a machine has several, the first one is meant.
    pub const ALL: [Self; 2] = [Self::Nginx, Self::Haproxy];

    /// As people write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
        }
    }

    /// NAME of `builtin:NAME`, also of its program.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
        }
    }
}
