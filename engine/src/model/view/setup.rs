//! What `cutover setup` shows: all that each host needs once.

use serde::Serialize;

/// All hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetupView {
    /// `shop/production`.
    pub title: String,
    /// Hosts, in the order of their names.
    pub hosts: Vec<HostSetup>,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostSetup {
    /// Its name.
    pub host: String,
    /// How it is reached: `deploy@web1.example.com`, `this machine`.
    pub reach: String,
    /// What it needs, in order; empty when nothing is needed.
    pub parts: Vec<SetupPart>,
    /// Why it could not be asked about itself; then there are no parts.
    pub problem: Option<String>,
    /// What to do about that.
    pub hint: Option<String>,
}

/// One thing that a host needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetupPart {
    /// What and why, in one line.
    pub title: String,
    /// Lines for a shell of root's on that host, ready to paste; doing them again does no harm.
    pub script: String,
}
