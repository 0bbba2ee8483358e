//! `--lock-wait`.

use std::time::Duration;

use clap::Args;

use super::words::time;

/// Of the commands that take the application's lock.
#[derive(Debug, Args)]
pub(super) struct LockWaitFlag {
    /// Wait so long for a lock that another deployment holds
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    pub(super) lock_wait: Duration,
}
