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
    /// What its last check came to: `L4OK`, `INI` before the first one; empty without checks.
    pub(crate) checked: String,
    /// What that check said.
    pub(crate) check: String,
    /// Sessions that it has now.
    pub(crate) sessions: u32,
    /// Whether it gets requests only when all others are down.
    pub(crate) backup: bool,
}

/// How HAProxy itself sees a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It answers, or has no checks: nobody knows better then.
    Up,
    /// It answers, and gets no new requests.
    Drained,
    /// It does not answer, or has not been asked since it was let in: its next check may be a moment away.
    NotUp,
    /// Somebody has taken it out: it is not even asked.
    Out,
}

impl Server {
    pub(crate) fn sight(&self) -> Sight {
        match self.status.split(' ').next() {
            // It counts as up before the first check.
            Some("UP" | "DRAIN") if self.checked == "INI" => Sight::NotUp,
            Some("UP" | "no") => Sight::Up,
            Some("DRAIN") => Sight::Drained,
            Some("DOWN") => Sight::NotUp,
            _ => Sight::Out,
        }
    }

    /// `web1 DOWN (Connection refused)`.
    pub(crate) fn words(&self) -> String {
        format!("{} {}", self.name, self.state())
    }

    /// The same without the name.
    pub(crate) fn state(&self) -> String {
        let Self { status, check, checked, .. } = self;
        match self.sight() {
            Sight::NotUp if checked == "INI" => format!("{status} (not checked yet)"),
            Sight::NotUp if !check.is_empty() => format!("{status} ({check})"),
            Sight::Up | Sight::Drained | Sight::NotUp | Sight::Out => status.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_haproxy_is_a_sight() {
        for (status, checked, sight) in [
            ("UP", "L4OK", Sight::Up),
            ("UP", "* L7OK", Sight::Up),
            ("UP 1/3", "L4CON", Sight::Up),
            ("UP 1/3", "INI", Sight::NotUp),
            ("no check", "", Sight::Up),
            ("DOWN", "L4CON", Sight::NotUp),
            ("DOWN 1/2", "L4OK", Sight::NotUp),
            ("DOWN (agent)", "L4OK", Sight::NotUp),
            ("DRAIN", "L4OK", Sight::Drained),
            ("DRAIN", "", Sight::Drained),
            ("DRAIN 1/3", "INI", Sight::NotUp),
            ("DRAIN (agent)", "L4OK", Sight::Drained),
            ("MAINT", "", Sight::Out),
            ("MAINT (via shop/web1)", "", Sight::Out),
            ("MAINT (resolution)", "", Sight::Out),
            ("NOLB", "L7STS", Sight::Out),
            ("", "", Sight::Out),
        ] {
            let server = Server {
                name: "web1".to_owned(),
                address: String::new(),
                status: status.to_owned(),
                checked: checked.to_owned(),
                check: String::new(),
                sessions: 0,
                backup: false,
            };
            assert_eq!(server.sight(), sight, "{status} {checked}");
        }
    }
}
