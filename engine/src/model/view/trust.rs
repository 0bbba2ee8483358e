//! What `cutover trust` shows.

use serde::Serialize;

/// Keys that hosts have now, beside those that the project pins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustView {
    /// `shop/production`.
    pub title: String,
    /// The file that pins keys.
    pub file: String,
    /// Hosts that are reached over SSH.
    pub hosts: Vec<HostTrust>,
}

/// The key of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostTrust {
    /// Its name.
    pub host: String,
    /// Where it is reached.
    pub destination: String,
    /// Type of the key that it has now: `ssh-ed25519` and the like.
    pub kind: String,
    /// Fingerprint of that key, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// How that compares with what is pinned.
    pub standing: KeyStanding,
    /// Fingerprints of what is pinned instead.
    pub pinned_instead: Vec<String>,
}

/// How the key that a host has now compares with what the project pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyStanding {
    /// It is pinned.
    Pinned,
    /// Nothing is pinned for the host.
    New,
    /// Another one is pinned.
    Changed,
}

impl TrustView {
    /// How many hosts' keys are not pinned as they are.
    #[must_use]
    pub fn open(&self) -> usize {
        self.hosts.iter().filter(|host| host.standing != KeyStanding::Pinned).count()
    }
}
