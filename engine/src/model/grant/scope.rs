//! What the words of `grants` mean for one call.

use super::{HostGroup, Origin};
use crate::model::{HostName, Instance};

/// What a call may do at all, whatever is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: `validate`, and `prepare` for `cutover setup`.
    Closed,
    /// Read: `features`, `observe`, `connections`. `exec` and `connect` entries count with `read-only = true` alone.
    Reading,
    /// Look: a health check before the lock is held. All that is granted but writing.
    Looking,
    /// All that is granted.
    Changing,
}

/// What the words of `grants` mean for one call.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// What the call may do at all.
    pub mode: Mode,
    /// `"app"`.
    pub app: &'a [HostName],
    /// `"routers"`.
    pub routers: &'a [HostName],
    /// `"builder"`, both as a group and as the name by which a hook asks for it.
    pub builder: &'a HostName,
    /// `"instances"`.
    pub instances: &'a [Instance],
    /// Directories that are known only now, by the placeholder that stands for them in a grant: `{checkout}`, `{output}`.
    pub places: &'a [(&'a str, &'a str)],
    /// Whether a program may be a bare name: `builtin:command-build` alone.
    pub bare_programs: bool,
}

impl Scope<'_> {
    /// Whether the question is to build.
    pub(super) fn is_build(&self) -> bool {
        !self.places.is_empty()
    }

    /// The host that a hook means by a name.
    pub(super) fn host(&self, name: &str) -> Option<HostName> {
        if name == "builder" { Some(self.builder.clone()) } else { HostName::new(name).ok() }
    }

    pub(super) fn is_in(&self, host: &HostName, group: &HostGroup) -> bool {
        match group {
            HostGroup::Named(names) => names.contains(host),
            HostGroup::App => self.app.contains(host),
            HostGroup::Routers => self.routers.contains(host),
            HostGroup::Builder => host == self.builder,
        }
    }

    /// Whether an instance of the call is what answers there on its own host.
    pub(super) fn is_local_to_an_instance(&self, dialled: &Origin) -> bool {
        let answers =
            |instance: &Instance| instance.local_address() == dialled.host && instance.port == dialled.port;
        self.instances.iter().any(answers)
    }

    /// `hosts` of a grant that covers a host, as TOML: the group that people would write.
    pub(super) fn group_text(&self, host: &HostName) -> String {
        if self.routers.contains(host) {
            "\"routers\"".to_owned()
        } else if self.app.contains(host) {
            "\"app\"".to_owned()
        } else if host == self.builder {
            "\"builder\"".to_owned()
        } else {
            format!("[\"{host}\"]")
        }
    }

    /// A text as a grant would have it: a path in one of the [places](Self::places) by its placeholder, since the next call's differ.
    pub(super) fn unfill(&self, text: &str) -> String {
        let within = |place: &str| {
            let rest = text.strip_prefix(place)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(rest)
        };
        let found = self.places.iter().find_map(|(name, place)| Some(format!("{name}{}", within(place)?)));
        found.unwrap_or_else(|| text.to_owned())
    }

    /// A text of a grant with its placeholders filled in.
    pub(super) fn fill(&self, text: &str) -> String {
        self.places
            .iter()
            .fold(text.to_owned(), |text, (placeholder, place)| text.replace(placeholder, place))
    }
}
