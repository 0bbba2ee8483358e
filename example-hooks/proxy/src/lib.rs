//! `builtin:proxy`: switches cutover's own proxy (`cutover proxy run`), over its control socket alone.

mod control;
mod route;
mod settings;
mod setup;
#[cfg(test)]
mod tests;

use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};

use control::Control;
use route::Route;
pub use settings::Settings;

/// The hook.
#[derive(Debug)]
pub struct Proxy;

cutover_hooks::export!(router: Proxy);

impl Router for Proxy {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn features(_settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        Ok(["weights", "hosts", "maintenance"].map(str::to_owned).into())
    }

    fn observe(settings: &Settings, call: &Call, router: &str) -> Result<Observation, HookError> {
        let shown = Control::new(settings, call, router).show()?;
        let Some(route) = shown.route else {
            return Ok(Observation { routing: None, settled: true, labels: Vec::new() });
        };
        let routing = route.routing();
        let mut labels = vec![("version".to_owned(), shown.version.to_string())];
        // The next switch writes it as it should be: who looks on may want to know that it is not so yet.
        if !route.leads_where(&Route::new(settings, call, router, &routing)?) {
            labels.push(("instances".to_owned(), "others than in cutover.toml".to_owned()));
        }
        Ok(Observation { routing: Some(routing), settled: true, labels })
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        if let Some(user) = call.fact("setup") {
            return Ok(setup::script(settings, call, router, user));
        }
        let want = Route::new(settings, call, router, want)?;
        let control = Control::new(settings, call, router);
        let shown = control.show()?;
        control.check(shown.version, &want)?;
        if shown.route.as_ref() == Some(&want) {
            return Ok(String::new());
        }
        let now = shown.route.map_or_else(String::new, |route| route.lines('-'));
        Ok(format!("--- {router}, now\n+++ {router}, then\n{now}{}", want.lines('+')))
    }

    fn apply(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        let want = Route::new(settings, call, router, want)?;
        let control = Control::new(settings, call, router);
        let shown = control.show()?;
        if shown.route.as_ref() == Some(&want) {
            return Ok(());
        }
        control.set(shown.version, &want)
    }

    fn connections(
        settings: &Settings,
        call: &Call,
        router: &str,
        color: Color,
    ) -> Result<Option<u32>, HookError> {
        let open = Control::new(settings, call, router).show()?.open;
        let at = match color {
            Color::Blue => open.blue,
            Color::Green => open.green,
        };
        let count = match call.fact("hosts") {
            None => at.requests,
            Some(hosts) => hosts.split(' ').filter_map(|host| at.hosts.get(host)).sum(),
        };
        Ok(Some(u32::try_from(count).unwrap_or(u32::MAX)))
    }
}
