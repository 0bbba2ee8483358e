//! What an operator allows a hook to do, and whether a request lies within it: one closed enum of capabilities, checked in one pure
//! place. Absent means denied.

mod address;
mod authorities;
mod check;
mod cover;
mod denied;
#[cfg(test)]
pub(crate) mod fixture;
mod origin;
mod pattern;
mod request;
mod scope;
mod secret;
mod variable;

pub use address::is_special;
pub use authorities::Authorities;
pub use check::{Addresses, Allowed, is_interpreter};
pub use denied::Denied;
pub use origin::{Origin, OriginFault, Url, split_socket};
pub use pattern::run_matches;
pub use request::{HttpRequest, Request};
pub use scope::{Mode, Scope};
pub use secret::{DATE, SecretGrant, SecretPlace, SecretRequest, SecretTarget};
pub use variable::VariableRule;

use super::HostName;

/// A hook's `grants` table. A key that was not written is `None`: the component must not even import its interface; an empty list is
/// "imported, and denied on purpose".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// Programs.
    pub exec: Option<Vec<ExecGrant>>,
    /// Files and directories to read.
    pub read: Option<Vec<PathGrant>>,
    /// Files to write and remove.
    pub write: Option<Vec<PathGrant>>,
    /// Links to point elsewhere.
    pub link: Option<Vec<LinkGrant>>,
    /// Sockets of hosts.
    pub connect: Option<Vec<ConnectGrant>>,
    /// HTTP origins.
    pub http: Option<Vec<HttpGrant>>,
    /// Secrets, each bound to one place.
    pub secrets: Option<Vec<SecretGrant>>,
}

impl Grants {
    /// The hosts of every entry.
    pub fn hosts(&self) -> impl Iterator<Item = &HostGroup> {
        let exec = self.exec.iter().flatten().map(|grant| &grant.hosts);
        let paths = self.read.iter().chain(&self.write).flatten().map(|grant| &grant.hosts);
        let link = self.link.iter().flatten().map(|grant| &grant.hosts);
        let connect = self.connect.iter().flatten().map(|grant| &grant.hosts);
        let http = self.http.iter().flatten().filter_map(|grant| grant.via.as_ref());
        exec.chain(paths).chain(link).chain(connect).chain(http)
    }
}

/// `hosts` of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostGroup {
    /// Hosts by name.
    Named(Vec<HostName>),
    /// `"app"`: the application's hosts.
    App,
    /// `"routers"`: the routers that are hosts.
    Routers,
    /// `"builder"`: the host that builds.
    Builder,
}

/// An entry of `grants.exec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecGrant {
    /// Where.
    pub hosts: HostGroup,
    /// Absolute, or a bare name in `builtin:command-build` alone.
    pub program: String,
    /// Exact texts, `*` for one argument, `**` for the rest; no wildcard takes a value that begins with `-`.
    pub args: Vec<String>,
    /// Names of variables that the hook may set.
    pub env: Vec<String>,
    /// Directories that it may start in (`*` as in paths); none: the home directory only.
    pub directory: Vec<String>,
    /// Whether the hook may send an input.
    pub input: bool,
    /// By `sudo -n`; arguments exact, no variables.
    pub as_root: bool,
    /// Counts in reading exports too.
    pub read_only: bool,
    /// Acknowledges that the program runs code out of its arguments or input.
    pub interpreter: bool,
}

/// An entry of `grants.read` or `grants.write`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathGrant {
    /// Where.
    pub hosts: HostGroup,
    /// Absolute; `*` stops at `/` and at a leading dot.
    pub path: String,
}

/// An entry of `grants.link`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkGrant {
    /// Where.
    pub hosts: HostGroup,
    /// The link, absolute, `*` as in paths.
    pub path: String,
    /// What it may point to, exact.
    pub targets: Vec<String>,
}

/// An entry of `grants.connect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectGrant {
    /// Where.
    pub hosts: HostGroup,
    /// `unix:/path` or `tcp:ADDRESS:PORT`, exact.
    pub to: String,
    /// Lines that may be sent, `*` for any run of characters but `;`.
    pub send: Vec<String>,
    /// Counts in reading exports too.
    pub read_only: bool,
}

/// An entry of `grants.http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpGrant {
    /// To what.
    pub to: HttpTarget,
    /// Whether loopback, link-local, private and other special addresses are allowed for it.
    pub private: bool,
    /// Hosts that the request may start from beside the engine's machine; `instances` have their own hosts without saying so.
    pub via: Option<HostGroup>,
    /// By whom the server's certificate has to be; none for those that the system trusts.
    pub authorities: Option<Authorities>,
}

/// `to` of an entry of `grants.http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpTarget {
    /// The instances of the call: exactly host, address and port.
    Instances,
    /// `https://name[:port]`, exact.
    Origin(String),
}
