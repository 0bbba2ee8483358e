//! A hook of every kind that does what its settings say, in Rust. What it answers is the same in every language.

#![cfg(target_family = "wasm")]

use cutover_hooks::hosts::{self, Command};
use cutover_hooks::http::{HttpError, Request};
use cutover_hooks::{
    Artifact, Build, Call, Color, Health, HealthCheck, HookError, Instance, Observation, Outcome, Router,
    Routing, SmokeTest, Source, TestCase,
};

/// `{ case = "…" }`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    case: Case,
    #[serde(default)]
    url: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Case {
    Answers,
    Denied,
    Temporary,
    Failed,
    Other,
    Crash,
    Refused,
    Http,
    Exec,
}

/// The hook.
#[derive(Debug)]
pub struct Guest;

cutover_hooks::export!(build: Guest);
cutover_hooks::export!(health_check: Guest);
cutover_hooks::export!(smoke_test: Guest);
cutover_hooks::export!(router: Guest);

fn act(settings: &Settings) -> Result<String, HookError> {
    Ok(match settings.case {
        Case::Answers => "hello".to_owned(),
        Case::Denied => return Err(HookError::Denied("not for me".to_owned()).hint("ask for it")),
        Case::Temporary => return Err(HookError::temporary("later")),
        Case::Failed => return Err(HookError::failed("broken")),
        Case::Other => return Err(HookError::Other(("E42".to_owned(), "strange".to_owned()))),
        Case::Crash => panic!("nobody expects this"),
        Case::Refused => match Request::new("GET", "http://192.0.2.1/").send() {
            Err(HttpError::Denied(text)) => return Err(HookError::Denied(text)),
            other => format!("{other:?}"),
        },
        Case::Http => {
            let answer = Request::new("GET", &settings.url).send()?;
            format!("{} {}", answer.status, answer.text)
        }
        Case::Exec => {
            let output = hosts::exec("web1", &Command::new("/bin/echo").args(["hello"]))?;
            format!("{} {}", output.status, output.out.trim())
        }
    })
}

impl Build for Guest {
    type Settings = Settings;

    fn run(settings: &Settings, _: &Call, source: &Source) -> Result<Artifact, HookError> {
        let labels = vec![("branch".to_owned(), source.branch.clone())];
        Ok(Artifact { path: "dist".to_owned(), version: Some(act(settings)?), labels })
    }
}

impl HealthCheck for Guest {
    type Settings = Settings;

    fn check(settings: &Settings, _: &Call, _: &Instance) -> Result<Health, HookError> {
        Ok(Health::Starting(act(settings)?))
    }
}

impl SmokeTest for Guest {
    type Settings = Settings;

    fn run(settings: &Settings, call: &Call) -> Result<Vec<TestCase>, HookError> {
        let case = |name: String, outcome| TestCase { name, outcome, duration_ms: 7, labels: Vec::new() };
        let port = call.instances.iter().map(|instance| instance.port.to_string()).collect();
        Ok(vec![
            case(act(settings)?, Outcome::Passed),
            case(port, Outcome::Failed("no".to_owned())),
            case(call.app.clone(), Outcome::Skipped("not today".to_owned())),
        ])
    }
}

impl Router for Guest {
    type Settings = Settings;

    fn features(_: &Settings, _: &Call) -> Result<Vec<String>, HookError> {
        Ok(vec!["weights".to_owned(), "hosts".to_owned()])
    }

    fn observe(_: &Settings, _: &Call, router: &str) -> Result<Observation, HookError> {
        let routing = Routing { blue: 25, green: 75, out: vec!["web1".to_owned()] };
        let labels = vec![("router".to_owned(), router.to_owned())];
        Ok(Observation { routing: Some(routing), settled: true, labels })
    }

    fn prepare(settings: &Settings, _: &Call, _: &str, _: &Routing) -> Result<String, HookError> {
        act(settings)
    }

    fn apply(_: &Settings, _: &Call, _: &str, want: &Routing) -> Result<(), HookError> {
        if want.green == 100 { Ok(()) } else { Err(HookError::failed(format!("green {}", want.green))) }
    }

    fn connections(_: &Settings, _: &Call, _: &str, color: Color) -> Result<Option<u32>, HookError> {
        Ok((color == Color::Blue).then_some(3))
    }
}
