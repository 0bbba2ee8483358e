//! `builtin:apache`: switches Apache httpd between the colours, by the members of one balancer and its balancer-manager.

mod balancer_manager;
mod page;
mod seats;
mod settings;
mod setup;
mod start;
mod switch;
#[cfg(test)]
mod tests;

use cutover_hooks::engine::{self, Level};
use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};

pub use settings::Settings;

/// The hook.
#[derive(Debug)]
pub struct Apache;

cutover_hooks::export!(router: Apache);

impl Router for Apache {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn features(_settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        Ok(["weights", "hosts", "maintenance"].map(str::to_owned).into())
    }

    fn observe(settings: &Settings, call: &Call, router: &str) -> Result<Observation, HookError> {
        let site = settings.site(call);
        let seats = site.look(call, router)?.seats;
        let routing = seats::shown(&seats);
        let begins = site.begins_with(router)?;
        let mut labels = vec![("after-a-restart".to_owned(), word(begins).to_owned())];
        for seat in seats.iter().filter(|seat| seat.member.is_on() && seat.member.is_in_error()) {
            labels.push(("in-error".to_owned(), seat.member.url.clone()));
        }
        let settled = seats::is_all(&seats, &routing);
        // In a deployment, the next switch puts it right.
        let is_odd = settled && !seats::may_begin_with(&routing).contains(&begins);
        if is_odd && call.deployment.is_empty() {
            let text =
                format!("after a restart, Apache on `{router}` would send requests to {}", word(begins));
            engine::log(Level::Warn, text);
        }
        Ok(Observation { routing: Some(routing), settled, labels })
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let site = settings.site(call);
        match call.fact("setup") {
            Some(user) => site.setup(call, router, user),
            None => site.plan(call, router, want),
        }
    }

    fn apply(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        settings.site(call).switch(call, router, want)
    }

    fn discard(settings: &Settings, call: &Call, router: &str) -> Result<(), HookError> {
        settings.site(call).discard(router)
    }

    fn connections(
        settings: &Settings,
        call: &Call,
        router: &str,
        color: Color,
    ) -> Result<Option<u32>, HookError> {
        let seats = settings.site(call).look(call, router)?.seats;
        let counts = |seat: &seats::Seat| {
            call.instances.iter().any(|instance| instance.host == seat.host && call.counts(instance))
        };
        let counted = seats.iter().filter(|seat| seat.color == color && counts(seat));
        let busy = counted.map(|seat| seat.member.busy);
        Ok(Some(busy.fold(0, u32::saturating_add)))
    }
}

/// `blue`, `green` or `none`.
fn word(color: Option<Color>) -> &'static str {
    color.map_or("none", Color::as_str)
}
