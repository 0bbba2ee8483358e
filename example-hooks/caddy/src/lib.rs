//! `builtin:caddy`: switches Caddy between the colours, by a file matcher on each request. Nothing is reloaded, and Caddy's admin API is not
//! used.

mod flags;
mod include;
mod settings;
mod status;
#[cfg(test)]
mod tests;

use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};

use include::upstreams;
pub use settings::Settings;

/// The hook.
#[derive(Debug)]
pub struct Caddy;

cutover_hooks::export!(router: Caddy);

impl Router for Caddy {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn features(_settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        Ok(vec!["maintenance".to_owned()])
    }

    fn observe(settings: &Settings, call: &Call, router: &str) -> Result<Observation, HookError> {
        let site = settings.site(call);
        let color = site.ask(call, router)?.color;
        let flagged = site.flagged(router)?;
        // Looked at again: a switch may have come in between.
        if flagged.is_some() && color.is_none() && site.ask(call, router)?.color.is_none() {
            return Err(site.unseen(router));
        }
        let mut labels = vec![("flag".to_owned(), word(flagged).to_owned())];
        if flagged != color {
            labels.push(("caddy-sees".to_owned(), word(color).to_owned()));
        }
        Ok(Observation { routing: Some(Routing::to(color)), settled: flagged == color, labels })
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let site = settings.site(call);
        if let Some(user) = call.fact("setup") {
            return site.setup(call, router, user);
        }
        let want = color(want)?;
        let now = site.ask(call, router)?.color;
        site.check_view(call, router)?;
        if now == want {
            return Ok(String::new());
        }
        let line = |color: Option<Color>| match color {
            Some(color) => Ok(format!("{color}: {}", upstreams(call, router, color)?)),
            None => Ok::<String, HookError>("no colour: 503".to_owned()),
        };
        Ok(format!("--- {router}, now\n+++ {router}, then\n-{}\n+{}\n", line(now)?, line(want)?))
    }

    fn apply(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        settings.site(call).switch(router, color(want)?)
    }

    fn discard(settings: &Settings, call: &Call, router: &str) -> Result<(), HookError> {
        settings.site(call).discard(router)
    }
}

/// The colour that is to get everything, or none; files can say no more.
fn color(want: &Routing) -> Result<Option<Color>, HookError> {
    if !want.out.is_empty() {
        return Err(HookError::failed("builtin:caddy can't take single hosts out"));
    }
    match want.only() {
        None if want.blue + want.green > 0 => {
            Err(HookError::failed("builtin:caddy can't share requests between the colours"))
        }
        color => Ok(color),
    }
}

/// `blue`, `green` or `none`.
fn word(color: Option<Color>) -> &'static str {
    color.map_or("none", Color::as_str)
}
