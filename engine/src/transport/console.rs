//! A program at a terminal: the command to run here, with the streams of the terminal that the engine itself was called from.

use std::process::{Command, ExitStatus};
use std::sync::Arc;

use openssh::Session;

use super::Failure;
use crate::model::HostName;

/// Exit status of `ssh` when it failed itself. A program can end with it too.
const SSH_FAILED: i32 = 255;

/// A program at a terminal on one host, not yet started.
#[derive(Debug)]
pub struct Console {
    host: HostName,
    command: Command,
    /// The connection that it shares, which must outlive it.
    session: Option<Arc<Session>>,
}

impl Console {
    pub(super) fn here(host: HostName, command: Command) -> Self {
        Self { host, command, session: None }
    }

    pub(super) fn over_ssh(host: HostName, command: Command, session: Arc<Session>) -> Self {
        Self { host, command, session: Some(session) }
    }

    /// What to run, with the streams of the terminal. It sets the terminal's modes itself.
    pub const fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// The program's own exit status, out of that of the command.
    ///
    /// # Errors
    /// When the connection broke before the program had ended.
    pub async fn ended(&self, status: ExitStatus) -> Result<i32, Failure> {
        use std::os::unix::process::ExitStatusExt as _;
        let number = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        let Some(session) = self.session.as_ref().filter(|_| number == SSH_FAILED) else { return Ok(number) };
        match session.check().await {
            Ok(()) => Ok(number),
            Err(_) => Err(Failure::Broken(format!(
                "the connection to host `{}` broke, and the terminal with it",
                self.host
            ))),
        }
    }
}
