//! Where SSH leads.

/// `[user@]host[:port]`, or an alias of the user's own SSH configuration. An address of IPv6 needs brackets to have a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination<'a> {
    /// Login name there.
    pub user: Option<&'a str>,
    /// Name, alias or address, without brackets.
    pub host: &'a str,
    /// TCP port.
    pub port: Option<u16>,
}

impl<'a> Destination<'a> {
    /// Takes a text apart; none when it is no destination, or `ssh` could take a part of it for an option.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (user, rest) = match text.split_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        let (host, port) = match rest.strip_prefix('[') {
            Some(bracketed) => {
                let (host, after) = bracketed.split_once(']')?;
                let port = after.strip_prefix(':');
                (port.is_some() || after.is_empty()).then_some((host, port))?
            }
            None => match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                Some(_) | None => (rest, None),
            },
        };
        let harmless = |word: &str, more: &str| {
            !word.is_empty()
                && !word.starts_with('-')
                && word.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let port = match port {
            Some(port) => Some(port.parse().ok().filter(|port| *port > 0)?),
            None => None,
        };
        let fine = user.is_none_or(|user| harmless(user, "._-+")) && harmless(host, "._-:%");
        fine.then_some(Self { user, host, port })
    }

    /// What a line of `known_hosts` about it begins with. `ssh` looks names up in lower case.
    #[must_use]
    pub fn place(&self) -> String {
        let host = self.host.to_ascii_lowercase();
        match self.port {
            Some(port) if port != 22 => format!("[{host}]:{port}"),
            Some(_) | None => host,
        }
    }

    /// `[user@]host`, as `ssh` takes it.
    #[must_use]
    pub fn login(&self) -> String {
        self.user.map_or_else(|| self.host.to_owned(), |user| format!("{user}@{}", self.host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_taken_apart() {
        for (text, login, port) in [
            ("web1", "web1", None),
            ("deploy@web1:2222", "deploy@web1", Some(2222)),
            ("deploy@[::1]:2222", "deploy@::1", Some(2222)),
            ("[::1]", "::1", None),
            ("::1", "::1", None),
            ("deploy@fe80::1%eth0", "deploy@fe80::1%eth0", None),
        ] {
            let parsed = Destination::parse(text);
            assert_eq!(parsed.map(|it| (it.login(), it.port)), Some((login.to_owned(), port)), "{text}");
        }
        for (text, place) in [("deploy@Web1:22", "web1"), ("web1:2222", "[web1]:2222"), ("[::1]", "::1")] {
            assert_eq!(Destination::parse(text).map(|it| it.place()).as_deref(), Some(place), "{text}");
        }
        for text in [
            "",
            "-oProxyCommand=x",
            "a@-o",
            "a@",
            "@a",
            "a@b@c",
            "web1:ssh",
            "web1:0",
            "web1:70000",
            "[::1]22",
            "[::1",
            "a b",
        ] {
            assert_eq!(Destination::parse(text), None, "{text}");
        }
    }
}
