//! Moves traffic: a balancer that tells and takes its live colour at one URL.

use cutover_hooks::http::{Request, Response};
use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};
use serde::Deserialize;

/// The `settings` table in cutover.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the balancer tells and takes its live colour, as seen from its own host.
    url: String,
}

#[derive(Debug)]
pub struct Hook;

impl Router for Hook {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        if settings.url.starts_with("http://") || settings.url.starts_with("https://") {
            return Vec::new();
        }
        vec![SettingFault::new(
            "url",
            format!("`{}` is no URL: `http://…` or `https://…`", settings.url),
        )]
    }

    fn features(_: &Settings, _: &Call) -> Result<Vec<String>, HookError> {
        Ok(vec!["maintenance".to_owned()])
    }

    fn observe(settings: &Settings, _: &Call, router: &str) -> Result<Observation, HookError> {
        let said = Request::new("GET", &settings.url).via(router).fetch()?;
        let routing = Routing::to(color(&said)?);
        Ok(Observation { routing: Some(routing), settled: true, labels: Vec::new() })
    }

    fn prepare(
        settings: &Settings,
        call: &Call,
        router: &str,
        want: &Routing,
    ) -> Result<String, HookError> {
        // The once-only set-up is asked for without a router to speak to.
        if call.fact("setup").is_some() {
            return Ok("# nothing has to be installed: the balancer is told over HTTP\n".to_owned());
        }
        let said = Request::new("GET", &settings.url).via(router).fetch()?;
        let (now, then) = (word(color(&said)?), word(wanted(want)?));
        Ok(if now == then { String::new() } else { format!("-{now}\n+{then}\n") })
    }

    fn apply(settings: &Settings, _: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        Request::new("PUT", &settings.url).via(router).body(word(wanted(want)?)).fetch()?;
        Ok(())
    }
}

fn color(answer: &Response) -> Result<Option<Color>, HookError> {
    match answer.text.trim() {
        "blue" => Ok(Some(Color::Blue)),
        "green" => Ok(Some(Color::Green)),
        "none" => Ok(None),
        other => Err(HookError::failed(format!("the balancer names no colour: `{other}`"))),
    }
}

fn word(color: Option<Color>) -> &'static str {
    color.map_or("none", Color::as_str)
}

/// All to one colour or none at all: `features` names neither `weights` nor `hosts`, so nothing else is asked.
fn wanted(want: &Routing) -> Result<Option<Color>, HookError> {
    match (want.blue, want.green) {
        (0, 0) => Ok(None),
        _ => want
            .only()
            .map(Some)
            .ok_or_else(|| HookError::failed("the balancer can't share requests")),
    }
}

cutover_hooks::export!(router: Hook);

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use cutover_hooks::fake;

    use super::*;

    #[test]
    fn what_is_applied_is_observed() {
        let world = fake::World::install(["lb1"]);
        let live = Rc::new(RefCell::new("blue".to_owned()));
        let balancer = Rc::clone(&live);
        world.http(move |request| {
            if let Some(body) = &request.body {
                *balancer.borrow_mut() = String::from_utf8_lossy(body).into_owned();
            }
            fake::response(200, &[], &balancer.borrow())
        });
        let (settings, call) = (
            Settings { url: "http://127.0.0.1:9000/live".to_owned() },
            fake::call("{}", Vec::new()),
        );
        for color in [Some(Color::Green), None, Some(Color::Blue)] {
            let want = Routing::to(color);
            Hook::apply(&settings, &call, "lb1", &want).expect("applied");
            let seen = world.reading(|| Hook::observe(&settings, &call, "lb1")).expect("observed");
            assert_eq!((seen.routing, seen.settled), (Some(want), true));
        }
    }
}
