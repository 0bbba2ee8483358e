//! What the words in braces of commands and environment values stand for.

use super::{Color, Deployment, HostName, placeholder};

/// What each placeholder stands for, for one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholders {
    values: [(&'static str, String); 5],
}

impl Placeholders {
    /// All of them, as they are written.
    pub const NAMES: [&'static str; 5] = ["{port}", "{listen}", "{color}", "{release}", "{directory}"];

    /// Values for one colour on one host. `directory` is the application's directory as an absolute path of that host.
    ///
    /// `{directory}` is `app.directory` and not the release's: the process starts in the release's directory, so what lies in the
    /// release is reached by relative paths, and what outlives it (caches, sockets) needs the other one.
    #[must_use]
    pub fn new(
        deployment: &Deployment,
        host: &HostName,
        color: Color,
        release: &str,
        directory: &str,
    ) -> Self {
        let application = &deployment.application;
        let address = deployment.hosts.get(host).map_or("127.0.0.1", |host| host.address.as_str());
        Self {
            values: [
                ("port", application.color(color).port.to_string()),
                ("listen", application.listen.replace("{address}", address)),
                ("color", color.to_string()),
                ("release", release.to_owned()),
                ("directory", directory.to_owned()),
            ],
        }
    }

    /// The address that an instance listens on.
    #[must_use]
    pub fn listen(&self) -> &str {
        &self.values[1].1
    }

    /// Replaces every placeholder; a word in braces that is none stays.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        placeholder::expand(text, |name| {
            self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders() -> Placeholders {
        let values = [
            ("port", "4002"),
            ("listen", "10.0.0.1"),
            ("color", "green"),
            ("release", "{port}"),
            ("directory", "/srv/a b"),
        ];
        Placeholders { values: values.map(|(name, value)| (name, value.to_owned())) }
    }

    #[test]
    fn each_placeholder_is_filled_with_its_value_once() {
        for (text, filled) in [
            ("--port={port}", "--port=4002"),
            ("{listen}:{port}", "10.0.0.1:4002"),
            ("{directory}/cache-{color}", "/srv/a b/cache-green"),
            ("{release}", "{port}"),
            ("{prot} {port", "{prot} {port"),
        ] {
            assert_eq!(placeholders().fill(text), filled, "{text}");
        }
    }

    #[test]
    fn the_names_are_those_that_are_filled() {
        for name in Placeholders::NAMES {
            assert_ne!(placeholders().fill(name), name);
        }
    }
}
