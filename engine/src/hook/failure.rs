//! How hooks fail: when they are loaded, and when they are asked.

use std::fmt;

use super::contract_version::SPOKEN;
use super::script::script_export;
use super::{ContractVersion, interface};
use crate::model::grant::Denied;
use crate::model::{Breach, HookKind};

/// For a hook that has another shape than the contract.
const BUILD_ANEW: &str =
    "build it against the contract of this version of cutover: `cutover help wit` prints it";

/// Lines of what a hook printed that are shown with its crash: a backtrace of the languages that print one.
const PRINTED_LINES: usize = 24;

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
        wanted: HookKind,
        /// The hook interfaces that it does export.
        exports: Vec<String>,
    },
    /// It was built for a contract that is not spoken here: older than any that is, or newer.
    #[error("hook `{hook}` was built for the contract cutover:hook@{version}, and this version of cutover speaks cutover:hook@{}", SPOKEN.series())]
    OtherContract {
        /// Title of the hook.
        hook: String,
        /// The newest version that it names.
        version: ContractVersion,
    },
    /// It was built for a later patch of the contract, or for another host than cutover.
    #[error("hook `{hook}` imports what this version of cutover does not offer: {imports}", imports = listed(imports, ""))]
    UnknownImports {
        /// Title of the hook.
        hook: String,
        /// Names of the interfaces.
        imports: Vec<String>,
    },
    /// It imports interfaces about which its grants say nothing, not even `[]`.
    #[error("hook `{hook}` needs what cutover.toml does not grant{missing}", missing = missing_text(missing))]
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
        /// The newest version of the contract that it names.
        version: Option<ContractVersion>,
    },
    /// It is a script that can't be read.
    #[error("hook `{hook}` can't be read: {reason}")]
    NotAScript {
        /// Title of the hook.
        hook: String,
        /// Why, with file, line and column.
        reason: String,
    },
    /// It is a script that answers other questions than the ones it would be asked.
    #[error("hook `{hook}` is not a {wanted} hook: the script does not export `{}`", script_export(*wanted))]
    WrongScript {
        /// Title of the hook.
        hook: String,
        /// What it was configured as.
        wanted: HookKind,
    },
    /// It can't be compiled, or not within the limits.
    #[error("hook `{hook}` can't be compiled: {reason}")]
    NotCompiled {
        /// Title of the hook.
        hook: String,
        /// Why.
        reason: String,
    },
    /// Its file is too large, or it takes too much to compile.
    #[error("hook `{hook}` can't be used: {breach}")]
    Limit {
        /// Title of the hook.
        hook: String,
        /// The limit.
        breach: Breach,
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
            Self::WrongKind { .. } | Self::WrongScript { .. } => "hook/wrong-kind",
            Self::OtherContract { .. } => "hook/other-contract",
            Self::UnknownImports { .. } => "hook/unknown-import",
            Self::MissingGrant { .. } => "hook/missing-grant",
            Self::Unfit { .. } => "hook/unfit",
            Self::NotAScript { .. } => "hook/not-a-script",
            Self::NotCompiled { .. } => "hook/not-compiled",
            Self::Limit { breach, .. } => breach.code(),
            Self::NoSandbox { .. } => "hook/no-sandbox",
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotAComponent { .. } => Some(
                "build it for `wasm32-wasip2`, or turn the module into a component: `wasm-tools component new`"
                    .to_owned(),
            ),
            Self::WrongKind { wanted, .. } => Some(format!(
                "build it for the world `{wanted}-hook`, or name it where a hook of its kind belongs"
            )),
            Self::WrongScript { wanted, .. } => Some(format!(
                "export `{}`: `cutover help scripts` shows one",
                script_export(*wanted)
            )),
            Self::OtherContract { version, .. } => Some(for_another_contract(*version)),
            Self::UnknownImports { imports, .. } => Some(for_what_is_lacking(ContractVersion::newest(imports))),
            Self::Unfit { version, .. } => Some(for_what_is_lacking(*version)),
            Self::MissingGrant { missing, .. } => {
                let keys: Vec<String> = missing
                    .iter()
                    .filter_map(|one| one.keys.first())
                    .map(|key| format!("{key} = []"))
                    .collect();
                Some(format!(
                    "write `{}` into its `grants` table: it loads then, and every call that is denied tells the entry \
                     that would allow it",
                    keys.join("`, `")
                ))
            }
            Self::Limit { breach, .. } => Some(breach.hint()),
            Self::NotAScript { .. } => {
                Some("`cutover help scripts` tells what a script is, and what there is for it".to_owned())
            }
            Self::NotCompiled { .. } | Self::NoSandbox { .. } => None,
        }
    }
}

/// What users and authors of a hook can do about a contract that is not spoken here.
fn for_another_contract(version: ContractVersion) -> String {
    let users =
        if version.is_newer() { "upgrade cutover, or take an earlier build" } else { "take a newer build" };
    format!(
        "{users} of the hook, for cutover:hook@{series}; its author makes one with what `cutover help wit` prints",
        series = SPOKEN.series()
    )
}

/// What to do about a hook that uses what there is not: a later version of cutover may have it.
fn for_what_is_lacking(version: Option<ContractVersion>) -> String {
    match version.filter(|version| version.is_newer()) {
        Some(version) => format!(
            "it was built for cutover:hook@{version}, and this version of cutover speaks {SPOKEN}: upgrade cutover, or {BUILD_ANEW}"
        ),
        None => BUILD_ANEW.to_owned(),
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
    #[error("{message}{}", last_lines(printed))]
    Trapped {
        /// How.
        message: String,
        /// The last that it printed.
        printed: String,
    },
    /// The hook was built for another contract.
    #[error("it does not fit the contract cutover:hook@0.1: {0}")]
    Unfit(String),
    /// The hook had no answer in time.
    #[error("no answer within {}", seconds(*.0))]
    TimedOut(std::time::Duration),
    /// The hook wanted more than it may have.
    #[error("{breach}{}", last_lines(printed))]
    Exceeded {
        /// The limit.
        breach: Breach,
        /// The last that it printed.
        printed: String,
    },
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
            Self::Unfit(_) => "hook/unfit",
            Self::TimedOut(_) => "hook/timed-out",
            Self::Exceeded { breach, .. } => breach.code(),
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

    /// What to do: the hook's own `hint: ` line, when it gave one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        if matches!(self, Self::Unfit(_)) {
            return Some(BUILD_ANEW.to_owned());
        }
        if let Self::Exceeded { breach, .. } = self {
            return Some(breach.hint());
        }
        if matches!(self, Self::TimedOut(_)) {
            return Some("give the hook a longer `timeout`, if it only needs more time".to_owned());
        }
        self.to_string().lines().skip(1).find_map(|line| line.strip_prefix("hint: ").map(str::to_owned))
    }
}

/// The last lines that a hook printed, each on a line of its own beneath the reason: there the languages put what was thrown, and
/// where.
fn last_lines(printed: &str) -> String {
    let lines: Vec<&str> = printed.lines().filter(|line| !line.trim().is_empty()).collect();
    let more = lines.len().saturating_sub(PRINTED_LINES);
    let mut text = String::new();
    if more > 0 {
        text.push_str(&format!("\n… {more} more: -vv shows them"));
    }
    for line in &lines[more..] {
        text.push('\n');
        text.push_str(line);
    }
    text
}

fn seconds(time: std::time::Duration) -> impl fmt::Display {
    format!("{} s", time.as_secs_f64())
}

fn listed(names: &[String], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { format!("`{}`", names.join("`, `")) }
}

fn missing_text(missing: &[MissingGrant]) -> String {
    let text =
        |one: &MissingGrant| format!("\nit imports `{}`: {}", one.import, interface::keys_text(one.keys));
    missing.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crashed(printed: &str) -> HookFailure {
        HookFailure::Trapped { message: "the hook crashed".to_owned(), printed: printed.to_owned() }
    }

    #[test]
    fn a_crash_is_told_with_what_was_printed_last() {
        let failure = crashed("Traceback:\n  File \"app\"\n\nKeyError: 'vendor'\nhint: name one\n");
        assert_eq!(
            failure.to_string(),
            "the hook crashed\nTraceback:\n  File \"app\"\nKeyError: 'vendor'\nhint: name one"
        );
        assert_eq!(
            (failure.reason(), failure.hint()),
            ("the hook crashed".to_owned(), Some("name one".to_owned()))
        );
        let many: String = (1..=30).map(|line| format!("line {line}\n")).collect();
        let text = crashed(&many).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 26);
        assert_eq!(lines[..3], ["the hook crashed", "… 6 more: -vv shows them", "line 7"]);
    }

    #[test]
    fn what_was_built_for_another_contract_tells_users_and_authors_what_to_do() {
        let version =
            |text: &str| ContractVersion::of(&format!("cutover:hook/router@{text}")).expect("a version").1;
        let hint = |text: &str| {
            HookFault::OtherContract { hook: "vendor".to_owned(), version: version(text) }.hint()
        };
        let newer = "upgrade cutover, or take an earlier build of the hook, for cutover:hook@0.1; its author makes one with what \
                     `cutover help wit` prints";
        assert_eq!((hint("0.2.0").as_deref(), hint("1.0.0").as_deref()), (Some(newer), Some(newer)));
        let older = "take a newer build of the hook, for cutover:hook@0.1; its author makes one with what `cutover help wit` prints";
        assert_eq!(hint("0.0.9").as_deref(), Some(older));
        let lacking = |imports: &[&str]| {
            let imports = imports.iter().map(|name| (*name).to_owned()).collect();
            HookFault::UnknownImports { hook: "vendor".to_owned(), imports }.hint()
        };
        let later = "it was built for cutover:hook@0.1.4, and this version of cutover speaks 0.1.0: upgrade cutover, or build it against \
                     the contract of this version of cutover: `cutover help wit` prints it";
        assert_eq!(lacking(&["cutover:hook/database@0.1.4", "env"]).as_deref(), Some(later));
        assert_eq!(lacking(&["cutover:hook/root@0.1.0", "env"]).as_deref(), Some(BUILD_ANEW));
        let unfit = |version| {
            HookFault::Unfit { hook: "vendor".to_owned(), reason: "x".to_owned(), version: Some(version) }
                .hint()
        };
        assert_eq!(unfit(version("0.1.4")).as_deref(), Some(later));
        assert_eq!(unfit(SPOKEN).as_deref(), Some(BUILD_ANEW));
    }
}
