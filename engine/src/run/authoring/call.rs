//! `cutover hook run`: one question to a hook of the configuration, about what really is there.

use std::sync::Arc;
use std::time::Instant;

use crate::hook::Recorder;
use crate::model::case::{Asked as Question, HookCase, HookQuestion};
use crate::model::view::{HookRunView, RunCall};
use crate::model::{
    Color, Denial, Deployment, EventKind, HookCall, HookKind, HostName, Instance, LiveRecord, Record, Trouble,
};
use crate::run::world::asked::Asked;
use crate::run::world::hooks::{Hooks, Refused, configured};
use crate::run::world::observe::observing_call;
use crate::run::world::performer::secret_trouble;
use crate::run::world::recording::{case_of, said};
use crate::run::world::session::Setting;

/// What is to be asked.
#[derive(Debug, Clone)]
pub struct WantedCall {
    /// Title of the hook.
    pub hook: String,
    /// Which host's instance, or which router.
    pub host: Option<HostName>,
    /// Which colour.
    pub color: Option<Color>,
    /// What; none: the one thing that can be asked, and `observe` of routers.
    pub ask: Option<HookQuestion>,
}

/// Asks it, without a lock and so that nothing is changed. Also returns the case.
///
/// # Errors
/// When there is nothing to be asked so, when the hook can't be used, when the host that it is asked about is out of reach, and when a
/// secret can't be had.
pub async fn run_hook(setting: Setting, wanted: &WantedCall) -> Result<(HookRunView, HookCase), Refused> {
    let deployment = Arc::clone(&setting.deployment);
    let (hook, kind) = chosen(&deployment, &wanted.hook).map_err(Refused::of)?;
    let choice = Choice::new(&deployment, kind, wanted).map_err(Refused::of)?;
    let faults = setting.secrets.faults(hook.grants.secret_names(), true).await;
    setting.secrets.learn().await;
    if !faults.is_empty() {
        return Err(Refused { troubles: faults.iter().map(secret_trouble).collect(), ..Refused::default() });
    }
    let loading = Hooks::load_one(
        &deployment,
        &hook.title,
        &setting.hooks,
        Arc::clone(&setting.http),
        Arc::clone(&setting.secrets),
        setting.reporter.clone(),
    );
    let (asked, hooks) = tokio::join!(Asked::all(&setting, false), loading);
    let mut hooks = hooks?;
    hooks.reach(&asked.sites);
    let live = live(&asked, &deployment).await;
    let live = live.unwrap_or_else(|trouble| {
        let text = format!("what is live is not known: {}", trouble.message);
        setting.reporter.tell(EventKind::Warning { text, hint: trouble.hint });
        None
    });
    let (call, question) = choice.question(&deployment, live.as_ref()).map_err(Refused::of)?;
    if let Some(trouble) = choice.host.as_ref().and_then(|host| asked.silent.get(host)) {
        return Err(Refused::of(trouble.clone()));
    }
    let recorder = Recorder::default();
    let loaded = hooks.hook(&hook.title).map_err(|failure| Refused::of(failure.trouble))?;
    let began = Instant::now();
    let answered = loaded.ask_for(&question, &call, hooks.access_to_look(&recorder)).await;
    let took = began.elapsed();
    let heard = recorder.into_heard();
    let times: Vec<u64> = heard.calls.iter().map(|(_, took)| milliseconds(*took)).collect();
    let redactor = setting.secrets.redactor();
    let case =
        case_of(&loaded.put(&call, &question), heard, said(&answered), redactor).map_err(|reason| {
            Refused::of(Trouble::new("hook/not-shown", format!("it can't be shown: {reason}")))
        })?;
    let calls = case.outside.iter().zip(times).map(|(outside, took_ms)| RunCall {
        call: outside.words(),
        answer: outside.answer_words(),
        denied: outside.is_answered_with_denied(),
        took_ms,
    });
    let denied = answered.denials.iter();
    let view = HookRunView {
        hook: hook.title.clone(),
        kind,
        digest: loaded.digest().to_owned(),
        question: question.question(),
        about: question.about(),
        calls: calls.collect(),
        denied: denied.map(|one| Denial::new(&hook.title, &one.request, &one.grant)).collect(),
        said: case.expect.clone(),
        took_ms: milliseconds(took),
        recorded: None,
    };
    Ok((view, case))
}

fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What is live by the record.
async fn live(asked: &Asked, deployment: &Deployment) -> Result<Option<LiveRecord>, Trouble> {
    let home = asked.home(deployment)?;
    let state = home.read_all::<Record>().await;
    state.map(|state| state.live).map_err(|fault| Trouble::new("state/unreadable", fault.to_string()))
}

/// The hook of that title, or of that kind where there is one alone.
fn chosen<'d>(deployment: &'d Deployment, name: &str) -> Result<(&'d crate::model::Hook, HookKind), Trouble> {
    let all = configured(deployment);
    let by_kind = || {
        let mut of_kind = all.iter().filter(|(_, kind)| kind.as_str() == name);
        of_kind.next().filter(|_| of_kind.next().is_none())
    };
    let found = all.iter().find(|(hook, _)| hook.title == name).or_else(by_kind).copied();
    found.ok_or_else(|| {
        let titles: Vec<String> = all.iter().map(|(hook, _)| format!("`{}`", hook.title)).collect();
        Trouble::new("usage/hook", format!("no hook `{name}` in the configuration"))
            .hint(format!("there are {}", titles.join(", ")))
    })
}

/// What is asked, as far as the configuration tells.
struct Choice {
    question: HookQuestion,
    kind: HookKind,
    host: Option<HostName>,
    color: Option<Color>,
}

impl Choice {
    /// # Errors
    /// When the hook is not asked that, or something would be changed by it.
    fn new(deployment: &Deployment, kind: HookKind, wanted: &WantedCall) -> Result<Self, Trouble> {
        let asks = HookQuestion::of(kind);
        let question = wanted.ask.unwrap_or(match kind {
            HookKind::Router => HookQuestion::Observe,
            HookKind::Build | HookKind::SmokeTest => HookQuestion::Run,
            HookKind::HealthCheck => HookQuestion::Check,
        });
        let shown = |these: &[HookQuestion]| {
            let these = these.iter().map(|one| format!("`{one}`"));
            these.collect::<Vec<_>>().join(", ")
        };
        if !asks.contains(&question) {
            let text = format!("a {kind} hook is not asked `{question}`");
            return Err(Trouble::new("usage/ask", text).hint(format!("it is asked {}", shown(asks))));
        }
        if kind == HookKind::Build && question == HookQuestion::Run {
            let text =
                "a build is not asked for by itself: it needs a checkout, and programs that may do anything";
            return Err(Trouble::new("usage/ask", text)
                .hint("`cutover deploy` asks for one; `--ask validate` tries its settings"));
        }
        if matches!(question, HookQuestion::Prepare | HookQuestion::Apply | HookQuestion::Discard) {
            let looks: Vec<HookQuestion> = asks.iter().copied().filter(|one| one.only_reads()).collect();
            let text = format!("`{question}` changes the router, and this command changes nothing");
            return Err(Trouble::new("usage/ask", text).hint(format!(
                "what only looks is {}; `cutover hook conformance` asks everything, on a stage",
                shown(&looks)
            )));
        }
        let mut hosts: Vec<HostName> = match (kind, question) {
            (_, HookQuestion::Validate | HookQuestion::Features)
            | (HookKind::Build | HookKind::SmokeTest, _) => Vec::new(),
            (HookKind::HealthCheck, _) => crate::run::world::observe::all_app_hosts(deployment),
            (HookKind::Router, _) => deployment.router.names.clone(),
        };
        let host = match (&wanted.host, hosts.len()) {
            (None, 0) => None,
            (None, 1) => hosts.pop(),
            (Some(host), _) if hosts.contains(host) => Some(host.clone()),
            (given, _) => {
                let known: Vec<String> = hosts.iter().map(|host| format!("`{host}`")).collect();
                let (code, text) = match given {
                    Some(host) => ("usage/host", format!("`{host}` is nothing that `{question}` asks about")),
                    None => ("usage/host", format!("`{question}` is asked about one of several")),
                };
                let trouble = Trouble::new(code, text);
                return Err(match known.is_empty() {
                    true => trouble.hint("leave out `--host`"),
                    false => trouble.hint(format!("`--host` is one of {}", known.join(", "))),
                });
            }
        };
        Ok(Self { question, kind, host, color: wanted.color })
    }

    /// The whole call. Where no colour is named, it is the live one.
    ///
    /// # Errors
    /// When the host has no instance of that colour.
    fn question(
        &self,
        deployment: &Deployment,
        live: Option<&LiveRecord>,
    ) -> Result<(HookCall, Question), Trouble> {
        let call = observing_call(deployment, live);
        let color = self.color.unwrap_or(call.color);
        let nobody = || Trouble::new("usage/host", format!("there is no {color} instance to ask about"));
        match (self.question, &self.host) {
            (HookQuestion::Check, Some(host)) => {
                let is_it = |instance: &&Instance| instance.host == *host && instance.color == color;
                let instance = call.instances.iter().find(is_it).cloned().ok_or_else(nobody)?;
                Ok((HookCall { instances: vec![instance.clone()], ..call }, Question::Check(instance)))
            }
            (HookQuestion::Run, _) if self.kind == HookKind::SmokeTest => {
                let mut call = HookCall { color, ..call };
                call.instances.retain(|instance| instance.color == color);
                Ok((call, Question::Smoke))
            }
            (HookQuestion::Features, _) => Ok((call, Question::Features)),
            (HookQuestion::Observe, Some(router)) => Ok((call, Question::Observe(router.clone()))),
            (HookQuestion::Connections, Some(router)) => {
                Ok((call, Question::Connections(router.clone(), color)))
            }
            (HookQuestion::Validate, _) => Ok((call, Question::Validate)),
            (_, _) => Err(nobody()),
        }
    }
}
