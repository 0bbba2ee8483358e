//! What the user wants: the whole configuration, valid by construction, with every default filled in.

mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::Utf8PathBuf;

use super::grant::Grants;
use super::{
    BUCKET_NAME, BucketUrl, Color, ComponentDigest, HookSource, Host, HostName, Limits, LockFile,
    MaxExcluded, Name, Strategy, VENDORED,
};

/// A validated `cutover.toml` with one environment's overlay applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Name of the application.
    pub app: Name,
    /// Environment, when the configuration has any.
    pub environment: Option<Name>,
    /// Whether the environment's name must be typed (or `--yes` given) before anything changes.
    pub confirm: bool,
    /// Directory of `cutover.toml`, absolute: what relative paths in it start from.
    pub root: Utf8PathBuf,
    /// The object store that keeps the state; none: the home does, see [`Deployment::home`].
    pub state: Option<BucketUrl>,
    /// Every machine, by name. This one is among them as `local` when something runs on it and the file gives it no name.
    pub hosts: BTreeMap<HostName, Host>,
    /// How a release is made.
    pub build: Build,
    /// What runs, and how.
    pub application: Application,
    /// When an instance counts as healthy.
    pub health_check: HealthCheck,
    /// Tests against the idle colour, in order.
    pub smoke_tests: Vec<SmokeTest>,
    /// What moves the traffic.
    pub router: Router,
    /// Times and policies.
    pub pipeline: Pipeline,
    /// Where secrets come from, by name.
    pub secrets: BTreeMap<Name, SecretSource>,
}

impl Deployment {
    /// `shop` or `shop/production`: what it is called everywhere.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.environment {
            Some(environment) => format!("{}/{environment}", self.app),
            None => self.app.to_string(),
        }
    }

    /// `shop` or `shop-production`: what `{name}` is in the settings of hooks.
    #[must_use]
    pub fn name_for_hooks(&self) -> String {
        match &self.environment {
            Some(environment) => format!("{}-{environment}", self.app),
            None => self.app.to_string(),
        }
    }

    /// Every use of a hook, in the order of the pipeline.
    #[must_use]
    pub fn hooks(&self) -> Vec<&Hook> {
        let mut hooks = vec![&self.build.hook, &self.health_check.hook];
        hooks.extend(self.smoke_tests.iter().map(|test| &test.hook));
        hooks.push(&self.router.hook);
        hooks
    }

    /// Notes with each hook what a lock file says of it.
    pub fn lock_hooks(&mut self, lock: &LockFile) {
        let Self { root, build, health_check, smoke_tests, router, .. } = self;
        let tests = smoke_tests.iter_mut().map(|test| &mut test.hook);
        let others = [&mut build.hook, &mut health_check.hook, &mut router.hook];
        for hook in tests.chain(others) {
            hook.locked = lock.hooks.get(&hook.source.requested(root)).map(|locked| Locked {
                sha256: locked.sha256.clone(),
                copy: locked.resolved.starts_with(VENDORED).then(|| root.join(&locked.resolved)),
            });
        }
    }

    /// Hosts on which a colour runs: its own, or those of the application.
    #[must_use]
    pub fn color_hosts(&self, color: Color) -> &[HostName] {
        if !self.colors().contains(&color) {
            return &[];
        }
        let own = &self.application.color(color).hosts;
        if own.is_empty() { &self.application.hosts } else { own }
    }

    /// Secrets that the environment of either colour needs.
    #[must_use]
    pub fn environments_secrets(&self) -> BTreeSet<&Name> {
        Color::ALL.into_iter().flat_map(|color| self.environment_secrets(color)).collect()
    }

    /// Secrets that the environment of a colour needs.
    pub fn environment_secrets(&self, color: Color) -> impl Iterator<Item = &Name> {
        let application = &self.application;
        let values = application.env.values().chain(application.color(color).env.values());
        values.filter_map(|value| match value {
            EnvValue::Secret(name) => Some(name),
            EnvValue::Text(_) => None,
        })
    }

    /// The host that keeps lock, journal and history: the first router host, else the first application host.
    #[must_use]
    pub fn home(&self) -> &HostName {
        let routers = self.router.names.iter().find(|name| self.hosts.contains_key(*name));
        routers.unwrap_or(&self.application.hosts[0])
    }

    /// What keeps lock, journal and history, by the name that messages call it: the object store, or else [`Self::home`].
    #[must_use]
    pub fn keeper(&self) -> HostName {
        let bucket = self.state.as_ref().and_then(|_| HostName::new(BUCKET_NAME).ok());
        bucket.unwrap_or_else(|| self.home().clone())
    }
}

/// `[build]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// The hook.
    pub hook: Hook,
    /// URL or path of the repository; none: the remote of the checkout that `root` lies in.
    pub repository: Option<String>,
    /// The only branch that may go live; `*` for any.
    pub branch: String,
    /// Where it runs.
    pub builder: HostName,
}

/// `[app]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// Hosts that run the application; at least one.
    pub hosts: Vec<HostName>,
    /// Directory on each host: `releases/`, `shared/`, `current`, `blue`, `green`. May begin with `~/`.
    pub directory: String,
    /// Directories of `shared/` linked into each release.
    pub linked_dirs: Vec<String>,
    /// Files of `shared/` linked into each release.
    pub linked_files: Vec<String>,
    /// Whole releases kept on each host, those in use included. Of those that never had traffic one is kept beside them.
    pub keep_releases: usize,
    /// What starts and stops processes.
    pub driver: Driver,
    /// Command of one instance, with placeholders `{port}` `{listen}` `{color}` `{release}` `{directory}`. A relative program is
    /// meant from the release's directory.
    pub start: Vec<String>,
    /// Migration, run once on one host from the new release.
    pub migrate: Option<Vec<String>>,
    /// System user of the processes; none: the user that the engine logs in as.
    pub user: Option<String>,
    /// From SIGTERM to SIGKILL.
    pub stop_timeout: Duration,
    /// Address to listen on, `{address}` for the host's own.
    pub listen: String,
    /// Environment of every process.
    pub env: BTreeMap<String, EnvValue>,
    /// Files on the host, relative to `directory`, read before `env`.
    pub env_files: Vec<String>,
    /// What differs for blue.
    pub blue: ColorSettings,
    /// What differs for green.
    pub green: ColorSettings,
    /// How an answer names its release.
    pub release_marker: Option<ReleaseMarker>,
}

impl Application {
    /// What differs for one colour.
    #[must_use]
    pub const fn color(&self, color: Color) -> &ColorSettings {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }
}

/// `app.blue`, `app.green`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColorSettings {
    /// TCP port of each instance.
    pub port: u16,
    /// Hosts of this colour alone; empty for those of the application.
    pub hosts: Vec<HostName>,
    /// Added to the application's environment.
    pub env: BTreeMap<String, EnvValue>,
}

/// Value of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvValue {
    /// As it stands (placeholders as in `start`).
    Text(String),
    /// The secret of that name.
    Secret(Name),
}

/// `app.driver`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    /// Units of systemd.
    Systemd {
        /// Whose.
        scope: SystemdScope,
        /// Lines added to the `[Service]` section of the unit.
        unit: Vec<String>,
    },
    /// The helper's own supervisor.
    Detached,
    /// Programs of the operator's; placeholders as in `start`; the status program's exit status 0 means running, 3 means stopped.
    Command {
        /// Starts one colour.
        start: Vec<String>,
        /// Stops one colour.
        stop: Vec<String>,
        /// Tells whether one colour runs.
        status: Vec<String>,
    },
}

/// Which systemd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemdScope {
    /// The system's, by `sudo -n` where the deploy user is not root.
    System,
    /// The deploy user's.
    User,
}

/// `app.release-marker`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseMarker {
    /// Name of a header, lower-case.
    Header(String),
    /// JSON pointer into the body.
    Json(String),
}

/// `[health-check]`.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheck {
    /// The hook; its timeout is that of one probe.
    pub hook: Hook,
    /// Between two probes of an instance.
    pub interval: Duration,
    /// Passes in a row that make an instance healthy, and failures in a row that make a healthy one sick.
    pub healthy_after: u32,
    /// For all instances to become healthy.
    pub deadline: Duration,
}

/// `[[smoke-test]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct SmokeTest {
    /// Unique.
    pub name: Name,
    /// The hook.
    pub hook: Hook,
    /// Asked once for each instance instead of once for all.
    pub per_instance: bool,
}

/// `[router]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Router {
    /// The hook.
    pub hook: Hook,
    /// Routers in the order in which they are switched: names of hosts (`hosts`), or free names (`names`).
    pub names: Vec<HostName>,
    /// URLs through which users come, probed after the switch.
    pub front_doors: Vec<FrontDoor>,
}

/// An entry of `router.front-door`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontDoor {
    /// `http://` or `https://`.
    pub url: String,
    /// Host whose network the probe starts from; none: where the engine runs, and the name leads wherever it leads.
    pub via: Option<HostName>,
    /// Text that the body must be (trimmed), with `{color}` and `{release}`; proves the switch where there is no marker.
    pub body: Option<String>,
    /// Whether each router host is asked for the URL by itself too.
    pub each_router: EachRouter,
}

/// `each-router` of a front door. One name may stand for several routers, and a good answer is then one router's: so each is asked, on a
/// connection from its own network to its own address and the URL's port, with the URL's name in the Host header and in TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EachRouter {
    /// Where several hosts route, the name is asked from no host of its own, and answers can tell whose they are. A router need not
    /// answer for the URL by itself (TLS or a cache may stand before it): one that does not is told of and fails nothing. One that
    /// answers as another release or colour fails the switch.
    #[default]
    WhereItAnswers,
    /// Every router host must answer rightly.
    Required,
    /// None is asked.
    Never,
}

/// `[pipeline]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// For the whole deployment.
    pub timeout: Duration,
    /// How the traffic moves.
    pub strategy: Strategy,
    /// How long the new colour is watched once it has all the traffic.
    pub watch: Duration,
    /// How long the old colour's connections may go on.
    pub drain_timeout: Duration,
    /// What happens to connections that are open at the end of it.
    pub connections: ConnectionPolicy,
    /// What becomes of the old colour.
    pub retire: Retire,
    /// Hosts worked on at once.
    pub parallel: usize,
    /// Hosts that a deployment may leave out.
    pub max_excluded: MaxExcluded,
    /// Age of the live release after which `status --check` fails; none: never.
    pub max_age: Option<Duration>,
}

impl Pipeline {
    /// How long the new colour is watched while it has so many percent of the requests.
    #[must_use]
    pub fn watch_at(&self, weight: u32) -> Duration {
        let step = self.strategy.steps().iter().find(|step| step.weight == weight);
        step.map_or(self.watch, |step| step.watch)
    }

    /// How long it is watched in all.
    #[must_use]
    pub fn watches(&self) -> Duration {
        let steps = self.strategy.steps().iter().map(|step| step.watch);
        steps.fold(self.watch, Duration::saturating_add)
    }
}

/// `pipeline.drain.connections`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionPolicy {
    /// Left running with a warning.
    Wait,
    /// Stopped at the end of the time.
    Cap,
    /// Stopped at once.
    Cut,
}

/// `pipeline.retire`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retire {
    /// Goes on running, for an instant rollback.
    KeepWarm,
    /// Is stopped.
    Stop,
}

/// An entry of `[secrets]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// Variable of the engine's environment.
    Env(String),
    /// File; relative to `root`.
    File(Utf8PathBuf),
    /// Output of a program on this machine, without its last newline.
    Command(Vec<String>),
}

/// One use of a hook.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// What people call it: `build`, `health-check`, `router`, or the smoke test's name.
    pub title: String,
    /// Where the component is.
    pub source: HookSource,
    /// Its `settings` table.
    pub settings: serde_json::Value,
    /// For one call.
    pub timeout: Duration,
    /// What it may do: its `grants` table, or what the program lists beside a bundled hook that has no such table.
    pub grants: Grants,
    /// Whether `grants` are those of the program.
    pub bundled_grants: bool,
    /// What it may use.
    pub limits: Limits,
    /// Place of the table in the file, for errors.
    pub location: Location,
    /// What its component must be by the table itself.
    pub sha256: Option<ComponentDigest>,
    /// What its component must be by the lock file.
    pub locked: Option<Locked>,
}

/// What a lock file says of a hook's component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Of its bytes.
    pub sha256: ComponentDigest,
    /// The copy of it that lies in the project, absolute.
    pub copy: Option<Utf8PathBuf>,
}

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Location {
    /// As the user named it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}
