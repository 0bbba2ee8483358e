//! `builtin:nginx`: switches nginx between the colours, by a file test on each request or by the link of an enabled site.

mod file_test;
mod include;
mod settings;
mod status;
mod symlink;
#[cfg(test)]
mod tests;
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

    fn features(_settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        Ok(vec!["maintenance".to_owned()])
    }

    fn observe(settings: &Settings, call: &Call, router: &str) -> Result<Observation, HookError> {
        match settings.style(call) {
            Style::FileTest(style) => style.observe(call, router),
            Style::Symlink(style) => style.observe(router),
        }
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let style = settings.style(call);
        if let Some(user) = call.fact("setup") {
            return match style {
                Style::FileTest(style) => style.setup(call, router, user),
                Style::Symlink(style) => Ok(style.setup(router, user)),
            };
        }
        let want = color(want)?;
        match style {
            Style::FileTest(style) => style.prepare(call, router, want),
            Style::Symlink(style) => style.prepare(router, want),
        }
    }

    fn apply(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        let want = color(want)?;
        match settings.style(call) {
            Style::FileTest(style) => style.apply(router, want),
            Style::Symlink(style) => style.apply(router, want),
        }
    }

    fn discard(settings: &Settings, call: &Call, router: &str) -> Result<(), HookError> {
        match settings.style(call) {
            Style::FileTest(style) => style.discard(router),
            Style::Symlink(_) => Ok(()),
        }
    }
}

/// The colour that is to get everything, or none; both styles can do no more.
fn color(want: &Routing) -> Result<Option<Color>, HookError> {
    if !want.out.is_empty() {
        return Err(HookError::failed("nginx can't take single hosts out"));
    }
    match want.only() {
        None if want.blue + want.green > 0 => {
            Err(HookError::failed("nginx can't share requests between the colours"))
        }
        color => Ok(color),
    }
}

/// `blue`, `green` or `none`.
fn word(color: Option<Color>) -> &'static str {
    color.map_or("none", Color::as_str)
}
