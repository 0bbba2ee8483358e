//! `builtin:haproxy`: switches HAProxy between the colours over its admin socket, by a map that is looked into for each request, or by the
//! states of the servers of one backend.

mod admin_socket;
mod backend;
mod map;
mod map_file;
mod server;
mod server_state;
mod servers;
mod settings;
mod setup;
mod share;
mod statistics;
#[cfg(test)]
mod tests;

use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};

pub use settings::{Settings, Style, StyleName};

/// The hook.
#[derive(Debug)]
pub struct Haproxy;

cutover_hooks::export!(router: Haproxy);

impl Router for Haproxy {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn features(settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        let own = match settings.style {
            StyleName::Map => "weights",
            StyleName::Servers => "hosts",
        };
        Ok([own, "maintenance"].map(str::to_owned).into())
    }

    fn observe(settings: &Settings, call: &Call, router: &str) -> Result<Observation, HookError> {
        match settings.style(call) {
            Style::Map(style) => style.observe(call, router),
            Style::Servers(style) => style.observe(call, router),
        }
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        match (settings.style(call), call.fact("setup")) {
            (Style::Map(style), Some(user)) => style.setup(call, router, user),
            (Style::Map(style), None) => style.prepare(call, router, want),
            (Style::Servers(style), Some(user)) => style.setup(call, router, user),
            (Style::Servers(style), None) => style.prepare(call, router, want),
        }
    }

    fn apply(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        match settings.style(call) {
            Style::Map(style) => style.apply(router, want),
            Style::Servers(style) => style.apply(call, router, want),
        }
    }

    fn connections(
        settings: &Settings,
        call: &Call,
        router: &str,
        color: Color,
    ) -> Result<Option<u32>, HookError> {
        match settings.style(call) {
            Style::Map(style) => style.connections(router, color),
            Style::Servers(style) => style.connections(call, router, color),
        }
        .map(Some)
    }
}
