//! A server of a backend, as HAProxy's statistics tell it.

/// One line of `show stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Its name in the backend.
    pub(crate) name: String,
    /// `address:port`; empty where the socket's level hides it.
    pub(crate) address: String,
    /// `UP`, `DOWN 1/2`, `MAINT`, `no check` …
    pub(crate) status: String,
    /// What the last check said; empty without checks.
    pub(crate) check: String,
    /// Whether it gets requests only when all others are down.
    pub(crate) backup: bool,
}

/// Whether new requests would reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// They would.
    Up,
    /// They would not, as long as its checks fail.
    Down,
    /// They would not until a person says so: `MAINT`, `DRAIN` and the like.
    Away,
}

impl Server {
    /// HAProxy's own eyes. A server without checks counts as up: nobody knows better. `UP 1/3` is on its way down, and still gets
    /// requests.
    pub(crate) fn state(&self) -> State {
        match self.status.split(' ').next() {
            Some("UP" | "no") => State::Up,
            Some("DOWN") => State::Down,
            _ => State::Away,
        }
    }

    /// `web1 DOWN (Connection refused)`.
    pub(crate) fn words(&self) -> String {
        let Self { name, status, check, .. } = self;
        if check.is_empty() || self.state() == State::Up {
            format!("{name} {status}")
        } else {
            format!("{name} {status} ({check})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_haproxy_has_a_state() {
        for (status, state) in [
            ("UP", State::Up),
            ("UP 1/3", State::Up),
            ("no check", State::Up),
            ("DOWN", State::Down),
            ("DOWN 1/2", State::Down),
            ("DOWN (agent)", State::Down),
            ("MAINT", State::Away),
            ("MAINT (via shop/web1)", State::Away),
            ("MAINT (resolution)", State::Away),
            ("DRAIN", State::Away),
            ("DRAIN (agent)", State::Away),
            ("NOLB", State::Away),
            ("NOLB 1/3", State::Away),
            ("", State::Away),
        ] {
            let server = Server {
                name: "web1".to_owned(),
                address: String::new(),
                status: status.to_owned(),
                check: String::new(),
                backup: false,
            };
            assert_eq!(server.state(), state, "{status}");
        }
    }
}
