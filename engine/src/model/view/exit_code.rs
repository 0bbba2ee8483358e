//! The documented exit codes: the one table of them.

use serde::Serialize;

/// How the program ends, for scripts. Warnings end with [`ExitCode::Done`]; `exec` passes the program's own code on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "u8")]
#[repr(u8)]
pub enum ExitCode {
    /// Done, perhaps with warnings; `abort` that has put everything back has done what it was asked for.
    Done = 0,
    /// A fault of cutover itself.
    Internal = 1,
    /// Words that make no sense.
    Usage = 2,
    /// Failed, and everything was put back; by `resume`, too, since the release is not live.
    RolledBack = 10,
    /// Failed before anything was changed.
    NothingChanged = 11,
    /// Interrupted, and everything was put back.
    InterruptedPutBack = 20,
    /// Interrupted; `cutover resume` goes on.
    InterruptedUnfinished = 21,
    /// Another deployment holds the lock.
    Locked = 30,
    /// Another holder took over while we ran.
    Fenced = 31,
    /// A person is needed.
    Stuck = 40,
    /// The configuration is not right, a missing grant included.
    Configuration = 50,
    /// Refused for security: digest, host key, grant, a journal beyond the configuration; or `check --against` found something wider.
    Refused = 60,
    /// `status --check` found drift or a live release that is older than asked, `doctor` found something, or a hook failed a case of
    /// `hook test` or broke a rule of `hook conformance`.
    CheckFailed = 70,
}

impl ExitCode {
    /// All, in order.
    pub const ALL: [Self; 13] = [
        Self::Done,
        Self::Internal,
        Self::Usage,
        Self::RolledBack,
        Self::NothingChanged,
        Self::InterruptedPutBack,
        Self::InterruptedUnfinished,
        Self::Locked,
        Self::Fenced,
        Self::Stuck,
        Self::Configuration,
        Self::Refused,
        Self::CheckFailed,
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in one line.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done (warnings included)",
            Self::Internal => "internal error",
            Self::Usage => "wrong usage",
            Self::RolledBack => "failed, and everything was put back (by `resume`, too; by `abort`: 0)",
            Self::NothingChanged => "failed, and nothing was changed",
            Self::InterruptedPutBack => "interrupted, and everything was put back",
            Self::InterruptedUnfinished => "interrupted; run `cutover resume`",
            Self::Locked => "locked by another deployment",
            Self::Fenced => "another holder took over",
            Self::Stuck => "a person is needed",
            Self::Configuration => "the configuration is not right (a missing grant included)",
            Self::Refused => {
                "refused for security: digest, host key or grant; `check --against`: something got wider"
            }
            Self::CheckFailed => {
                "`status --check`: drift, or the live release is older than asked; `doctor`: findings; `hook test`, \
                 `hook conformance`: the hook failed"
            }
        }
    }
}

impl From<ExitCode> for u8 {
    fn from(code: ExitCode) -> Self {
        code.code()
    }
}
