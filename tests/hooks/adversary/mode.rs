//! One mode of the adversary: what it is, what it may do, how it must end.

use std::sync::Arc;
use std::time::Duration;

use cutover::hook::{Access, Hosts, LoadedHook};
use cutover::model::grant::{Denied, Grants};
use cutover::model::{Health, Hook, HookKind, HookSource, HostName, Limit, Limits, Routing};
use cutover::transport::{Link, LinkFuture};
use cutover_host::operation::{Answer, Call, Guard};
use serde_json::{Value, json};

use super::super::stage::{Stage, call, hook, instance, nothing};
use super::components::Component;

/// A mode.
pub(super) struct Mode {
    pub(super) name: &'static str,
    pub(super) component: Component,
    pub(super) kind: HookKind,
    pub(super) expected: String,
    question: Question,
    settings: Value,
    grants: Grants,
    limits: Limits,
    time: Duration,
    lies: Option<Answer>,
}

/// What it is asked.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Question {
    Health,
    Observe,
    Prepare,
    Validate,
}

impl Mode {
    pub(super) fn new(name: &'static str, component: Component) -> Self {
        Self {
            name,
            component,
            kind: HookKind::HealthCheck,
            expected: String::new(),
            question: Question::Health,
            settings: json!({}),
            grants: nothing(),
            limits: Limits::default(),
            time: Duration::from_secs(30),
            lies: None,
        }
    }

    /// The stranger's deed, which most modes are.
    pub(super) fn deed(name: &'static str, deed: &str, to: &str) -> Self {
        Self { settings: json!({"do": deed, "to": to}), ..Self::new(name, Component::Stranger) }
    }

    /// Another component, with the same settings.
    pub(super) fn made_of(self, component: Component) -> Self {
        Self { component, ..self }
    }

    pub(super) fn args(mut self, args: &[&str]) -> Self {
        self.settings["args"] = json!(args);
        self
    }

    pub(super) fn granted(self, grants: Grants) -> Self {
        Self { grants, ..self }
    }

    pub(super) fn limit(self, limit: Limit, amount: u64) -> Self {
        Self { limits: self.limits.with(limit, amount), ..self }
    }

    pub(super) fn within(self, milliseconds: u64) -> Self {
        Self { time: Duration::from_millis(milliseconds), ..self }
    }

    pub(super) fn asked(self, question: Question) -> Self {
        let kind = if question == Question::Health { HookKind::HealthCheck } else { HookKind::Router };
        Self { question, kind, ..self }
    }

    pub(super) fn of_kind(self, kind: HookKind) -> Self {
        Self { kind, ..self }
    }

    /// The host answers this, whatever it is asked.
    pub(super) fn lied_to(self, answer: Answer) -> Self {
        Self { lies: Some(answer), ..self }
    }

    pub(super) fn ends(self, expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), ..self }
    }

    pub(super) fn hook(&self) -> Hook {
        let hook = hook(self.settings.clone(), self.grants.clone(), self.time);
        let is_script = matches!(self.component, Component::Script(_));
        let script = is_script.then(|| HookSource::Script("/hooks/stranger.js".into()));
        let source = script.unwrap_or_else(|| hook.source.clone());
        Hook { limits: self.limits.clone(), source, ..hook }
    }

    /// Asks, and puts the end in words.
    pub(super) async fn ask(&self, hook: &LoadedHook, stage: &Stage) -> (String, Vec<Denied>) {
        let liar = self.lies.clone().map(Liar::new);
        let mut access = stage.access();
        if let Some(liar) = &liar {
            access = Access { hosts: liar, ..access };
        }
        let call = call(vec![instance(4002)]);
        let (result, denials) = match self.question {
            Question::Health => {
                let answer = hook.check_health(&call, &instance(4002), access).await;
                let text = answer.result.map(|health| match health {
                    Health::Starting(text) => text,
                    other @ (Health::Healthy(_) | Health::Unhealthy(_)) => format!("{other:?}"),
                });
                (text, answer.denials)
            }
            Question::Observe => {
                let answer = hook.observe(&call, &HostName::new("lb1").unwrap(), access).await;
                (answer.result.map(|seen| seen.labels[0].1.clone()), answer.denials)
            }
            Question::Prepare => {
                let (router, want) =
                    (HostName::new("lb1").unwrap(), Routing { blue: 0, green: 100, out: Vec::new() });
                let answer = hook.prepare(&call, &router, &want, access).await;
                (answer.result, answer.denials)
            }
            Question::Validate => {
                let answer = hook.validate(access).await;
                (answer.result.map(|faults| faults[0].reason.clone()), answer.denials)
            }
        };
        let text = match result {
            Ok(text) => format!("answered {text}"),
            Err(failure) => format!("{}: {}", failure.code(), failure.reason()),
        };
        (text, denials)
    }

    /// The first line, without what differs from run to run.
    pub(super) fn plain(&self, stage: &Stage, text: &str) -> String {
        let line = text.lines().next().unwrap_or_default();
        let line = line.replace(stage.place.path().to_str().unwrap(), "DIR");
        let mut plain = String::new();
        for (at, part) in line.split("127.0.0.1:").enumerate() {
            let rest = if at == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_digit()) };
            if at > 0 {
                plain.push_str("127.0.0.1:PORT");
            }
            plain.push_str(rest);
        }
        plain
    }
}

/// A host that answers everything alike.
#[derive(Debug)]
struct Liar(Arc<dyn Link>);

impl Liar {
    fn new(answer: Answer) -> Self {
        Self(Arc::new(LyingLink { name: HostName::new("web1").unwrap(), answer }))
    }
}

impl Hosts for Liar {
    fn link(&self, _: &HostName) -> Option<Arc<dyn Link>> {
        Some(Arc::clone(&self.0))
    }

    fn guard(&self, _: &HostName) -> Option<Guard> {
        None
    }
}

#[derive(Debug)]
struct LyingLink {
    name: HostName,
    answer: Answer,
}

impl Link for LyingLink {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn perform(&self, _: Call) -> LinkFuture<'_, Answer> {
        Box::pin(std::future::ready(Ok(self.answer.clone())))
    }

    fn open(&self, _: Call) -> LinkFuture<'_, cutover::transport::Flow> {
        Box::pin(std::future::ready(Err(cutover::transport::Failure::Broken("it lies".to_owned()))))
    }
}
