//! Machines, and how they are reached.

use camino::Utf8PathBuf;

use super::HostName;

/// A machine of `cutover.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name there.
    pub name: HostName,
    /// How the engine reaches it.
    pub reach: Reach,
    /// How the other hosts reach it: a name or IP address.
    pub address: String,
}

/// How the engine reaches a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It is the machine that the engine runs on.
    Local,
    /// Over SSH.
    Ssh {
        /// `[user@]host[:port]` or an alias of the user's SSH configuration. Never begins with `-`.
        destination: String,
        /// Private key to use beside what the user's configuration says.
        identity_file: Option<Utf8PathBuf>,
        /// Where the helper program is kept on the host: a directory of the deploy user, mode 0700.
        helper_directory: String,
    },
}
