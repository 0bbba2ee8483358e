//! Why a driver did not do what it was asked.

use cutover_host::operation::{Exit, FaultKind};

use crate::model::Color;
use crate::transport::Failure;

/// Why a driver did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriverFailure {
    /// The host was not reached, refused, or broke off.
    #[error(transparent)]
    Host(#[from] Failure),
    /// A program of the driver's failed.
    #[error("`{command}` ended with status {status}{}", after_colon(.text))]
    Program {
        /// Program and arguments.
        command: String,
        /// Exit status.
        status: i32,
        /// What it said last, at most a few lines.
        text: String,
    },
    /// Another release runs where one was to be started.
    #[error("{color} is occupied: {occupant}")]
    Occupied {
        /// Colour of the slot.
        color: Color,
        /// `release 2026…`, `a process that cutover did not start`.
        occupant: String,
    },
    /// It was told to stop, and to be killed, and is still there.
    #[error("{color} still runs {waited} s after it was told to stop")]
    StillRuns {
        /// Colour of the slot.
        color: Color,
        /// Seconds.
        waited: u64,
    },
    /// A program of the operator's was ended, because it took too long.
    #[error("`{command}` had not ended after {waited} s")]
    TooSlow {
        /// Program and arguments.
        command: String,
        /// Seconds.
        waited: u64,
    },
    /// Nobody knows how a program of the operator's ended: the host went down, or its supervisor was killed.
    #[error("nobody saw how `{command}` ended")]
    Lost {
        /// Program and arguments.
        command: String,
    },
    /// The host lacks what `cutover setup` prints.
    #[error("{missing} is missing")]
    NotSetUp {
        /// What.
        missing: String,
    },
    /// How a release is started was not kept in a form that can be read.
    #[error("how the release is started can't be read from `{path}`: {why}")]
    Launch {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The driver keeps no log.
    #[error("driver `command` keeps no log that cutover could read")]
    NoLog,
    /// The host named a home directory that can't be one.
    #[error(
        "host says that its home directory is `{home}`, which is no absolute path of ordinary characters"
    )]
    StrangeHome {
        /// As the host said.
        home: String,
    },
    /// The host named a user that can't be one.
    #[error("host says that we are `{user}` there, which is no user's name of ordinary characters")]
    StrangeUser {
        /// As the host said.
        user: String,
    },
}

impl DriverFailure {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Host(Failure::Fault(fault)) if fault.kind == FaultKind::NoSudo => {
                Some("`cutover setup` prints the sudoers lines that the host needs")
            }
            // Journals of users are files of their own only on disk (journald.conf(5), "SplitMode=").
            Self::Program { text, .. } if text.contains("insufficient permissions") => Some(
                "`Storage=persistent` in journald.conf, or the group `systemd-journal`, lets the deploy user read it",
            ),
            Self::Program { text, .. } if text.contains("not been booted with systemd") => {
                Some("there is no systemd on this host: `app.driver = \"detached\"` needs none")
            }
            Self::NotSetUp { .. } => Some("`cutover setup` prints what the host needs once"),
            Self::Launch { .. } => Some("`cutover deploy --release N` writes it anew from cutover.toml"),
            Self::Host(_)
            | Self::Program { .. }
            | Self::Occupied { .. }
            | Self::NoLog
            | Self::StillRuns { .. }
            | Self::TooSlow { .. }
            | Self::Lost { .. }
            | Self::StrangeUser { .. }
            | Self::StrangeHome { .. } => None,
        }
    }

    /// Whether it may have taken effect all the same.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Host(failure) if failure.is_unknown())
    }

    /// A program ended badly.
    pub(super) fn program(program: &str, args: &[String], exit: &Exit) -> Self {
        let said = if exit.errors.0.is_empty() { &exit.out } else { &exit.errors };
        let said = said.to_text();
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(3)..].join("; ");
        let command =
            std::iter::once(program).chain(args.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
        Self::Program { command, status: exit.status, text: last.chars().take(500).collect() }
    }
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
