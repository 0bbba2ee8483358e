//! Answers what a guest asks for: grants first, then the deed. Everything that comes from the sandbox is a stranger's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cutover_host::bytes::Bytes;
use cutover_host::operation::{Answer as HostAnswer, Beneath, Exit, Operation, Program};
use tokio::time::{Instant, timeout_at};

use super::contract::cutover::hook::engine::Level as GuestLevel;
use super::contract::cutover::hook::hosts::{Command, HostError, Output};
use super::fitting::fitting;
use super::host_error::{host_error, with_limit};
use super::http::{HttpClient, answer_request};
use super::secret_use::Wanted;
use super::template::Encoding;
use super::wire::{Answer, Import};
use super::{Access, limits};
use crate::model::grant::{Allowed, Denied, Mode, Request, Scope, SecretPlace};
use crate::model::{EXCERPT, Hook, HostName, Level, Limit, Limits, excerpt};

/// The engine's side of one call of a hook.
pub(super) struct Broker<'a> {
    pub(super) hook: &'a Hook,
    pub(super) scope: Scope<'a>,
    pub(super) access: Access<'a>,
    pub(super) http: &'a HttpClient,
    pub(super) deadline: Instant,
    used: BTreeMap<Limit, u64>,
    told: BTreeSet<Limit>,
    denials: Vec<Denied>,
}

/// Of a call's time, what its requests leave to the hook.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// An answer and the bytes that go with it.
pub(super) type Reply = (Answer, Vec<u8>);

impl<'a> Broker<'a> {
    pub(super) fn new(
        hook: &'a Hook,
        scope: Scope<'a>,
        access: Access<'a>,
        http: &'a HttpClient,
        deadline: Instant,
    ) -> Self {
        Self {
            hook,
            scope,
            access,
            http,
            deadline,
            used: BTreeMap::new(),
            told: BTreeSet::new(),
            denials: Vec::new(),
        }
    }

    /// All that was denied, told or not.
    pub(super) fn into_denials(self) -> Vec<Denied> {
        self.denials
    }

    /// Counts a call of an import; lines of the log are counted where they are shown.
    ///
    /// # Errors
    /// When it is one too many: then the call is over.
    pub(super) fn count(&mut self, import: &Import) -> Result<(), Limit> {
        let limit = match import {
            Import::Log { .. } | Import::Progress { .. } => return Ok(()),
            Import::Exec { .. } => Some(Limit::ExecCalls),
            Import::Send { .. } => Some(Limit::HttpRequests),
            Import::Read { .. }
            | Import::Write { .. }
            | Import::WriteLink { .. }
            | Import::ReadLink { .. }
            | Import::ListNames { .. }
            | Import::Remove { .. }
            | Import::Exchange { .. }
            | Import::Sign { .. }
            | Import::Reveal { .. } => None,
        };
        match [Some(Limit::Imports), limit].into_iter().flatten().find(|limit| !self.uses(*limit)) {
            Some(limit) => Err(limit),
            None => Ok(()),
        }
    }

    /// Takes one of a limit; whether there was one left.
    fn uses(&mut self, limit: Limit) -> bool {
        let used = self.used.entry(limit).or_default();
        *used = used.saturating_add(1);
        *used <= self.hook.limits.get(limit)
    }

    /// Tells, once in a call, of a limit that cuts without ending the hook.
    pub(super) fn tell_limit(&mut self, limit: Limit) {
        if self.told.insert(limit) {
            let text = format!("{}: `limits.{limit}`", self.hook.limits.breach(limit));
            self.access.observer.log(&self.hook.title, Level::Warn, &text);
        }
    }

    /// All that the hook may use.
    pub(super) const fn limits(&self) -> &'a Limits {
        &self.hook.limits
    }

    /// What an import returns; nothing for those that return nothing.
    pub(super) async fn answer(&mut self, import: Import, payload: Vec<u8>) -> Option<Reply> {
        let answer = match import {
            Import::Log { level, message } => {
                self.log(level, &message);
                return None;
            }
            Import::Progress { done, total, what } => {
                if self.counts_line() {
                    let what = self.masked(&what);
                    let what = self.cut(&what);
                    self.access.observer.progress(&self.hook.title, done, total, what);
                }
                return None;
            }
            Import::Exec { host, command } => Answer::Output(self.exec(&host, command).await),
            Import::Read { host, path } => {
                return Some(match self.read(&host, path).await {
                    Ok(bytes) => (Answer::Content(Ok(())), bytes),
                    Err(error) => (Answer::Content(Err(error)), Vec::new()),
                });
            }
            Import::Write { host, path, mode } => Answer::Done(self.write(&host, path, mode, payload).await),
            Import::WriteLink { host, path, target } => {
                Answer::Done(self.write_link(&host, path, target).await)
            }
            Import::ReadLink { host, path } => {
                let answer =
                    self.look(&host, path, |path, beneath| Operation::ReadLink { path, beneath }).await;
                Answer::Text(answer.and_then(|answer| {
                    if let HostAnswer::Text(text) = answer { Ok(text) } else { Err(nonsense()) }
                }))
            }
            Import::ListNames { host, path } => {
                let answer =
                    self.look(&host, path, |path, beneath| Operation::ListNames { path, beneath }).await;
                Answer::Names(answer.and_then(|answer| {
                    if let HostAnswer::Names(names) = answer
                        && names.iter().all(|name| is_name(name))
                    {
                        Ok(names)
                    } else {
                        Err(nonsense())
                    }
                }))
            }
            Import::Remove { host, path } => Answer::Done(self.remove(&host, path).await),
            Import::Exchange { host, socket, content, timeout_ms } => {
                Answer::Text(self.exchange(&host, socket, content, timeout_ms).await)
            }
            Import::Send { request, with_body } => {
                return Some(match answer_request(self, request, with_body.then_some(payload)).await {
                    Ok((response, body)) => (Answer::Response(Ok(response)), body),
                    Err(error) => (Answer::Response(Err(error)), Vec::new()),
                });
            }
            Import::Sign { name, prefix, chain } => {
                return Some(match self.sign(&name, &prefix, &chain, &payload).await {
                    Ok(signature) => (Answer::Signature(Ok(())), signature),
                    Err(error) => (Answer::Signature(Err(error)), Vec::new()),
                });
            }
            Import::Reveal { name } => Answer::Revealed(self.reveal(&name).await),
        };
        Some((fitting(answer), Vec::new()))
    }

    /// Asks the grants, and records what was asked. A denial is kept and shown, whatever the guest makes of it.
    pub(super) fn check(&mut self, request: &Request<'_>) -> Result<Allowed, String> {
        let allowed = self.hook.grants.check(request, &self.scope).map_err(|denied| self.deny(denied))?;
        if self.counts_line() {
            let request = self.masked(&request.to_string());
            self.access.observer.allowed(&self.hook.title, &excerpt(request));
        }
        Ok(allowed)
    }

    /// Keeps and shows a denial; returns it as the guest hears it.
    pub(super) fn deny(&mut self, denied: Denied) -> String {
        let Denied { request, reason, grant } = denied;
        let [request, reason, grant] = [request, reason, grant].map(|text| self.masked(&text));
        // A line that was cut would not be the grant that is meant.
        let grant = if grant.len() > EXCERPT { String::new() } else { grant };
        let denied = Denied { request: excerpt(request), reason, grant };
        let text = if denied.grant.is_empty() {
            denied.to_string()
        } else {
            format!("{denied}\nhint: add to the hook's grants: {}", denied.grant)
        };
        if self.denials.len() < limits::DENIALS && !self.denials.contains(&denied) {
            self.access.observer.denied(&self.hook.title, &denied);
            self.denials.push(denied);
        }
        text
    }

    fn log(&mut self, level: GuestLevel, message: &str) {
        let level = match level {
            GuestLevel::Debug => Level::Debug,
            GuestLevel::Info => Level::Info,
            GuestLevel::Warn => Level::Warn,
            GuestLevel::Error => Level::Error,
        };
        self.tell(level, message);
    }

    /// A line of the deployment's log.
    pub(super) fn tell(&mut self, level: Level, message: &str) {
        if self.counts_line() {
            let message = self.masked(message);
            let message = self.cut(&message);
            self.access.observer.log(&self.hook.title, level, message);
        }
    }

    fn masked(&self, text: &str) -> String {
        self.access.secrets.redactor().mask(text)
    }

    /// A line within its limit.
    fn cut<'t>(&mut self, text: &'t str) -> &'t str {
        let limit = self.limits().size(Limit::LogLine);
        if text.len() > limit {
            self.tell_limit(Limit::LogLine);
        }
        &text[..text.floor_char_boundary(limit)]
    }

    /// Whether one more line is shown; says once that no more are.
    fn counts_line(&mut self) -> bool {
        let shown = self.uses(Limit::LogLines);
        if !shown {
            self.tell_limit(Limit::LogLines);
        }
        shown
    }

    async fn exec(&mut self, host: &str, command: Command) -> Result<Output, HostError> {
        let Command { program, args, env, secret_env, directory, input, secret_input, as_root, timeout_ms } =
            command;
        let mut wanted = Vec::new();
        for (variable, text) in &secret_env {
            let place = SecretPlace::Variable { program: &program, variable };
            wanted.push(Wanted::new(text, place).map_err(HostError::Failed)?);
        }
        if let Some(text) = &secret_input {
            let place = SecretPlace::Input { program: &program };
            wanted.push(Wanted::new(text, place).map_err(HostError::Failed)?);
        }
        // Both are asked for, so that both denials are shown.
        let bound = self.check_secrets(&wanted);
        let told = self.told_by(&args).await;
        let set = env.iter().chain(&secret_env).map(|(name, _)| name.as_str()).collect();
        let request = Request::Exec {
            host,
            program: &program,
            args: &args,
            env: set,
            directory: directory.as_deref(),
            input: input.is_some() || secret_input.is_some(),
            as_root,
        };
        let (host, _) = self.on_host(&request)?;
        if let Some(secret) = told {
            let reason = format!("whoever is on that host could read the secret `{secret}` in its arguments");
            return Err(HostError::Denied(self.deny(Denied::outright(&request, reason))));
        }
        bound.map_err(HostError::Denied)?;
        self.reach_hosts()?;
        let carried = self.carry(&wanted).await.map_err(HostError::Other)?;
        let mut texts = wanted.iter().map(|wanted| carried.fill(wanted, Encoding::Plain));
        let mut env = env;
        env.extend(secret_env.iter().map(|(name, _)| name.clone()).zip(&mut texts));
        let input = texts.next().or(input);
        drop(texts);
        let program = Program {
            program,
            args,
            env,
            env_files: Vec::new(),
            directory_granted: directory.is_some(),
            directory,
            input: input.map(Bytes::from),
            as_root,
            output_limit: self.hook.limits.get(Limit::ExecOutput),
        };
        let answer = self.perform(&host, Operation::Run { program }, timeout_ms).await?;
        let HostAnswer::Exited(Exit { status, out, errors, truncated }) = answer else {
            return Err(nonsense());
        };
        if truncated {
            self.tell_limit(Limit::ExecOutput);
        }
        let [out, errors] = [out, errors].map(|said| carried.mask_output(&said.0, truncated));
        Ok(Output { status, out, errors, truncated })
    }

    async fn read(&mut self, host: &str, path: String) -> Result<Vec<u8>, HostError> {
        let limit = self.hook.limits.get(Limit::CallBytes);
        let read = |path, beneath| Operation::Read { path, beneath, limit };
        let HostAnswer::Content(Bytes(bytes)) = self.look(host, path, read).await? else {
            return Err(nonsense());
        };
        if bytes.len() <= self.limits().size(Limit::CallBytes) { Ok(bytes) } else { Err(nonsense()) }
    }

    async fn look(
        &mut self,
        host: &str,
        path: String,
        operation: impl FnOnce(String, Option<Beneath>) -> Operation,
    ) -> Result<HostAnswer, HostError> {
        let (host, beneath) = self.on_host(&Request::Read { host, path: &path })?;
        self.perform(&host, operation(path, beneath), None).await
    }

    async fn write(
        &mut self,
        host: &str,
        path: String,
        mode: Option<u32>,
        content: Vec<u8>,
    ) -> Result<(), HostError> {
        let (host, beneath) = self.on_host(&Request::Write { host, path: &path })?;
        if let Some(mode) = mode.filter(|mode| mode & !0o777 != 0) {
            return Err(HostError::Failed(format!("mode `{mode:o}` has more than permission bits")));
        }
        let operation = Operation::Write { path, beneath, content: Bytes(content), mode };
        done(&self.perform(&host, operation, None).await?)
    }

    async fn write_link(&mut self, host: &str, path: String, target: String) -> Result<(), HostError> {
        let (host, beneath) = self.on_host(&Request::Link { host, path: &path, target: &target })?;
        done(&self.perform(&host, Operation::WriteLink { path, beneath, target }, None).await?)
    }

    async fn remove(&mut self, host: &str, path: String) -> Result<(), HostError> {
        let (host, beneath) = self.on_host(&Request::Write { host, path: &path })?;
        done(&self.perform(&host, Operation::Remove { path, beneath }, None).await?)
    }

    async fn exchange(
        &mut self,
        host: &str,
        socket: String,
        content: String,
        timeout_ms: Option<u32>,
    ) -> Result<String, HostError> {
        let (host, _) = self.on_host(&Request::Connect { host, to: &socket, content: &content })?;
        let limit = self.hook.limits.get(Limit::CallBytes);
        let left = self.until(timeout_ms).saturating_duration_since(Instant::now());
        let operation = Operation::Exchange { socket: socket.clone(), content: Bytes::from(content), limit };
        let HostAnswer::Content(bytes) = self
            .perform(&host, operation, timeout_ms)
            .await
            .map_err(|error| with_limit(error, &socket, left))?
        else {
            return Err(nonsense());
        };
        Ok(bytes.to_text())
    }

    /// The host that a request is allowed on, and the directory it must keep to.
    fn on_host(&mut self, request: &Request<'_>) -> Result<(HostName, Option<Beneath>), HostError> {
        match self.check(request) {
            Ok(Allowed::Host { host, beneath }) if self.may_change(&host, request) => {
                Ok((host, beneath.map(Beneath::Granted)))
            }
            Ok(Allowed::Host { .. }) => {
                let denied = Denied::outright(request, "no host is changed before the lock is held");
                Err(HostError::Denied(self.deny(denied)))
            }
            Ok(Allowed::Http { .. } | Allowed::Secret) => {
                Err(HostError::Failed("not a request of a host".to_owned()))
            }
            Err(reason) => Err(HostError::Denied(reason)),
        }
    }

    /// Whether a change of the host is fenced, or needs no fence: a build changes the host that builds.
    fn may_change(&self, host: &HostName, request: &Request<'_>) -> bool {
        self.scope.mode != Mode::Changing
            || matches!(request, Request::Read { .. })
            || host == self.scope.builder
            || self.access.hosts.guard(host).is_some()
    }

    async fn perform(
        &self,
        host: &HostName,
        operation: Operation,
        timeout_ms: Option<u32>,
    ) -> Result<HostAnswer, HostError> {
        self.reach_hosts()?;
        let Some(link) = self.access.hosts.link(host) else {
            // Grants are for hosts of the configuration alone.
            return Err(HostError::Unreachable(format!("there is no connection to host `{host}`")));
        };
        let changes = self.scope.mode == Mode::Changing && !is_look(&operation);
        let guard = if changes { self.access.hosts.guard(host) } else { None };
        let until = self.until(timeout_ms);
        let left = until.saturating_duration_since(Instant::now());
        let call = operation.call().within(left).under(guard);
        // The host keeps the deadline itself; it gets a moment to say so.
        match timeout_at(until + Duration::from_millis(300), link.perform(call)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failure)) => Err(host_error(failure)),
            Err(_) => Err(HostError::TimedOut(format!("host `{host}` gave no answer in time"))),
        }
    }

    /// When a request must be over that asked for a limit of its own: a little before the call, so that the hook can still
    /// say what it waited for.
    pub(super) fn until(&self, timeout_ms: Option<u32>) -> Instant {
        let now = Instant::now();
        let last = self.deadline - (self.deadline.saturating_duration_since(now) / 10).min(LAST_WORDS);
        timeout_ms.map_or(last, |ms| last.min(now + Duration::from_millis(ms.into())))
    }
}

/// Whether an operation leaves everything as it is.
const fn is_look(operation: &Operation) -> bool {
    matches!(operation, Operation::Read { .. } | Operation::ReadLink { .. } | Operation::ListNames { .. })
}

/// Whether a host can have found this in a directory: a hook may well put it behind a path.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !matches!(text, "." | "..") && !text.contains(['/', '\0'])
}

fn done(answer: &HostAnswer) -> Result<(), HostError> {
    if matches!(answer, HostAnswer::Done) { Ok(()) } else { Err(nonsense()) }
}

fn nonsense() -> HostError {
    HostError::Broken("the host answered something else".to_owned())
}
