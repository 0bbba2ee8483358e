//! The terminal that the program was called from, lent to a program at the other end.

use std::io::{IsTerminal, stdin, stdout};
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

/// A terminal at standard input and output, with the modes that it is given back with.
pub(super) struct Terminal {
    modes: Termios,
}

impl Terminal {
    /// The terminal; none when either of the two is something else.
    pub(super) fn own() -> Option<Self> {
        (stdin().is_terminal() && stdout().is_terminal())
            .then(|| tcgetattr(stdin()).ok())
            .flatten()
            .map(|modes| Self { modes })
    }

    /// Runs a command that has the terminal for itself until it ends. What the keys mean is its own affair: Ctrl-C and Ctrl-\ end
    /// that program, never this one.
    ///
    /// # Errors
    /// When it can't be started.
    pub(super) async fn lend(&self, command: &mut std::process::Command) -> std::io::Result<ExitStatus> {
        // Taken, so that they end nothing here; programs that are started have them as ever.
        let _quits = signal(SignalKind::quit());
        let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
        let mut child = command.spawn()?;
        let id = Pid::from_child(&child);
        let ended = tokio::task::spawn_blocking(move || child.wait());
        tokio::pin!(ended);
        loop {
            let signal = tokio::select! {
                ended = &mut ended => return ended.map_err(std::io::Error::other)?,
                Some(()) = terminate.recv() => Signal::TERM,
                Some(()) = hang_up.recv() => Signal::HUP,
            };
            // It may have ended this very moment; then there is nobody to tell.
            let _ = kill_process(id, signal);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A program that was killed leaves its own modes behind.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.modes);
    }
}
