//! Everything that a command needs to speak to the world, opened once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::basis::{basis, settings};
use super::components::unlocked;
use super::exclusion::{Absence, hint_at, left_out, may_open, missing};
use super::hooks::{Hooks, Refused, configured};
use super::performer::{secret_trouble, store_fault};
use super::recording::Recording;
use super::site::{Site, Sites, members, misgivings};
use crate::hook::HookPool;
use crate::hook::http::HttpClient;
use crate::model::grant::HostGroup;
use crate::model::{Basis, Deployment, EventKind, HookKind, HostName, Name, Origin, Trouble};
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::reporter::Reporter;
use crate::secret::Secrets;
use crate::store::{Home, StateDirectory, StoreFault, disagreements};
use crate::transport::{Link, Links};

/// What a command is run with. The library does not read the environment; it asks its reporter for the time of day.
#[derive(Debug)]
pub struct Setting {
    /// The configuration.
    pub deployment: Arc<Deployment>,
    /// Connections to the hosts, by name.
    pub links: Arc<Links>,
    /// The object store that keeps the state, where one does.
    pub bucket: Option<Arc<dyn Link>>,
    /// What runs hooks.
    pub hooks: HookPool,
    /// What front doors are asked with.
    pub http: Arc<HttpClient>,
    /// Where secrets come from.
    pub secrets: Arc<Secrets>,
    /// The machine that the engine runs on.
    pub here: Arc<dyn Link>,
    /// Who runs it.
    pub operator: Operator,
    /// Directory for git mirrors, checkouts and artifacts on this machine.
    pub workspace: Utf8PathBuf,
    /// Where events go.
    pub reporter: Reporter,
    /// Signals.
    pub interrupts: watch::Receiver<Interrupts>,
    /// Where what hooks are asked is kept, if it is.
    pub recording: Option<Arc<Recording>>,
}

/// Who runs a command.
#[derive(Debug, Clone, Default)]
pub struct Operator {
    /// User name.
    pub user: String,
    /// Name of this machine.
    pub machine: String,
    /// This process.
    pub pid: u32,
    /// What its number is unique in: this boot, and the PID namespace. Machines may share a name, and so may containers. None where it
    /// can't be told.
    pub place: Option<String>,
    /// Link to the CI run.
    pub ci: Option<String>,
    /// Socket of the SSH agent, for git.
    pub ssh_agent: Option<String>,
}

/// Hosts connected, hooks loaded.
#[derive(Debug)]
pub struct Session {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) sites: Sites,
    /// Application hosts that can't be reached and may be left out, with why.
    pub(crate) excluded: BTreeMap<HostName, Trouble>,
    /// Hosts that can't be reached and without which nothing is begun, though a plan can be shown.
    pub(crate) missing: Vec<Trouble>,
    pub(crate) home: Home,
    pub(crate) hooks: Hooks,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) here: Arc<dyn Link>,
    pub(crate) operator: Operator,
    pub(crate) workspace: Utf8PathBuf,
    pub(crate) reporter: Reporter,
    pub(crate) interrupts: watch::Receiver<Interrupts>,
}

impl Session {
    /// Connects to every host that the deployment speaks to, loads every hook and looks up every secret of hooks. `builds` says whether
    /// anything will be built, `deploys` whether the application's environment will be written.
    ///
    /// # Errors
    /// With every host, hook and secret that failed, never only the first; then with every host that disagrees about the home.
    pub async fn open(setting: Setting, builds: bool, deploys: bool) -> Result<Self, Refused> {
        let session = Self::connected(setting, builds, deploys, Absence::Bounded).await?;
        for (host, trouble) in &session.excluded {
            session.reporter.tell(left_out(host, trouble));
        }
        session.with_its_home().await
    }

    /// The same for a plan that is only shown: of the application's hosts that are out of reach nothing is known, and that is what keeps
    /// it from being begun.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_to_plan(setting: Setting, builds: bool) -> Result<Self, Refused> {
        let mut session = Self::connected(setting, builds, false, Absence::Shown).await?;
        session.missing = missing(&session.deployment, builds, &session.excluded);
        if !session.missing.is_empty() {
            session.excluded.clear();
        }
        let wanted = hook_secrets(&session.deployment, |kind| builds || kind != HookKind::Build);
        let faults = session.secrets.faults(wanted, false).await;
        session.missing.extend(faults.iter().map(secret_trouble));
        session.with_its_home().await
    }

    /// The same for a deployment that is taken up: who may be out of reach is judged by its journal, and told then.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) async fn open_to_take_up(setting: Setting) -> Result<Self, Refused> {
        Self::connected(setting, false, false, Absence::Judged).await?.with_its_home().await
    }

    /// Unless a host disagrees about the home.
    async fn with_its_home(self) -> Result<Self, Refused> {
        let mut faults = misgivings(&self.deployment, &self.sites);
        if faults.is_empty() && self.deployment.state.is_some() {
            faults = self.misgivings_about_the_store().await.unwrap_or_else(|fault| vec![fault]);
        }
        let troubles: Vec<Trouble> = faults.iter().map(|fault| store_fault(fault).trouble).collect();
        if troubles.is_empty() { Ok(self) } else { Err(Refused { troubles, ..Refused::default() }) }
    }

    /// What hosts say against the object store, which may have lost what they remember.
    async fn misgivings_about_the_store(&self) -> Result<Vec<StoreFault>, StoreFault> {
        let store = self.home.directory();
        let own = store.read_membership().await?;
        Ok(disagreements(store.said(own.as_ref()), members(&self.deployment, &self.sites)))
    }

    /// As [`Self::open`], whatever the hosts say about the home: for what mends that.
    pub(crate) async fn open_anywhere(setting: Setting, builds: bool) -> Result<Self, Refused> {
        Self::connected(setting, builds, false, Absence::Bounded).await
    }

    async fn connected(
        setting: Setting,
        builds: bool,
        deploys: bool,
        absence: Absence,
    ) -> Result<Self, Refused> {
        let Setting {
            deployment,
            links,
            bucket,
            hooks,
            http,
            secrets,
            here,
            operator,
            workspace,
            reporter,
            interrupts,
            recording,
        } = setting;
        let (sites, hooks, secretless) = tokio::join!(
            connect(&deployment, &links, builds, absence),
            Hooks::load(&deployment, &hooks, http, Arc::clone(&secrets), reporter.clone(), recording),
            secretless(&deployment, &secrets, builds, deploys, absence)
        );
        let ((sites, excluded), mut hooks) = match (sites, hooks) {
            (Ok(sites), Ok(hooks)) if secretless.is_empty() => (sites, hooks),
            (sites, hooks) => {
                let mut refused = hooks.err().unwrap_or_default();
                refused.troubles.extend(secretless);
                refused.troubles.extend(sites.err().unwrap_or_default());
                return Err(refused);
            }
        };
        hooks.reach(&sites);
        for Trouble { message, hint, .. } in unlocked(&deployment) {
            reporter.tell(EventKind::Warning { text: message, hint });
        }
        let home = home(&deployment, bucket.as_ref(), &sites).ok_or_else(|| {
            Refused::of(Trouble::new("internal/home", "the home is no host of this configuration"))
        })?;
        Ok(Self {
            deployment,
            sites,
            excluded,
            missing: Vec::new(),
            home,
            hooks,
            secrets,
            here,
            operator,
            workspace,
            reporter,
            interrupts,
        })
    }

    /// What of the configuration decides what a deployment puts live.
    pub(crate) fn settings(&self) -> Basis {
        settings(&self.deployment, &self.hooks.digests())
    }

    /// For the records of a journal that begin something.
    pub(crate) fn origin(&self, message: Option<String>) -> Origin {
        let who = format!("{}@{}", self.operator.user, self.operator.machine);
        let (hooks, ci) = (self.hooks.digests(), self.operator.ci.clone());
        let (basis, settings) = (Some(basis(&self.deployment)), Some(self.settings()));
        Origin { who, ci, message, hooks, basis, settings }
    }
}

/// What keeps the state: the object store, or else the host that is the home. None when that host is not among `sites`.
pub(crate) fn home(deployment: &Deployment, bucket: Option<&Arc<dyn Link>>, sites: &Sites) -> Option<Home> {
    let directory = match bucket {
        Some(link) => {
            StateDirectory::in_bucket(Arc::clone(link), &deployment.app, deployment.environment.as_ref())
        }
        None => sites.get(deployment.home())?.state.clone(),
    };
    Some(Home::new(directory))
}

/// Every host that a deployment speaks to. The one that builds is none of them where nothing is built and no other hook may reach it:
/// a rollback must not need it.
pub(crate) fn spoken_to(deployment: &Deployment, builds: bool) -> BTreeSet<HostName> {
    let mut hosts: BTreeSet<HostName> = super::observe::all_app_hosts(deployment).into_iter().collect();
    hosts.extend(deployment.router.names.iter().filter(|name| deployment.hosts.contains_key(*name)).cloned());
    hosts.extend(deployment.router.front_doors.iter().filter_map(|door| door.via.clone()));
    let builder = &deployment.build.builder;
    let others = configured(deployment).into_iter().filter(|(_, kind)| *kind != HookKind::Build);
    let mut reached = others.flat_map(|(hook, _)| hook.grants.hosts());
    let is_builder = |group: &HostGroup| match group {
        HostGroup::Builder => true,
        HostGroup::Named(names) => names.contains(builder),
        HostGroup::App | HostGroup::Routers => false,
    };
    if builds || reached.any(is_builder) {
        hosts.insert(builder.clone());
    }
    hosts
}

/// Secrets that hooks of these kinds may use.
pub(crate) fn hook_secrets(deployment: &Deployment, is_asked: impl Fn(HookKind) -> bool) -> BTreeSet<&Name> {
    let asked = configured(deployment).into_iter().filter(|(_, kind)| is_asked(*kind));
    asked.flat_map(|(hook, _)| hook.grants.secret_names()).collect()
}

/// Secrets of hooks that can't be had, and with them those of the application, when it is deployed. A plan that is only shown runs none of
/// the programs that give secrets, and tells in another place. What is taken up may only have to go back, for which nothing is tested.
async fn secretless(
    deployment: &Deployment,
    secrets: &Secrets,
    builds: bool,
    deploys: bool,
    absence: Absence,
) -> Vec<Trouble> {
    let needed = match absence {
        Absence::Shown => return Vec::new(),
        Absence::Bounded => hook_secrets(deployment, |kind| builds || kind != HookKind::Build),
        Absence::Judged => {
            let tests = hook_secrets(deployment, |kind| kind == HookKind::SmokeTest);
            let _ = secrets.faults(tests, true).await;
            hook_secrets(deployment, |kind| matches!(kind, HookKind::HealthCheck | HookKind::Router))
        }
    };
    // What programs say is kept in the journal: all that can be masked there is known from here on.
    secrets.learn().await;
    let mut faults = secrets.faults(needed.iter().copied(), true).await;
    if deploys && !faults.is_empty() {
        let others = deployment.environments_secrets();
        faults.extend(secrets.faults(others.difference(&needed).copied(), true).await);
    }
    faults.iter().map(secret_trouble).collect()
}

/// Every host that is needed; and those that can't be reached and may be left out.
async fn connect(
    deployment: &Arc<Deployment>,
    links: &Links,
    builds: bool,
    absence: Absence,
) -> Result<(Sites, BTreeMap<HostName, Trouble>), Vec<Trouble>> {
    let (sites, mut silent) = connect_all(deployment, links, spoken_to(deployment, builds)).await;
    if silent.is_empty() || may_open(deployment, builds, absence, &silent) {
        return Ok((sites, silent));
    }
    hint_at(deployment, builds, absence, &mut silent);
    let mut troubles: Vec<Trouble> = silent.into_values().collect();
    troubles.sort_by(|a, b| a.message.cmp(&b.message));
    Err(troubles)
}

/// Hosts of a deployment, all at once: those that answered, and what the others said instead.
pub(crate) async fn connect_all(
    deployment: &Arc<Deployment>,
    links: &Links,
    names: BTreeSet<HostName>,
) -> (Sites, BTreeMap<HostName, Trouble>) {
    let mut connecting = JoinSet::new();
    for name in names {
        let (deployment, link) = (Arc::clone(deployment), links.get(&name));
        connecting.spawn(async move {
            let site = connect_one(&deployment, link, &name).await;
            (name, site)
        });
    }
    let (mut sites, mut silent) = (Sites::new(), BTreeMap::new());
    for (name, site) in connecting.join_all().await {
        match site {
            Ok(site) => drop(sites.insert(name, site)),
            Err(trouble) => drop(silent.insert(name, trouble)),
        }
    }
    (sites, silent)
}

async fn connect_one(
    deployment: &Deployment,
    link: Option<Arc<dyn Link>>,
    name: &HostName,
) -> Result<Site, Trouble> {
    let Some(link) = link else {
        return Err(Trouble::new("host/unknown", format!("`{name}` is no host of this configuration")));
    };
    let rooms = [deployment.application.directory.clone()];
    let found =
        StateDirectory::find(link.clone(), &deployment.app, deployment.environment.as_ref(), &rooms).await;
    let found = found.map_err(|fault| store_fault(&fault).trouble)?;
    Ok(Site { link, state: found.directory, membership: found.membership, facts: found.facts })
}
