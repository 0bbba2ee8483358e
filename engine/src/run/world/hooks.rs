//! The hooks of a deployment, ready to be asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_host::operation::{Guard, Turn};

use super::components::component;
use super::observe::observing_call;
use super::performer::Unperformed;
use super::probe;
use super::recording::Recording;
use super::site::Sites;
use super::teller::Teller;
use crate::hook::http::{Fetch, HttpClient, HttpFailure};
use crate::hook::{Access, Between, Groups, HookPool, Hosts, LoadedHook, Meddler, Recorder};
use crate::model::case::Asked;
use crate::model::grant::{Addresses, Url};
use crate::model::{Deployment, EventKind, Hook, HookKind, HostName, Limit, Limits, SettingFault, Trouble};
use crate::run::execute::reporter::Reporter;
use crate::secret::Secrets;
use crate::transport::Link;

/// Bytes of a front door's answer that are looked at.
const PROBE_BODY: u64 = 256 * 1024;

/// For one question to a front door.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Every hook of a deployment.
#[derive(Debug, Clone)]
pub(crate) struct Hooks {
    loaded: BTreeMap<String, Usable>,
    groups: Groups,
    reach: Arc<Reach>,
    http: Arc<HttpClient>,
    pub(super) secrets: Arc<Secrets>,
    pub(super) told: Arc<Teller>,
    pub(super) recording: Option<Arc<Recording>>,
}

/// What speaks against beginning: everything, never only the first.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    /// Hosts that can't be reached, hooks that can't be used.
    pub troubles: Vec<Trouble>,
    /// Faults that hooks found in their settings, by the hook's title.
    pub settings: Vec<(String, SettingFault)>,
}

impl Refused {
    /// One trouble.
    #[must_use]
    pub fn of(trouble: Trouble) -> Self {
        Self { troubles: vec![trouble], settings: Vec::new() }
    }

    /// In a few words, for the line of the step.
    pub(crate) fn summary(&self) -> String {
        match (self.troubles.as_slice(), self.settings.len()) {
            ([], 1) => "a fault in the settings of a hook".to_owned(),
            ([], many) => format!("{many} faults in the settings of hooks"),
            ([trouble], 0) => {
                // The whole follows as the error.
                let line = trouble.first_line();
                line.split_once(": ").map_or(line, |(what, _)| what).to_owned()
            }
            (troubles, faults) => format!("{} faults", troubles.len() + faults),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.troubles.is_empty() && self.settings.is_empty()
    }
}

/// Why a hook gave no answer.
#[derive(Debug, Clone)]
pub(crate) struct HookTrouble {
    pub(crate) trouble: Trouble,
    /// Whether asking again may help.
    pub(crate) temporary: bool,
}

impl From<HookTrouble> for Unperformed {
    fn from(failure: HookTrouble) -> Self {
        failure.trouble.into()
    }
}

/// A hook that can be asked, or why it can't.
type Usable = Result<Arc<LoadedHook>, Trouble>;

/// Every hook of a configuration with its kind.
pub(crate) fn configured(deployment: &Deployment) -> Vec<(&Hook, HookKind)> {
    let mut hooks = vec![
        (&deployment.build.hook, HookKind::Build),
        (&deployment.health_check.hook, HookKind::HealthCheck),
    ];
    hooks.extend(deployment.smoke_tests.iter().map(|test| (&test.hook, HookKind::SmokeTest)));
    hooks.push((&deployment.router.hook, HookKind::Router));
    hooks
}

impl Hooks {
    /// Loads every hook.
    ///
    /// # Errors
    /// With every hook that can't be used.
    pub(crate) async fn load(
        deployment: &Deployment,
        pool: &HookPool,
        http: Arc<HttpClient>,
        secrets: Arc<Secrets>,
        reporter: Reporter,
        recording: Option<Arc<Recording>>,
    ) -> Result<Self, Refused> {
        let wanted = configured(deployment);
        let loading = Self::load_these(deployment, wanted, pool, http, secrets, reporter, recording);
        let (hooks, refused) = loading.await;
        if refused.is_empty() { Ok(hooks) } else { Err(refused) }
    }

    /// Loads the hooks that tell how things are. One that can't be used says so when it is asked; the others answer all the same.
    pub(crate) async fn load_to_look(
        deployment: &Deployment,
        pool: &HookPool,
        http: Arc<HttpClient>,
        secrets: Arc<Secrets>,
        reporter: Reporter,
    ) -> Self {
        let looks = |(_, kind): &(&Hook, HookKind)| matches!(kind, HookKind::HealthCheck | HookKind::Router);
        let wanted = configured(deployment).into_iter().filter(looks).collect();
        Self::load_these(deployment, wanted, pool, http, secrets, reporter, None).await.0
    }

    /// Loads one hook alone.
    ///
    /// # Errors
    /// When it can't be used.
    pub(crate) async fn load_one(
        deployment: &Deployment,
        title: &str,
        pool: &HookPool,
        http: Arc<HttpClient>,
        secrets: Arc<Secrets>,
        reporter: Reporter,
    ) -> Result<Self, Refused> {
        let wanted = configured(deployment).into_iter().filter(|(hook, _)| hook.title == title).collect();
        let (hooks, refused) =
            Self::load_these(deployment, wanted, pool, http, secrets, reporter, None).await;
        if refused.is_empty() { Ok(hooks) } else { Err(refused) }
    }

    async fn load_these(
        deployment: &Deployment,
        wanted: Vec<(&Hook, HookKind)>,
        pool: &HookPool,
        http: Arc<HttpClient>,
        secrets: Arc<Secrets>,
        reporter: Reporter,
        recording: Option<Arc<Recording>>,
    ) -> (Self, Refused) {
        if let Some(fault) = pool.cache_fault() {
            let text = format!("compiled hooks are not kept, so that each run compiles them again: {fault}");
            reporter.tell(EventKind::Warning { text, hint: None });
        }
        let told = Arc::new(Teller { reporter });
        let mut refused = Refused::default();
        let mut loaded: BTreeMap<String, Usable> = BTreeMap::new();
        for (hook, kind) in wanted {
            let usable = load_one(pool, hook, kind, told.as_ref()).await;
            refused.troubles.extend(usable.as_ref().err().cloned());
            loaded.insert(hook.title.clone(), usable);
        }
        let (groups, reach) = (groups(deployment), Arc::default());
        let mut hooks = Self { loaded, groups, reach, http, secrets, told, recording };
        if hooks.recording.is_some() {
            // What is kept is masked, and that before anybody needs a secret.
            hooks.secrets.learn().await;
        }
        for (title, unusable) in hooks.validate(deployment, &mut refused).await {
            hooks.loaded.insert(title, Err(unusable));
        }
        (hooks, refused)
    }

    /// Has all look at their settings: those that can't be used, and why not.
    async fn validate(&self, deployment: &Deployment, refused: &mut Refused) -> Vec<(String, Trouble)> {
        let call = observing_call(deployment, None);
        let mut found = Vec::new();
        for hook in self.loaded.values().filter_map(|usable| usable.as_ref().ok()) {
            let asking = self.ask(hook, &call, Asked::Validate, async |access| hook.validate(access).await);
            let unusable = match asking.await {
                Ok(faults) => {
                    let first = faults.first().map(|fault| unfit_settings(hook, fault));
                    refused.settings.extend(faults.into_iter().map(|fault| (hook.title().to_owned(), fault)));
                    first
                }
                Err(failure) => {
                    let mut unusable = failure.trouble;
                    if unusable.code != "hook/unfit" {
                        unusable.code = "hook/unusable".to_owned();
                    }
                    refused.troubles.push(unusable.clone());
                    Some(unusable)
                }
            };
            found.extend(unusable.map(|unusable| (hook.title().to_owned(), unusable)));
        }
        found
    }

    /// The hook of that title.
    pub(crate) fn hook(&self, title: &str) -> Result<&LoadedHook, HookTrouble> {
        let refused = |trouble| HookTrouble { trouble, temporary: false };
        match self.loaded.get(title) {
            Some(Ok(hook)) => Ok(hook),
            Some(Err(trouble)) => Err(refused(trouble.clone())),
            None => Err(refused(Trouble::new("internal/hooks", format!("hook `{title}` was not loaded")))),
        }
    }

    /// The hook that moves traffic, for who asks it otherwise than a deployment does.
    pub(crate) fn router(&self) -> Result<&LoadedHook, HookTrouble> {
        self.hook("router")
    }

    /// What is lent to a hook, with someone in between.
    pub(crate) fn access_through<'a>(&'a self, meddler: &'a Meddler) -> Access<'a> {
        Access { between: Some(Between::Meddler(meddler)), ..self.access() }
    }

    /// What is lent to a hook that may change nothing, with someone who listens.
    pub(crate) fn access_to_look<'a>(&'a self, recorder: &'a Recorder) -> Access<'a> {
        Access { between: Some(Between::Recorder(recorder)), only_looks: true, ..self.access() }
    }

    /// Lets hooks reach these hosts.
    pub(crate) fn reach(&mut self, sites: &Sites) {
        self.reach = Arc::new(Reach { sites: sites.clone(), ..Reach::default() });
    }

    /// Lets hooks change something, under this epoch of the lock.
    pub(crate) fn allow_changes(&self, epoch: u64) {
        if let Ok(mut held) = self.reach.epoch.lock() {
            *held = Some(epoch);
        }
    }

    /// From now on, hooks change this router's host under a turn of ours at it, or under none.
    pub(crate) fn give_turn(&self, router: HostName, turn: Option<Turn>) {
        if let Ok(mut turns) = self.reach.turns.lock() {
            match turn {
                Some(turn) => drop(turns.insert(router, turn)),
                None => drop(turns.remove(&router)),
            }
        }
    }

    /// Grants that no hook can make use of, as warnings for people: the first line begins with `warning[CODE]: `.
    pub(crate) fn idle_grants(&self) -> Vec<String> {
        let usable = self.loaded.values().filter_map(|hook| hook.as_ref().ok());
        let idle = usable.flat_map(|hook| hook.idle_grants().into_iter().map(|key| (hook.title(), key)));
        idle.map(|(title, key)| {
            format!(
                "warning[hook/idle-grant]: `grants.{key}` of hook `{title}` covers nothing that it imports\n  \
                 hint: take it out: another component in its place could use it"
            )
        })
        .collect()
    }

    /// Digest of each component, by the hook's title.
    pub(crate) fn digests(&self) -> Vec<(String, String)> {
        let usable = self.loaded.values().filter_map(|hook| hook.as_ref().ok());
        usable.map(|hook| (hook.title().to_owned(), hook.digest().to_owned())).collect()
    }

    pub(super) fn access(&self) -> Access<'_> {
        let (hosts, observer) = (self.reach.as_ref(), self.told.as_ref());
        let (groups, secrets) = (&self.groups, self.secrets.as_ref());
        Access { hosts, groups, secrets, observer, between: None, only_looks: false }
    }

    /// Asks a URL as a user would, on a connection of its own: from `via` where it is given, and to `connect_to` instead of
    /// where the name leads.
    pub(crate) async fn fetch(
        &self,
        url: &str,
        connect_to: Option<&str>,
        via: Option<Arc<dyn Link>>,
    ) -> Result<probe::Answer, HttpFailure> {
        let url = Url::parse(url).map_err(|error| HttpFailure::Invalid(error.to_string()))?;
        let fetch = Fetch {
            method: "GET",
            url: &url,
            connect_to: connect_to.map(|address| (address, url.origin.port)),
            via,
            guard: None,
            headers: &[],
            body: Vec::new(),
            limits: &Limits::default().with(Limit::HttpBody, PROBE_BODY),
            timeout: PROBE_TIMEOUT,
            // The operator named the place.
            addresses: Addresses::Any,
            authorities: None,
        };
        let answer = self.http.fetch(fetch).await?;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        Ok(probe::Answer { status: answer.status, headers: answer.headers, body })
    }
}

async fn load_one(pool: &HookPool, hook: &Hook, kind: HookKind, told: &Teller) -> Usable {
    let wasm = component(hook, pool.downloads()).await?;
    let loaded = pool.load(hook, kind, wasm, told).await;
    loaded.map(Arc::new).map_err(|fault| Trouble {
        code: fault.code().to_owned(),
        message: fault.to_string(),
        hint: fault.hint(),
    })
}

/// A fault in the settings, for those who ask the hook all the same.
fn unfit_settings(hook: &LoadedHook, fault: &SettingFault) -> Trouble {
    let message = format!("hook `{}`: setting `{}`: {}", hook.title(), fault.key, fault.reason);
    Trouble::new("hook/settings", message).hint("`cutover check` shows it in its place")
}

/// What the groups of hosts in grants mean.
fn groups(deployment: &Deployment) -> Groups {
    let routers = deployment.router.names.iter().filter(|name| deployment.hosts.contains_key(*name));
    Groups {
        app: super::observe::all_app_hosts(deployment),
        routers: routers.cloned().collect(),
        builder: deployment.build.builder.clone(),
    }
}

/// The hosts that hooks can reach.
#[derive(Debug, Default)]
struct Reach {
    sites: Sites,
    epoch: Mutex<Option<u64>>,
    turns: Mutex<BTreeMap<HostName, Turn>>,
}

impl Hosts for Reach {
    fn link(&self, host: &HostName) -> Option<Arc<dyn Link>> {
        self.sites.get(host).map(|site| Arc::clone(&site.link))
    }

    fn guard(&self, host: &HostName) -> Option<Guard> {
        let epoch = *self.epoch.lock().ok()?;
        let turn = self.turns.lock().ok()?.get(host).cloned();
        Some(Guard { turn, ..self.sites.get(host)?.guard(epoch?) })
    }
}
