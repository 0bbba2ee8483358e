//! `builtin:nginx`: switches nginx between the colours, by a file test on each request, by the link of an enabled site, or by the servers of an
//! upstream.

mod file_test;
mod include;
mod master;
mod settings;
mod sockets;
mod status;
mod symlink;
mod testers;
#[cfg(test)]
mod tests;
mod upstream;
mod workers;

use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};

pub use settings::{Settings, Style};

/// The hook.
#[derive(Debug)]
pub struct Nginx;

cutover_hooks::export!(router: Nginx);

impl Router for Nginx {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn features(settings: &Settings, call: &Call) -> Result<Vec<String>, HookError> {
        let features: &[&str] = match settings.style(call) {
            Style::FileTest(_) | Style::Symlink(_) => &["maintenance"],
            Style::Upstream(_) => &["maintenance", "weights"],
        };
        Ok(features.iter().map(|feature| (*feature).to_owned()).collect())
    }

    fn observe(settings: &Settings, call: &Call, router: &str) -> Result<Observation, HookError> {
        match settings.style(call) {
            Style::FileTest(style) => style.observe(call, router),
            Style::Symlink(style) => style.observe(call, router),
            Style::Upstream(style) => style.observe(call, router),
        }
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let style = settings.style(call);
        if let Some(user) = call.fact("setup") {
            return match style {
                Style::FileTest(style) => style.setup(call, router, user),
                Style::Symlink(style) => Ok(style.setup(router, user)),
                Style::Upstream(style) => Ok(style.setup(router, user)),
            };
        }
        match style {
            Style::FileTest(style) => style.prepare(call, router, color(want)?),
            Style::Symlink(style) => style.prepare(router, color(want)?),
            Style::Upstream(style) => style.prepare(call, router, all_hosts(want)?),
        }
    }

    fn apply(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        match settings.style(call) {
            Style::FileTest(style) => style.apply(router, color(want)?),
            Style::Symlink(style) => style.apply(router, color(want)?),
            Style::Upstream(style) => style.apply(call, router, all_hosts(want)?),
        }
    }

    fn discard(settings: &Settings, call: &Call, router: &str) -> Result<(), HookError> {
        match settings.style(call) {
            Style::FileTest(style) => style.discard(router),
            Style::Symlink(_) | Style::Upstream(_) => Ok(()),
        }
    }

    fn connections(
        settings: &Settings,
        call: &Call,
        router: &str,
        color: Color,
    ) -> Result<Option<u32>, HookError> {
        match settings.style(call) {
            // Without a reload, connections to the old colour rest for a while, and look like those with a websocket.
            Style::FileTest(_) => Ok(None),
            Style::Symlink(style) => style.connections(call, router, color),
            Style::Upstream(style) => style.connections(call, router, color),
        }
    }
}

/// What is wanted, where that takes no single host out.
fn all_hosts(want: &Routing) -> Result<&Routing, HookError> {
    if want.out.is_empty() { Ok(want) } else { Err(HookError::failed("nginx can't take single hosts out")) }
}

/// The colour that is to get everything, or none; two of the styles can do no more.
fn color(want: &Routing) -> Result<Option<Color>, HookError> {
    match all_hosts(want)?.only() {
        None if want.blue + want.green > 0 => {
            let text = "this style can't share requests between the colours";
            Err(HookError::failed(text).hint("`style = \"upstream\"` can"))
        }
        color => Ok(color),
    }
}

/// `blue`, `green` or `none`.
fn word(color: Option<Color>) -> &'static str {
    color.map_or("none", Color::as_str)
}
