//! `builtin:cloud-foundry`: switches a route of Cloud Foundry between two apps, by its destinations: the new one is mapped before the old one
//! is unmapped.

mod api;
mod route;
mod settings;
mod setup;
#[cfg(test)]
mod tests;

use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};

use route::Route;
pub use settings::Settings;

/// The hook.
#[derive(Debug)]
pub struct CloudFoundry;

cutover_hooks::export!(router: CloudFoundry);

impl Router for CloudFoundry {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn features(_settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        Ok(vec!["maintenance".to_owned()])
    }

    fn observe(settings: &Settings, _call: &Call, _router: &str) -> Result<Observation, HookError> {
        let route = Route::find(settings)?;
        let mapped: Vec<&str> = route.mapped().map(Color::as_str).collect();
        let labels =
            vec![("mapped".to_owned(), if mapped.is_empty() { "none".to_owned() } else { mapped.join(" ") })];
        let both = mapped.len() == 2;
        // Who has how much then depends on how many instances each app has.
        let routing = if both {
            Routing { blue: 50, green: 50, out: Vec::new() }
        } else {
            Routing::to(route.mapped().next())
        };
        Ok(Observation { routing: Some(routing), settled: !both, labels })
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        if call.fact("setup").is_some() {
            return Ok(settings.setup());
        }
        let want = color(want)?;
        let route = Route::find(settings)?;
        if route.is_at(want) {
            return Ok(String::new());
        }
        if let Some(color) = want.filter(|color| route.mapped().all(|mapped| mapped != *color)) {
            route.check_instances(call, color)?;
        }
        let name = settings.url();
        let mut text = format!("--- {router}: route {name}, now\n+++ {router}: route {name}, then\n");
        for color in route.mapped().filter(|mapped| Some(*mapped) != want) {
            text.push_str(&format!("-{color}: {}\n", settings.app(color)));
        }
        for color in want.into_iter().filter(|color| route.mapped().all(|mapped| mapped != *color)) {
            text.push_str(&format!("+{color}: {}\n", settings.app(color)));
        }
        Ok(text)
    }

    fn apply(settings: &Settings, _call: &Call, _router: &str, want: &Routing) -> Result<(), HookError> {
        Route::find(settings)?.switch(color(want)?)
    }
}

/// The app that is to get everything, or none; a route can say no more.
fn color(want: &Routing) -> Result<Option<Color>, HookError> {
    if !want.out.is_empty() {
        return Err(HookError::failed("builtin:cloud-foundry can't take single hosts out"));
    }
    match want.only() {
        None if want.blue + want.green == 100 => {
            Err(HookError::failed("builtin:cloud-foundry can't share requests between the colours"))
        }
        color => Ok(color),
    }
}
