//! HAProxy's admin socket: one line, one answer.

use std::time::Duration;

use cutover_hooks::HookError;
use cutover_hooks::hosts::{self, HostError};

/// The socket of one router.
#[derive(Debug)]
pub(crate) struct AdminSocket<'a> {
    pub(crate) router: &'a str,
    /// As `hosts::exchange` takes it.
    pub(crate) socket: &'a str,
}

/// HAProxy answers within milliseconds, or hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Letters of a strange answer that are shown.
const SHOWN: usize = 120;

impl AdminSocket<'_> {
    /// What HAProxy answers to a line.
    pub(crate) fn ask(&self, line: &str) -> Result<String, HookError> {
        let Self { router, socket } = self;
        let answer = hosts::exchange(router, socket, &format!("{line}\n"), Some(PATIENCE));
        let answer = answer.map_err(|error| match error {
            HostError::NotFound(_) => {
                HookError::failed(format!("HAProxy has no admin socket `{socket}` on `{router}`")).hint(
                    "start HAProxy; its `global` section needs the `stats socket` line that `cutover setup` prints, \
                     or name its own by `socket` in `router.settings`",
                )
            }
            HostError::Failed(text) if text.ends_with("connection refused") => {
                HookError::failed(format!("HAProxy on `{router}` does not answer: {text}"))
                    .hint("start HAProxy: nothing listens on that socket")
            }
            HostError::Failed(text) if text.ends_with("permission denied") => {
                HookError::failed(format!("HAProxy's admin socket on `{router}` lets nobody in: {text}"))
                    .hint("the deploy user has to be in the socket's group: `cutover setup` prints how")
            }
            // It may be on its way through a restart.
            HostError::Failed(text) if text.ends_with("connection reset by peer") => {
                HookError::temporary(format!("HAProxy on `{router}` has hung up: {text}"))
            }
            HostError::TimedOut(text) => {
                HookError::temporary(format!("HAProxy on `{router}` did not answer to its end: {text}"))
                    .hint("its log may tell why")
            }
            error @ (HostError::Denied(_)
            | HostError::Unreachable(_)
            | HostError::Broken(_)
            | HostError::Failed(_)
            | HostError::Other(_)) => HookError::from(error),
        })?;
        match answer.trim_end() {
            "Permission denied" => {
                let text = format!("`{socket}` on `{router}` does not allow `{line}`");
                Err(HookError::failed(text).hint(LEVEL))
            }
            _ => Ok(answer),
        }
    }

    /// Has HAProxy change something. It answers nothing, where it does.
    pub(crate) fn change(&self, line: &str) -> Result<(), HookError> {
        let answer = self.ask(line)?;
        if answer.trim().is_empty() {
            return Ok(());
        }
        let Self { router, .. } = self;
        Err(HookError::failed(format!("HAProxy on `{router}` refused `{line}`: {}", shown(&answer))))
    }

    /// For an answer that HAProxy never gives.
    pub(crate) fn nonsense(&self, line: &str, answer: &str) -> HookError {
        let Self { router, socket } = self;
        let text =
            format!("`{socket}` on `{router}` does not answer `{line}` as HAProxy does: {}", shown(answer));
        HookError::failed(text)
            .hint("`socket` in `router.settings` is what `stats socket` in haproxy.cfg names")
    }
}

/// What is missing where HAProxy listens to us, and not in all.
pub(crate) const LEVEL: &str = "its `stats socket` line in haproxy.cfg needs `level admin`";

/// What is missing where HAProxy knows nothing of the application, or something else.
pub(crate) const INSTALL: &str = "install what `cutover setup` prints for this host, and reload HAProxy";

/// The beginning of an answer, on one line.
fn shown(answer: &str) -> String {
    let line = answer.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if line.is_empty() {
        return "nothing".to_owned();
    }
    let short: String = line.chars().take(SHOWN).collect();
    format!("`{short}`")
}
