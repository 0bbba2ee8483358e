//! `builtin:traefik`: switches Traefik by a file in the directory that its file provider watches, and asks its API what it does. Nothing is
//! reloaded by hand.

mod api;
mod file;
mod probe;
mod settings;
mod setup;
mod shares;
#[cfg(test)]
mod tests;

use cutover_hooks::{Call, HookError, Observation, Router, Routing, SettingFault};

pub use settings::Settings;
use shares::Shares;

/// The hook.
#[derive(Debug)]
pub struct Traefik;

cutover_hooks::export!(router: Traefik);

impl Router for Traefik {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn features(_settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        Ok(["weights", "maintenance"].map(str::to_owned).into())
    }

    fn observe(settings: &Settings, call: &Call, router: &str) -> Result<Observation, HookError> {
        let site = settings.site(call);
        let written = site.written(router)?;
        let Some(loaded) = site.loaded(router)? else {
            return Ok(Observation { routing: None, settled: written.is_none(), labels: Vec::new() });
        };
        let settled = written.is_some_and(|text| site.says(&text, &loaded));
        let mut labels = Vec::new();
        // The next switch writes it as it should be: who looks on may want to know that it is not so yet.
        if !loaded.has_addresses_of(&Shares::wanted(call, router, &Routing::to(None))?) {
            labels.push(("instances".to_owned(), "others than in cutover.toml".to_owned()));
        }
        Ok(Observation { routing: Some(loaded.routing()), settled, labels })
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let site = settings.site(call);
        if let Some(user) = call.fact("setup") {
            return site.setup(call, router, user);
        }
        let then = Shares::wanted(call, router, want)?;
        let written = site.written(router)?;
        let now = site.loaded(router)?;
        if now.as_ref().is_some_and(|now| now.does_as(&then)) && written == Some(site.text(&then)) {
            return Ok(String::new());
        }
        site.check_follows(router)?;
        let now = now.map_or_else(String::new, |now| now.lines('-'));
        Ok(format!("--- {router}, now\n+++ {router}, then\n{now}{}", then.lines('+')))
    }

    fn apply(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        let site = settings.site(call);
        let then = Shares::wanted(call, router, want)?;
        let text = site.text(&then);
        // Written again where Traefik has not followed: that is a word to it, too.
        if site.written(router)?.as_ref() == Some(&text) && site.loaded(router)?.as_ref() == Some(&then) {
            return Ok(());
        }
        site.write(router, &text)
    }

    fn discard(settings: &Settings, call: &Call, router: &str) -> Result<(), HookError> {
        settings.site(call).discard(router)
    }
}
