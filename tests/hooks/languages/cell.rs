//! One cell: a question to a guest, and what it has to come to in every language.

use std::time::Duration;

use cutover::hook::{Answered, HookFault, LoadedHook};
use cutover::model::grant::{ExecGrant, Grants, HostGroup, HttpGrant, HttpTarget};
use cutover::model::{
    Artifact, Case as Tried, CaseOutcome, Color, Health, Hook, HookKind, HostName, Observation, Routing,
    SettingFault, Source,
};
use serde_json::json;

use super::super::stage::{Stage, call, hook, instance, nothing};
use super::guest::Guest;

/// What a guest is made to do, or by what it is met.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Case {
    Answers,
    Denied,
    Temporary,
    Failed,
    Other,
    /// It crashes: what it says then reaches the operator.
    Crash,
    /// It asks for what is not granted.
    Refused,
    Http,
    Exec,
    /// Settings in which a key is missing.
    Settings,
}

impl Case {
    pub(super) const ALL: [Self; 10] = [
        Self::Answers,
        Self::Denied,
        Self::Temporary,
        Self::Failed,
        Self::Other,
        Self::Crash,
        Self::Refused,
        Self::Http,
        Self::Exec,
        Self::Settings,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Denied => "denied",
            Self::Temporary => "temporary",
            Self::Failed => "failed",
            Self::Other => "other",
            Self::Crash => "crash",
            Self::Refused => "refused",
            Self::Http => "http",
            Self::Exec => "exec",
            Self::Settings => "settings",
        }
    }

    /// What it comes to: the answer, or the code and the text of the failure.
    const fn expected(self) -> &'static str {
        match self {
            Self::Answers => "hello",
            Self::Denied => "hook/denied: not for me\nhint: ask for it",
            Self::Temporary => "hook/temporary: later",
            Self::Failed => "hook/failed: broken",
            Self::Other => "hook/other: strange (E42)",
            Self::Crash => "nobody expects this",
            Self::Refused => {
                "hook/denied: GET http://192.0.2.1: not granted\nhint: add to the hook's grants: http = [{ to = \"http://192.0.2.1\" }] \
                 | denied GET http://192.0.2.1: not granted"
            }
            Self::Http => "200 pong",
            Self::Exec => "0 hello",
            Self::Settings => "a fault at ``: missing field `case`",
        }
    }

    fn grants(self, origin: &str) -> Grants {
        let http = HttpGrant {
            to: HttpTarget::Origin(origin.to_owned()),
            private: true,
            via: None,
            authorities: None,
        };
        let exec = ExecGrant {
            hosts: HostGroup::App,
            program: "/bin/echo".to_owned(),
            args: vec!["hello".to_owned()],
            env: Vec::new(),
            directory: Vec::new(),
            input: false,
            as_root: false,
            read_only: false,
            interpreter: false,
        };
        Grants {
            http: Some(Vec::from_iter((self == Self::Http).then_some(http))),
            exec: Some(Vec::from_iter((self == Self::Exec).then_some(exec))),
            ..nothing()
        }
    }
}

/// Asks a guest as a kind, and holds what it comes to against what it has to.
///
/// # Errors
/// With what it came to instead.
pub(super) async fn run(
    stage: &Stage,
    guest: &Guest,
    kind: HookKind,
    case: Case,
    port: u16,
) -> Result<(), String> {
    let origin = format!("http://127.0.0.1:{port}");
    let settings = if case == Case::Settings {
        json!({})
    } else {
        json!({"case": case.name(), "url": format!("{origin}/")})
    };
    let hook = hook(settings, case.grants(&origin), Duration::from_secs(30));
    let hook = Hook { source: guest.source.clone(), ..hook };
    let refused = |fault: HookFault| format!("{}: {fault}", fault.code());
    let loaded = stage.try_load(&hook, kind, guest.file(kind)).await.map_err(refused)?;
    let faults = told(loaded.validate(stage.access()).await, |faults| faults.iter().map(fault).collect());
    let came_to = if faults.is_empty() { ask(stage, &loaded, kind).await } else { faults };
    let is_right = if case == Case::Crash {
        came_to.starts_with(guest.crashes) && came_to.contains(case.expected())
    } else {
        came_to == case.expected()
    };
    if is_right { Ok(()) } else { Err(came_to) }
}

fn fault(fault: &SettingFault) -> String {
    format!("a fault at `{}`: {}", fault.key, fault.reason)
}

async fn ask(stage: &Stage, hook: &LoadedHook, kind: HookKind) -> String {
    let (call, access) = (call(vec![instance(4002)]), stage.access());
    match kind {
        HookKind::Build => {
            let source = Source {
                revision: "9f3c2a1b".to_owned(),
                branch: "main".to_owned(),
                checkout: "/build/checkout".to_owned(),
                output: "/build/output".to_owned(),
            };
            told(hook.build(&call, &source, access).await, |artifact| match artifact {
                Artifact { path, version: Some(text), labels }
                    if path == "dist" && labels == [("branch".to_owned(), "main".to_owned())] =>
                {
                    text
                }
                other => format!("{other:?}"),
            })
        }
        HookKind::HealthCheck => {
            told(hook.check_health(&call, &instance(4002), access).await, |health| match health {
                Health::Starting(text) => text,
                other @ (Health::Healthy(_) | Health::Unhealthy(_)) => format!("{other:?}"),
            })
        }
        HookKind::SmokeTest => told(hook.smoke(&call, access).await, |tried| cases(&tried)),
        HookKind::Router => {
            let lb1 = HostName::new("lb1").unwrap();
            let want = Routing { blue: 0, green: 100, out: Vec::new() };
            let prepared = told(hook.prepare(&call, &lb1, &want, access).await, |text| text);
            let others = others(stage, hook).await;
            if others.is_empty() { prepared } else { format!("{prepared}, but {others}") }
        }
    }
}

fn cases(cases: &[Tried]) -> String {
    let rest = [
        ("4002", CaseOutcome::Failed("no".to_owned())),
        ("shop", CaseOutcome::Skipped("not today".to_owned())),
    ];
    let [first, others @ ..] = cases else { return "no cases".to_owned() };
    let others_are = others.iter().map(|case| (case.name.as_str(), case.outcome.clone())).eq(rest);
    let is_right = first.outcome == CaseOutcome::Passed && cases.iter().all(|case| case.duration_ms == 7);
    if is_right && others_are { first.name.clone() } else { format!("{cases:?}") }
}

/// What else a router is asked, whatever its settings; nothing when all is as it has to be.
async fn others(stage: &Stage, hook: &LoadedHook) -> String {
    let (call, access, lb1) = (call(vec![instance(4002)]), stage.access(), HostName::new("lb1").unwrap());
    let routing = |blue, green, out: &[&str]| {
        let out = out.iter().map(|name| HostName::new(*name).unwrap()).collect();
        Routing { blue, green, out }
    };
    let seen = Observation {
        routing: Some(routing(25, 75, &["web1"])),
        settled: true,
        labels: vec![("router".to_owned(), "lb1".to_owned())],
    };
    let mut wrong = String::new();
    let mut expect = |what: &str, is_right: bool, was: String| {
        if !is_right {
            wrong.push_str(&format!("{what}: {was}; "));
        }
    };
    let features = hook.features(&call, access).await.result;
    expect(
        "features",
        features == Ok(vec!["weights".to_owned(), "hosts".to_owned()]),
        format!("{features:?}"),
    );
    let observed = hook.observe(&call, &lb1, access).await.result;
    expect("observe", observed == Ok(seen), format!("{observed:?}"));
    let applied = hook.apply(&call, &lb1, &routing(0, 100, &[]), access).await.result;
    expect("apply", applied == Ok(()), format!("{applied:?}"));
    let not_applied = told(hook.apply(&call, &lb1, &routing(100, 0, &[]), access).await, |()| String::new());
    expect("apply", not_applied == "hook/failed: green 0", not_applied.clone());
    let discarded = hook.discard(&call, &lb1, access).await.result;
    expect("discard", discarded == Ok(()), format!("{discarded:?}"));
    for (color, count) in [(Color::Blue, Some(3)), (Color::Green, None)] {
        let connections = hook.connections(&call, &lb1, color, access).await.result;
        expect("connections", connections == Ok(count), format!("{connections:?}"));
    }
    wrong
}

/// An answer, or the code and the text of a failure, and what was denied.
fn told<T>(answered: Answered<T>, text: impl FnOnce(T) -> String) -> String {
    let mut text = match answered.result {
        Ok(value) => text(value),
        Err(failure) => format!("{}: {failure}", failure.code()),
    };
    for denied in answered.denials {
        text.push_str(&format!(" | denied {denied}"));
    }
    text
}
