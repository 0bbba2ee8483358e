//! Conveniences of the data that every call carries.

use std::fmt;

use crate::{Call, Color, Instance};

impl Call {
    /// One of the open-ended facts: `environment`, `marker-header`, `marker-json` …
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether connections to this instance are asked about: those of some hosts, where the question names them, else all.
    #[must_use]
    pub fn counts(&self, instance: &Instance) -> bool {
        self.fact("hosts").is_none_or(|hosts| hosts.split(' ').any(|host| host == instance.host))
    }

    /// The application's name, with `-ENVIRONMENT` where there are environments: what its traces on a shared router are called.
    #[must_use]
    pub fn title(&self) -> String {
        match self.fact("environment") {
            Some(environment) => format!("{}-{environment}", self.app),
            None => self.app.clone(),
        }
    }
}

impl Instance {
    /// `address:port` for use from the instance's own host, where it may listen on loopback only.
    #[must_use]
    pub fn local_authority(&self) -> String {
        let address = match self.listen.as_str() {
            "0.0.0.0" => "127.0.0.1",
            "::" => "::1",
            address => address,
        };
        authority(address, self.port)
    }

    /// `address:port` for use from host `host`: its own loopback address when the instance runs there.
    #[must_use]
    pub fn authority_from(&self, host: &str) -> String {
        if self.host == host { self.local_authority() } else { authority(&self.address, self.port) }
    }

    /// Whether its host was left out when its colour was filled: the release is not there.
    #[must_use]
    pub fn is_left_out(&self) -> bool {
        self.labels.iter().any(|(key, _)| key == "left-out")
    }
}

fn authority(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

impl Color {
    /// `blue` or `green`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    /// Not this one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
