//! Which instance is meant: `--live`, `--idle`, `--release ID`, `--host H`.

use clap::Args;

use crate::model::request::{InstanceChoice, Side};
use crate::model::{HostName, NameFault};

/// Options of `exec` and `logs`.
#[derive(Debug, Args)]
pub(super) struct SideArguments {
    /// The colour with the traffic (default)
    #[arg(long, group = "side")]
    live: bool,
    /// The other colour
    #[arg(long, group = "side")]
    idle: bool,
    /// A release: number or identifier
    #[arg(long, value_name = "ID", group = "side")]
    release: Option<String>,
    /// Host of the configuration
    #[arg(long, value_name = "H", value_parser = host)]
    host: Option<HostName>,
}

impl SideArguments {
    pub(super) fn choice(self) -> InstanceChoice {
        let side = match self.release {
            Some(release) => Side::Release(release),
            None if self.idle => Side::Idle,
            None => Side::Live,
        };
        InstanceChoice { side, host: self.host }
    }
}

/// The name of a host.
///
/// # Errors
/// When it can't be one.
pub(super) fn host(text: &str) -> Result<HostName, NameFault> {
    HostName::new(text)
}
