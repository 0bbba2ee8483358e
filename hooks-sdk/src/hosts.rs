//! Hosts of `cutover.toml`, by name: programs, files and sockets there. `builder` names the place where the build runs.

use std::time::Duration;

pub use crate::bindings::imports::cutover::hook::hosts::{Command, HostError, Output};
use crate::engine::milliseconds;
use crate::{HookError, wire};

impl Command {
    /// A program by its absolute path, without arguments. There is no shell.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            secret_env: Vec::new(),
            directory: None,
            input: None,
            secret_input: None,
            as_root: false,
            timeout_ms: None,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Adds a variable whose value is a template: `{name}` stands for a secret that is granted for this program and variable, and
    /// `{{` and `}}` for a brace. The hook never has the secret.
    #[must_use]
    pub fn secret_env(mut self, name: impl Into<String>, template: impl Into<String>) -> Self {
        self.secret_env.push((name.into(), template.into()));
        self
    }

    /// Where to start, absolute.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<String>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Text for standard input.
    #[must_use]
    pub fn input(mut self, input: impl Into<String>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// A template like those of [`Command::secret_env`] for standard input.
    #[must_use]
    pub fn secret_input(mut self, template: impl Into<String>) -> Self {
        self.secret_input = Some(template.into());
        self
    }

    /// Runs it as root (`sudo -n`), which needs a grant that says so.
    #[must_use]
    pub const fn as_root(mut self, as_root: bool) -> Self {
        self.as_root = as_root;
        self
    }

    /// Upper limit for this command.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout_ms = Some(milliseconds(timeout));
        self
    }

    /// As a person would type it, for messages.
    #[must_use]
    pub fn display(&self) -> String {
        let mut words = vec![self.program.as_str()];
        words.extend(self.args.iter().map(String::as_str));
        words.join(" ")
    }
}

impl Output {
    /// The last `count` lines of both outputs that are not blank, standard error last.
    #[must_use]
    pub fn last_lines(&self, count: usize) -> String {
        let lines = self.out.lines().chain(self.errors.lines()).filter(|line| !line.trim().is_empty());
        let lines: Vec<&str> = lines.collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}

/// Runs a program and waits for its end. A status other than 0 is an answer, not an error.
///
/// # Errors
/// When it did not run, or its end is not known.
pub fn exec(host: &str, command: &Command) -> Result<Output, HostError> {
    wire::hosts::exec(host, command)
}

/// Runs a program that must end with status 0.
///
/// # Errors
/// As [`exec`]; and another status, with the last lines of the output.
pub fn run(host: &str, command: &Command) -> Result<Output, HookError> {
    let output = exec(host, command)?;
    if output.status == 0 {
        return Ok(output);
    }
    let said = output.last_lines(20);
    let newline = if said.is_empty() { "" } else { "\n" };
    Err(HookError::Failed(format!(
        "`{}` on `{host}` ended with status {}{newline}{said}",
        command.display(),
        output.status
    )))
}

/// A file's text.
///
/// # Errors
/// Also when it is not UTF-8.
pub fn read_text(host: &str, path: &str) -> Result<String, HostError> {
    wire::hosts::read_text(host, path)
}

/// A file's bytes.
///
/// # Errors
/// Also when it is no regular file.
pub fn read_bytes(host: &str, path: &str) -> Result<Vec<u8>, HostError> {
    wire::hosts::read_bytes(host, path)
}

/// Replaces a file as a whole, on disk when this returns. An existing file's mode and owner are kept when `mode` is absent.
///
/// # Errors
/// Also when its directory is not there.
pub fn write_text(host: &str, path: &str, content: &str, mode: Option<u32>) -> Result<(), HostError> {
    wire::hosts::write_text(host, path, content, mode)
}

/// As [`write_text`], for any content.
///
/// # Errors
/// As [`write_text`].
pub fn write_bytes(host: &str, path: &str, content: &[u8], mode: Option<u32>) -> Result<(), HostError> {
    wire::hosts::write_bytes(host, path, content, mode)
}

/// Points a symbolic link to `target` in one atomic step, whether or not it exists.
///
/// # Errors
/// Also when something that is no link is there.
pub fn write_link(host: &str, path: &str, target: &str) -> Result<(), HostError> {
    wire::hosts::write_link(host, path, target)
}

/// Where a symbolic link points to.
///
/// # Errors
/// Also when it is no link.
pub fn read_link(host: &str, path: &str) -> Result<String, HostError> {
    wire::hosts::read_link(host, path)
}

/// Names in a directory, sorted.
///
/// # Errors
/// Also when it is no directory.
pub fn list_names(host: &str, path: &str) -> Result<Vec<String>, HostError> {
    wire::hosts::list_names(host, path)
}

/// Removes a file or a link; succeeds when there is none.
///
/// # Errors
/// When it is still there.
pub fn remove(host: &str, path: &str) -> Result<(), HostError> {
    wire::hosts::remove(host, path)
}

/// One request and its answer over a socket as seen from that host (`unix:/run/x.sock` or `tcp:127.0.0.1:9999`).
///
/// # Errors
/// Also when nothing listens there.
pub fn exchange(
    host: &str,
    socket: &str,
    content: &str,
    timeout: Option<Duration>,
) -> Result<String, HostError> {
    wire::hosts::exchange(host, socket, content, timeout.map(milliseconds))
}

/// Takes "there is none" for an answer.
pub trait IfFound<T> {
    /// None for [`HostError::NotFound`].
    ///
    /// # Errors
    /// All others.
    fn if_found(self) -> Result<Option<T>, HostError>;
}

impl<T> IfFound<T> for Result<T, HostError> {
    fn if_found(self) -> Result<Option<T>, HostError> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(HostError::NotFound(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
