//! `builtin:kubernetes`: switches a Service of Kubernetes by its selector, or an HTTPRoute by its weights.

mod api;
mod gateway;
mod readiness;
mod selector;
mod settings;
mod setup;
mod slices;
#[cfg(test)]
mod tests;

use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};

use gateway::Gateway;
use selector::Selector;
pub use settings::{Settings, Style};

/// The hook.
#[derive(Debug)]
pub struct Kubernetes;

cutover_hooks::export!(router: Kubernetes);

impl Router for Kubernetes {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn features(settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        let features: &[&str] = match settings.style {
            Style::Service => &["maintenance"],
            Style::Gateway => &["weights", "maintenance"],
        };
        Ok(features.iter().map(|feature| (*feature).to_owned()).collect())
    }

    fn observe(settings: &Settings, _call: &Call, _router: &str) -> Result<Observation, HookError> {
        match settings.style {
            Style::Service => Selector::new(settings).observe(),
            Style::Gateway => Gateway::new(settings).observe(),
        }
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        if call.fact("setup").is_some() {
            return Ok(settings.setup());
        }
        all_hosts(want)?;
        match settings.style {
            Style::Service => Selector::new(settings).prepare(call, router, want),
            Style::Gateway => Gateway::new(settings).prepare(call, router, want),
        }
    }

    fn apply(settings: &Settings, _call: &Call, _router: &str, want: &Routing) -> Result<(), HookError> {
        all_hosts(want)?;
        match settings.style {
            Style::Service => Selector::new(settings).apply(want),
            Style::Gateway => Gateway::new(settings).apply(want),
        }
    }
}

/// # Errors
/// When single hosts are to be out.
fn all_hosts(want: &Routing) -> Result<(), HookError> {
    if want.out.is_empty() {
        return Ok(());
    }
    Err(HookError::failed("builtin:kubernetes can't take single hosts out"))
}

/// `blue`, `green` or `none`.
fn word(color: Option<Color>) -> &'static str {
    color.map_or("none", Color::as_str)
}
