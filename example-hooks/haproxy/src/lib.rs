//! `builtin:haproxy`: switches HAProxy between the colours over its admin socket, by a map that is looked into for each request.

mod admin_socket;
mod backend;
mod map;
mod map_file;
mod server;
mod settings;
mod setup;
mod share;
mod statistics;
#[cfg(test)]
mod tests;

use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};

pub use settings::Settings;

/// The hook.
#[derive(Debug)]
pub struct Haproxy;

cutover_hooks::export!(router: Haproxy);

impl Router for Haproxy {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn features(_settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        Ok(["weights", "maintenance"].map(str::to_owned).into())
    }

    fn observe(settings: &Settings, call: &Call, router: &str) -> Result<Observation, HookError> {
        settings.style(call).observe(call, router)
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let style = settings.style(call);
        match call.fact("setup") {
            Some(user) => style.setup(call, router, user),
            None => style.prepare(call, router, want),
        }
    }

    fn apply(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        settings.style(call).apply(router, want)
    }

    fn connections(
        settings: &Settings,
        call: &Call,
        router: &str,
        color: Color,
    ) -> Result<Option<u32>, HookError> {
        settings.style(call).connections(router, color).map(Some)
    }
}
