//! A hook that can be asked.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::broker::Broker;
use super::child::{Sandbox, SandboxProgram};
use super::failure::{Answered, HookFailure};
use super::http::HttpClient;
use super::meddler::Meddled;
use super::memory::SealedMemory;
use super::script::Script;
use super::wire::{End, Order, Question, Report, Room, Value};
use super::{Access, Between, Description, convert, interface, limits, masked, pool};
use crate::model::case::{Asked, Put};
use crate::model::grant::{Grants, Mode, Scope};
use crate::model::{
    Artifact, Case, Color, Health, Hook, HookCall, HookKind, HookSource, HostName, Instance, Level, Limit,
    Limits, Mishap, Observation, Routing, SettingFault, Source, excerpt,
};

/// A hook that is ready to be asked, with the sandboxes that run it. Dropping it ends them.
pub struct LoadedHook {
    hook: Hook,
    kind: HookKind,
    component: Component,
    http: Arc<HttpClient>,
    idle: Mutex<Vec<Sandbox>>,
    permits: Semaphore,
}

/// A checked component and what starts a sandbox for it.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) digest: String,
    pub(super) description: Description,
    pub(super) code: Arc<SealedMemory>,
    /// What the code runs, where it is the interpreter of scripts.
    pub(super) script: Option<Script>,
    pub(super) program: SandboxProgram,
}

impl LoadedHook {
    pub(super) fn new(
        hook: Hook,
        kind: HookKind,
        component: Component,
        sandbox: Sandbox,
        http: Arc<HttpClient>,
    ) -> Self {
        let permits = Semaphore::new(hook.limits.size(Limit::AtOnce));
        Self { hook, kind, component, http, idle: Mutex::new(vec![sandbox]), permits }
    }

    /// Asks from now on with these settings, grants, and this time.
    pub fn set(&mut self, settings: serde_json::Value, grants: Grants, timeout: Duration) {
        self.hook.settings = settings;
        self.hook.grants = grants;
        self.hook.timeout = timeout;
    }

    /// A question to it, with what the engine adds.
    #[must_use]
    pub const fn put<'a>(&'a self, call: &'a HookCall, asked: &'a Asked) -> Put<'a> {
        Put { kind: self.kind, settings: &self.hook.settings, timeout: self.hook.timeout, call, asked }
    }

    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.hook.title
    }

    /// `sha256:…` of the component's file.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.component.digest
    }

    /// What the component imports and exports.
    #[must_use]
    pub const fn description(&self) -> &Description {
        &self.component.description
    }

    /// Keys of its grants that allow something and cover nothing which it imports.
    #[must_use]
    pub fn idle_grants(&self) -> Vec<&'static str> {
        interface::idle_keys(&self.component.description, &self.hook.grants)
    }

    /// Faults of its settings. Every import but the log is denied.
    pub async fn validate(&self, access: Access<'_>) -> Answered<Vec<SettingFault>> {
        let settings = convert::settings_text(&self.hook.settings);
        let question = Question::Validate { kind: self.kind, settings };
        self.ask(question, Mode::Closed, &[], &[], access).await.take(|value| {
            let Value::Faults(faults) = value else { return Err(unexpected()) };
            Ok(convert::faults(faults))
        })
    }

    /// Builds an artifact. `{checkout}` and `{output}` in the grants mean those of `source`.
    pub async fn build(&self, call: &HookCall, source: &Source, access: Access<'_>) -> Answered<Artifact> {
        let question = Question::Build { call: self.call(call), source: convert::source(source) };
        let places = [("{checkout}", source.checkout.as_str()), ("{output}", source.output.as_str())];
        self.ask(question, Mode::Changing, &call.instances, &places, access).await.take(|value| {
            let Value::Artifact(artifact) = value else { return Err(unexpected()) };
            convert::artifact(artifact)
        })
    }

    /// Looks at one instance, once. It may change nothing where no lock is held, as for `cutover status`.
    pub async fn check_health(
        &self,
        call: &HookCall,
        instance: &Instance,
        access: Access<'_>,
    ) -> Answered<Health> {
        let question = Question::Check { call: self.call(call), instance: convert::instance(instance) };
        let is_locked = access.hosts.guard(&instance.host).is_some();
        let mode = if is_locked { Mode::Changing } else { Mode::Looking };
        self.ask(question, mode, &call.instances, &[], access).await.take(|value| {
            let Value::Health(health) = value else { return Err(unexpected()) };
            Ok(convert::health(health))
        })
    }

    /// Tests the idle colour. No case, or none that ran, is for the caller to judge.
    pub async fn smoke(&self, call: &HookCall, access: Access<'_>) -> Answered<Vec<Case>> {
        let question = Question::Smoke { call: self.call(call) };
        self.ask(question, Mode::Changing, &call.instances, &[], access).await.take(|value| {
            let Value::Cases(cases) = value else { return Err(unexpected()) };
            convert::cases(cases)
        })
    }

    /// What the router can do. Reads only.
    pub async fn features(&self, call: &HookCall, access: Access<'_>) -> Answered<Vec<String>> {
        let question = Question::Features { call: self.call(call) };
        self.ask(question, Mode::Reading, &call.instances, &[], access).await.take(|value| {
            let Value::Features(features) = value else { return Err(unexpected()) };
            Ok(features)
        })
    }

    /// What the router does now. Reads only.
    pub async fn observe(
        &self,
        call: &HookCall,
        router: &HostName,
        access: Access<'_>,
    ) -> Answered<Observation> {
        let question = Question::Observe { call: self.call(call), router: router.to_string() };
        self.ask(question, Mode::Reading, &call.instances, &[], access).await.take(|value| {
            let Value::Observation(observation) = value else { return Err(unexpected()) };
            convert::observation(observation)
        })
    }

    /// Writes and checks what can be without effect on traffic; says what would change. With the fact `setup`, whose answer anybody may
    /// ask for, it may do nothing.
    pub async fn prepare(
        &self,
        call: &HookCall,
        router: &HostName,
        want: &Routing,
        access: Access<'_>,
    ) -> Answered<String> {
        let (call_, router, want) = (self.call(call), router.to_string(), convert::routing(want));
        let question = Question::Prepare { call: call_, router, want };
        let is_setup = call.facts.iter().any(|(fact, _)| fact == "setup");
        let mode = if is_setup { Mode::Closed } else { Mode::Changing };
        self.ask(question, mode, &call.instances, &[], access).await.take(|value| {
            let Value::Text(diff) = value else { return Err(unexpected()) };
            Ok(diff)
        })
    }

    /// Makes it so.
    pub async fn apply(
        &self,
        call: &HookCall,
        router: &HostName,
        want: &Routing,
        access: Access<'_>,
    ) -> Answered<()> {
        let (call_, router, want) = (self.call(call), router.to_string(), convert::routing(want));
        let question = Question::Apply { call: call_, router, want };
        self.ask(question, Mode::Changing, &call.instances, &[], access).await.take(nothing)
    }

    /// Removes what `prepare` left.
    pub async fn discard(&self, call: &HookCall, router: &HostName, access: Access<'_>) -> Answered<()> {
        let question = Question::Discard { call: self.call(call), router: router.to_string() };
        self.ask(question, Mode::Changing, &call.instances, &[], access).await.take(nothing)
    }

    /// Connections open to a colour; none when the router can't tell. Reads only.
    pub async fn connections(
        &self,
        call: &HookCall,
        router: &HostName,
        color: Color,
        access: Access<'_>,
    ) -> Answered<Option<u32>> {
        let (call_, router, color) = (self.call(call), router.to_string(), convert::color(color));
        let question = Question::Connections { call: call_, router, color };
        self.ask(question, Mode::Reading, &call.instances, &[], access).await.take(|value| {
            let Value::Count(count) = value else { return Err(unexpected()) };
            Ok(count)
        })
    }

    fn call(&self, call: &HookCall) -> super::contract::cutover::hook::hook_types::Call {
        convert::call(call, &self.hook.settings)
    }

    async fn ask(
        &self,
        question: Question,
        mode: Mode,
        instances: &[Instance],
        places: &[(&str, &str)],
        access: Access<'_>,
    ) -> Answered<Value> {
        // Waiting for a sandbox does not count in the hook's time. The semaphore is never closed.
        let _permit = match self.permits.try_acquire() {
            Ok(permit) => Ok(permit),
            Err(_) => {
                let text = self.hook.limits.breach(Limit::AtOnce).to_string();
                access.observer.log(&self.hook.title, Level::Debug, &text);
                self.permits.acquire().await
            }
        };
        let mut sandbox = match self.sandbox().await {
            Ok(sandbox) => sandbox,
            Err(reason) => return Answered { result: Err(HookFailure::Died(reason)), denials: Vec::new() },
        };
        let scope = Scope {
            mode: if access.only_looks && mode == Mode::Changing { Mode::Reading } else { mode },
            app: &access.groups.app,
            routers: &access.groups.routers,
            builder: &access.groups.builder,
            instances,
            places,
            bare_programs: self.hook.source == HookSource::Builtin("command-build".to_owned()),
        };
        let deadline = Instant::now() + self.hook.timeout;
        let mut broker = Broker::new(&self.hook, scope, access, &self.http, deadline);
        let talk = converse(&mut sandbox, question, &self.hook, &mut broker);
        let result = match timeout(self.hook.timeout + limits::GRACE, talk).await {
            Ok(Ok(Talk::Ended { end, printed, lost })) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sandbox);
                if lost {
                    broker.tell_limit(Limit::Output);
                }
                self.conclude(end, &printed, access)
            }
            Ok(Ok(Talk::Stopped(limit))) => Err(self.exceeded(limit, String::new())),
            Ok(Ok(Talk::Killed)) => Err(HookFailure::Died(Mishap::Killed.to_string())),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(HookFailure::Protocol(format!("the sandbox says what makes no sense: {error}")))
            }
            Ok(Err(_)) => Err(HookFailure::Died(sandbox.epitaph().await)),
            Err(_) => Err(HookFailure::TimedOut(self.hook.timeout)),
        };
        Answered { result, denials: broker.into_denials() }
    }

    /// One that is waiting, else a new one.
    async fn sandbox(&self) -> Result<Sandbox, String> {
        let waiting = || self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(mut sandbox) = waiting() {
            if sandbox.is_alive() {
                return Ok(sandbox);
            }
        }
        let component = &self.component;
        let limits = &self.hook.limits;
        match pool::ready(
            &component.program,
            &component.code,
            &self.hook.title,
            limits,
            component.script.as_ref(),
        )
        .await
        {
            Ok((sandbox, _, _)) => Ok(sandbox),
            Err(fault) => Err(fault.to_string()),
        }
    }

    fn conclude(&self, end: End, printed: &str, access: Access<'_>) -> Result<Value, HookFailure> {
        let redactor = access.secrets.redactor();
        // As a whole: a secret may have more than one line.
        let printed = redactor.mask(printed);
        let lines: Vec<&str> = printed.lines().filter(|line| !line.trim().is_empty()).collect();
        let more = lines.len().saturating_sub(self.hook.limits.size(Limit::LogLines));
        for line in &lines[more..] {
            access.observer.log(&self.hook.title, Level::Debug, line);
        }
        match masked::end(redactor, end) {
            End::Value(value) => Ok(value),
            End::Error(error) => Err(convert::failure(error)),
            End::Trapped(message) => {
                Err(HookFailure::Trapped { message: excerpt(message), printed: tail(printed) })
            }
            End::Unfit(reason) => Err(HookFailure::Unfit(excerpt(reason))),
            End::TimedOut => Err(HookFailure::TimedOut(self.hook.timeout)),
            End::Exceeded(limit) => Err(self.exceeded(limit, tail(printed))),
        }
    }

    fn exceeded(&self, limit: Limit, printed: String) -> HookFailure {
        HookFailure::Exceeded { breach: self.hook.limits.breach(limit), printed }
    }
}

impl fmt::Debug for LoadedHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedHook")
            .field("title", &self.hook.title)
            .field("kind", &self.kind)
            .field("digest", &self.component.digest)
            .finish_non_exhaustive()
    }
}

/// How a question ended, as far as the sandbox goes.
enum Talk {
    /// The sandbox says how, and can be asked again.
    Ended { end: End, printed: String, lost: bool },
    /// The guest asked for too much, and waits for an answer that it does not get.
    Stopped(Limit),
    /// It was to end there.
    Killed,
}

/// Room for what a sandbox says while its hook is asked: an answer with what was printed, each byte of which may be escaped, or what an import
/// asks.
fn room(limits: &Limits) -> Room {
    let answer = limits.size(Limit::Answer) + 6 * limits.size(Limit::Output) + limits::ENVELOPE;
    Room { message: answer.max(limits.size(Limit::Request)), payload: limits.size(Limit::CallBytes) }
}

/// Asks, and answers what the guest asks on the way, until it ends.
async fn converse(
    sandbox: &mut Sandbox,
    question: Question,
    hook: &Hook,
    broker: &mut Broker<'_>,
) -> io::Result<Talk> {
    let room = room(&hook.limits);
    let timeout_ms = u64::try_from(hook.timeout.as_millis()).unwrap_or(u64::MAX);
    sandbox.send(&Order::Ask { question: Box::new(question), timeout_ms }, &[]).await?;
    loop {
        match sandbox.receive(room).await? {
            (Report::Import(import), payload) => {
                if let Err(limit) = broker.count(&import) {
                    return Ok(Talk::Stopped(limit));
                }
                let meddled = match broker.access.between {
                    None => Meddled::Answered(broker.answer(import, payload).await),
                    Some(Between::Recorder(recorder)) => {
                        Meddled::Answered(recorder.answer(broker, import, payload).await)
                    }
                    Some(Between::Meddler(meddler)) => meddler.answer(broker, import, payload).await,
                    Some(Between::Scripted(script)) => script.answer(broker, import, payload).await,
                };
                let reply = match meddled {
                    Meddled::Answered(reply) => reply,
                    Meddled::Killed => return Ok(Talk::Killed),
                };
                if let Some((answer, payload)) = reply {
                    sandbox.send(&Order::Answer(answer), &payload).await?;
                }
            }
            (Report::Ended { end, printed, lost }, _) => return Ok(Talk::Ended { end, printed, lost }),
            (
                Report::Inspected(_)
                | Report::Described(_)
                | Report::Compiled
                | Report::Loaded { .. }
                | Report::Refused(_),
                _,
            ) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a report out of turn"));
            }
        }
    }
}

/// The end of what a guest printed: what it said last tells why it trapped.
fn tail(mut printed: String) -> String {
    let surplus = printed.len().saturating_sub(limits::PRINTED_TAIL);
    printed.drain(..printed.ceil_char_boundary(surplus));
    printed
}

impl Answered<Value> {
    fn take<T>(self, take: impl FnOnce(Value) -> Result<T, HookFailure>) -> Answered<T> {
        Answered { result: self.result.and_then(take), denials: self.denials }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `take` hands over")]
fn nothing(value: Value) -> Result<(), HookFailure> {
    if matches!(value, Value::Done) { Ok(()) } else { Err(unexpected()) }
}

fn unexpected() -> HookFailure {
    HookFailure::Protocol("the sandbox answered another question".to_owned())
}
