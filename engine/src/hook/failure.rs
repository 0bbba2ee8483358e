//! How hooks fail: when they are loaded, and when they are asked.

use std::fmt;

use super::{Kind, interface};
use crate::model::grant::Denied;

/// Why a hook can't be used at all. Found before anything runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookFault {
    /// The file is no component.
    #[error("hook `{hook}` is not a WebAssembly component: {reason}")]
    NotAComponent {
        /// Title of the hook.
        hook: String,
        /// What it is instead.
        reason: String,
    },
    /// It answers other questions than the ones it would be asked.
    #[error("hook `{hook}` is not a {wanted} hook: it exports {exports}", exports = listed(exports, "no hook interface"))]
    WrongKind {
        /// Title of the hook.
        hook: String,
        /// What it was configured as.
        wanted: Kind,
        /// The hook interfaces that it does export.
        exports: Vec<String>,
    },
    /// It was built for another version of the contract, or for another host than cutover.
    #[error("hook `{hook}` imports what this version of cutover does not offer: {imports}", imports = listed(imports, ""))]
    UnknownImports {
        /// Title of the hook.
        hook: String,
        /// Names of the interfaces.
        imports: Vec<String>,
    },
    /// It imports interfaces about which its grants say nothing, not even `[]`.
    #[error("hook `{hook}` needs what cutover.toml does not grant: {missing}", missing = missing_text(missing))]
    MissingGrant {
        /// Title of the hook.
        hook: String,
        /// Which.
        missing: Vec<MissingGrant>,
    },
    /// It imports or exports something in another shape than the contract has.
    #[error("hook `{hook}` does not fit the contract cutover:hook@0.1: {reason}")]
    Unfit {
        /// Title of the hook.
        hook: String,
        /// The runtime's words.
        reason: String,
    },
    /// It can't be compiled, or not within the limits.
    #[error("hook `{hook}` can't be compiled: {reason}")]
    NotCompiled {
        /// Title of the hook.
        hook: String,
        /// Why.
        reason: String,
    },
    /// The sandbox could not be started; the hook is not to blame.
    #[error("the sandbox of hook `{hook}` can't be started: {reason}")]
    NoSandbox {
        /// Title of the hook.
        hook: String,
        /// The system's words.
        reason: String,
    },
}

impl HookFault {
    /// `hook/…`: for tools.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAComponent { .. } => "hook/not-a-component",
            Self::WrongKind { .. } => "hook/wrong-kind",
            Self::UnknownImports { .. } => "hook/unknown-import",
            Self::MissingGrant { .. } => "hook/missing-grant",
            Self::Unfit { .. } => "hook/unfit",
            Self::NotCompiled { .. } => "hook/not-compiled",
            Self::NoSandbox { .. } => "hook/no-sandbox",
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotAComponent { .. } => {
                Some("build it for `wasm32-wasip2`, or turn the module into a component".to_owned())
            }
            Self::WrongKind { wanted, .. } => Some(format!(
                "build it for the world `{wanted}-hook`, or name it where a hook of its kind belongs"
            )),
            Self::UnknownImports { .. } | Self::Unfit { .. } => {
                Some("build it against the `wit` directory of this version of cutover".to_owned())
            }
            Self::MissingGrant { missing, .. } => {
                let keys: Vec<String> = missing
                    .iter()
                    .filter_map(|one| one.keys.first())
                    .map(|key| format!("{key} = []"))
                    .collect();
                Some(format!(
                    "write what it may do in its `grants` table; `{}` allows the import and denies every call",
                    keys.join("`, `")
                ))
            }
            Self::NotCompiled { .. } | Self::NoSandbox { .. } => None,
        }
    }
}

/// An imported interface none of whose keys is in the grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingGrant {
    /// The import, as the component names it.
    pub import: String,
    /// The keys of `grants` that cover it.
    pub keys: &'static [&'static str],
}

/// A question to a hook, with its end and all that it was denied on the way, whether or not it told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The answer.
    pub result: Result<T, HookFailure>,
    /// What it was denied, at most a hundred.
    pub denials: Vec<Denied>,
}

/// Why a hook has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookFailure {
    /// The hook says that the engine refused something it needs.
    #[error("{0}")]
    Denied(String),
    /// The hook says that it may work when asked again.
    #[error("{0}")]
    Temporary(String),
    /// The hook says that it will not work.
    #[error("{0}")]
    Failed(String),
    /// The hook says something of its own.
    #[error("{reason} ({code})")]
    Other {
        /// The author's code.
        code: String,
        /// The reason.
        reason: String,
    },
    /// The hook crashed.
    #[error("{message}")]
    Trapped {
        /// How.
        message: String,
        /// The last that it printed.
        printed: String,
    },
    /// The hook had no answer in time.
    #[error("no answer within {}", seconds(*.0))]
    TimedOut(std::time::Duration),
    /// The sandbox ended in the middle.
    #[error("{0}")]
    Died(String),
    /// The hook or its sandbox answered what makes no sense.
    #[error("{0}")]
    Protocol(String),
}

impl HookFailure {
    /// `hook/…`: for tools.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(_) => "hook/denied",
            Self::Temporary(_) => "hook/temporary",
            Self::Failed(_) => "hook/failed",
            Self::Other { .. } => "hook/other",
            Self::Trapped { .. } => "hook/trapped",
            Self::TimedOut(_) => "hook/timed-out",
            Self::Died(_) => "hook/died",
            Self::Protocol(_) => "hook/protocol",
        }
    }

    /// Whether asking again may help.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary(_) | Self::TimedOut(_))
    }

    /// The first line of the reason, for one-line displays.
    #[must_use]
    pub fn reason(&self) -> String {
        self.to_string().lines().next().unwrap_or_default().to_owned()
    }

    /// The hook's own `hint: ` line, when it gave one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.to_string().lines().skip(1).find_map(|line| line.strip_prefix("hint: ").map(str::to_owned))
    }
}

fn seconds(time: std::time::Duration) -> impl fmt::Display {
    format!("{} s", time.as_secs_f64())
}

fn listed(names: &[String], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { format!("`{}`", names.join("`, `")) }
}

fn missing_text(missing: &[MissingGrant]) -> String {
    let texts: Vec<String> = missing
        .iter()
        .map(|one| format!("it imports `{}`: {}", one.import, interface::keys_text(one.keys)))
        .collect();
    texts.join("; ")
}
