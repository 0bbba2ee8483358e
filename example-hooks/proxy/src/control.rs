//! The proxy's control socket: one line, one answer in JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_hooks::hosts::{self, HostError};
use cutover_hooks::{Call, HookError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Settings;
use crate::route::Route;

/// The socket of one router, for one application.
#[derive(Debug)]
pub(crate) struct Control<'a> {
    router: &'a str,
    socket: String,
    name: String,
}

/// What the proxy knows of the application.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    /// 0 where it has no route.
    pub(crate) version: u64,
    pub(crate) route: Option<Route>,
    pub(crate) open: Open,
}

/// Requests that are open.
#[derive(Debug, Deserialize)]
pub(crate) struct Open {
    pub(crate) blue: OpenAt,
    pub(crate) green: OpenAt,
}

/// The same of one colour.
#[derive(Debug, Deserialize)]
pub(crate) struct OpenAt {
    pub(crate) requests: u64,
    /// By host; one that has none may be left out.
    pub(crate) hosts: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Changed {
    version: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// It answers within milliseconds, or hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Letters of a strange answer that are shown.
const SHOWN: usize = 120;

impl<'a> Control<'a> {
    pub(crate) fn new(settings: &Settings, call: &Call, router: &'a str) -> Self {
        Self { router, socket: settings.socket(), name: call.title() }
    }

    /// What the proxy does now.
    pub(crate) fn show(&self) -> Result<Shown, HookError> {
        self.ask(&format!("show {}", self.name))
    }

    /// Whether it would do something else, were it asked to.
    pub(crate) fn check(&self, version: u64, route: &Route) -> Result<(), HookError> {
        self.change("check", version, route)
    }

    /// Has it do something else, where its route is still of this version.
    pub(crate) fn set(&self, version: u64, route: &Route) -> Result<(), HookError> {
        self.change("set", version, route)
    }

    fn change(&self, verb: &str, version: u64, route: &Route) -> Result<(), HookError> {
        let json = serde_json::to_string(route).map_err(|fault| HookError::failed(fault.to_string()))?;
        let changed: Changed = self.ask(&format!("{verb} {} {version} {json}", self.name))?;
        if changed.version > version {
            return Ok(());
        }
        let text = format!("the proxy on `{}` has version {} after a change", self.router, changed.version);
        Err(HookError::failed(text))
    }

    fn ask<T: DeserializeOwned>(&self, line: &str) -> Result<T, HookError> {
        let Self { router, socket, .. } = self;
        let answer = hosts::exchange(router, socket, &format!("{line}\n"), Some(PATIENCE));
        let answer = answer.map_err(|error| match error {
            HostError::NotFound(_) => HookError::failed(format!(
                "no proxy has run on `{router}`: there is no `{socket}`"
            ))
            .hint("`cutover setup` prints how it is installed; `directory` in `router.settings` is its --directory"),
            HostError::Failed(text) if text.ends_with("connection refused") => {
                HookError::failed(format!("the proxy on `{router}` does not run: {text}"))
                    .hint("systemctl start cutover-proxy")
            }
            HostError::Failed(text) if text.ends_with("permission denied") => {
                HookError::failed(format!("the proxy on `{router}` lets nobody in: {text}"))
                    .hint("it must run as the deploy user, as `cutover setup` prints it")
            }
            // It may be on its way through a restart.
            HostError::Failed(text) if text.ends_with("connection reset by peer") => {
                HookError::temporary(format!("the proxy on `{router}` has hung up: {text}"))
            }
            HostError::TimedOut(text) => {
                HookError::temporary(format!("the proxy on `{router}` did not answer to its end: {text}"))
                    .hint("journalctl -u cutover-proxy")
            }
            error @ (HostError::Denied(_)
            | HostError::Unreachable(_)
            | HostError::Broken(_)
            | HostError::Failed(_)
            | HostError::Other(_)) => HookError::from(error),
        })?;
        if let Ok(answer) = serde_json::from_str(&answer) {
            return Ok(answer);
        }
        if let Ok(Refused { error }) = serde_json::from_str(&answer) {
            return Err(HookError::failed(format!("the proxy on `{router}` refuses it: {error}")));
        }
        let line = answer.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let said = match line.chars().take(SHOWN).collect::<String>() {
            said if said.is_empty() => "nothing".to_owned(),
            said => format!("`{said}`"),
        };
        Err(HookError::failed(format!("`{socket}` on `{router}` does not answer as the proxy does: {said}"))
            .hint("`directory` in `router.settings` is the --directory of `cutover proxy run`"))
    }
}
