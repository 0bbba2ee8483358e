//! Routers that a hook of ours switches.

/// What `cutover init` looks for on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownRouter {
    /// The one of the default hook.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// Apache httpd.
    Apache,
    /// Caddy.
    Caddy,
    /// Traefik.
    Traefik,
}

impl KnownRouter {
    /// All of them; where a machine has several, the first one is meant.
    pub const ALL: [Self; 5] = [Self::Nginx, Self::Haproxy, Self::Apache, Self::Caddy, Self::Traefik];

    /// As people write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Apache => "Apache",
            Self::Caddy => "Caddy",
            Self::Traefik => "Traefik",
        }
    }

    /// NAME of `builtin:NAME`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Apache => "apache",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
        }
    }

    /// Its program, as it is packaged.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Apache => "apache2",
            Self::Nginx | Self::Haproxy | Self::Caddy | Self::Traefik => self.name(),
        }
    }
}
