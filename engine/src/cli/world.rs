//! This machine, as commands find it: environment, user, directories, signals. Read here and nowhere else.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::control_directory::ControlDirectory;
use super::failure::Failure;
use crate::bundled::helper;
use crate::hook::http::HttpClient;
use crate::hook::{CacheFault, CodeCache, Downloads, HookPool, SandboxProgram};
use crate::model::view::{ExitCode, Problem};
use crate::model::{BUCKET_NAME, BucketUrl, Deployment, EventSink, HostName, Name};
use crate::run::{DockerConfig, Interrupts, Operator, Reporter, Setting, Supplier, SystemClock};
use crate::secret::{Redactor, Secrets};
use crate::store::Bucket;
use crate::transport::{
    HelperPrograms, Link, Links, PinFault, PinnedKeys, SshSettings, TransportSettings, local_link,
};

/// The word that makes the program the supervisor of processes on this machine.
pub const SUPERVISOR_WORD: &str = "host-supervisor";

/// Where a project pins keys of its hosts, beside the configuration.
pub(super) const KNOWN_HOSTS: &str = "cutover.known_hosts";

/// Everything that a command runs with, for `deployment`. Events go to `sink`, secrets masked. The directory must outlive all else.
///
/// # Errors
/// When this machine lacks what any command needs: a home directory, a name of its own program.
pub(super) fn setting(
    deployment: Deployment,
    sink: Arc<dyn EventSink>,
) -> Result<(ControlDirectory, Setting), Failure> {
    let environment = environment();
    let home_directory = home_directory(&environment)?;
    let program = program()?;
    let cache_home = below_home(&environment, "XDG_CACHE_HOME", ".cache")?;
    let deployment = Arc::new(deployment);
    let account = account(&environment, &home_directory);
    let user = account.user.clone();
    let local = local_host(&program, account);
    let here = local_link(this_machine()?, Arc::clone(&local));
    let pinned = PinnedKeys::read(deployment.root.join(KNOWN_HOSTS).as_std_path())
        .map_err(|fault| not_pins(&fault))?;
    let control_directory = control_directory(environment.get("XDG_RUNTIME_DIR"))?;
    let settings = TransportSettings {
        local,
        helpers: HelperPrograms { x86_64: helper::X86_64, aarch64: helper::AARCH64 },
        ssh: SshSettings {
            user_config: home_directory.join(".ssh/config").into_std_path_buf(),
            system_config: PathBuf::from("/etc/ssh/ssh_config"),
            control_directory: control_directory.path().to_owned(),
            pinned: Arc::new(pinned),
        },
    };
    let links = Arc::new(Links::new(deployment.hosts.values(), &settings));
    let bucket = match &deployment.state {
        None => None,
        Some(url) => Some(bucket(url, &environment)?),
    };
    let http = Arc::new(HttpClient::new());
    let hooks = pool(program, &environment, &http)?.with_root(deployment.root.clone());
    let redactor = Redactor::default();
    let secrets = Secrets::new(
        deployment.secrets.clone(),
        environment.clone(),
        deployment.root.clone(),
        redactor.clone(),
    );
    let reporter = Reporter::new(Arc::new(super::masked::Masked { sink, redactor }), Arc::new(SystemClock));
    let setting = Setting {
        links,
        bucket,
        hooks,
        http,
        secrets: Arc::new(secrets),
        here,
        operator: Operator {
            user,
            machine: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            pid: std::process::id(),
            place: place(),
            ci: ci_link(&environment),
            ssh_agent: environment.get("SSH_AUTH_SOCK").cloned(),
        },
        workspace: cache_home.join("cutover"),
        reporter,
        interrupts: interrupts(),
        recording: None,
        deployment,
    };
    Ok((control_directory, setting))
}

/// This machine, for what needs nothing else.
///
/// # Errors
/// As [`setting`].
pub(super) fn here() -> Result<Arc<dyn Link>, Failure> {
    let environment = environment();
    let account = account(&environment, &home_directory(&environment)?);
    Ok(local_link(this_machine()?, local_host(&program()?, account)))
}

fn account(environment: &BTreeMap<String, String>, home: &Utf8Path) -> cutover_host::Account {
    cutover_host::Account::of_process(Some(home.to_string()), environment.get("USER").cloned())
}

fn local_host(program: &Path, account: cutover_host::Account) -> Arc<cutover_host::Host> {
    let supervisor = vec![program.as_os_str().to_owned(), OsString::from(SUPERVISOR_WORD)];
    Arc::new(cutover_host::Host::new(supervisor, account))
}

/// Of a file that pins no keys.
pub(super) fn not_pins(fault: &PinFault) -> Problem {
    let hint = "`cutover trust` writes such lines";
    Problem::new("config/known-hosts", fault.to_string(), ExitCode::Configuration).hint(hint)
}

/// What `cutover hook` runs with.
///
/// # Errors
/// As [`setting`].
pub(super) fn supplier(offline: bool) -> Result<Supplier, Failure> {
    let environment = environment();
    let http = Arc::new(HttpClient::new());
    let pool = pool(program()?, &environment, &http)?;
    Ok(Supplier { pool, http, logins: logins(&environment)?, downloads: downloads(&environment)?, offline })
}

/// Where the operator's logins to registries are, as `docker` finds them.
fn logins(environment: &BTreeMap<String, String>) -> Result<DockerConfig, Failure> {
    let directory = match environment.get("DOCKER_CONFIG").filter(|directory| !directory.is_empty()) {
        Some(directory) => Utf8PathBuf::from(directory),
        None => home_directory(environment)?.join(".docker"),
    };
    Ok(DockerConfig { file: directory.join("config.json") })
}

/// What loads hooks.
fn pool(
    program: PathBuf,
    environment: &BTreeMap<String, String>,
    http: &Arc<HttpClient>,
) -> Result<HookPool, Failure> {
    let cache_home = below_home(environment, "XDG_CACHE_HOME", ".cache")?;
    let state_home = below_home(environment, "XDG_STATE_HOME", ".local/state")?;
    let cache = code_cache(&cache_home, &state_home, is_ci(environment));
    let (cache, no_cache) = cache.map_or_else(|fault| (None, Some(fault)), |cache| (cache, None));
    let hooks = HookPool::new(SandboxProgram::new(program), cache, Arc::clone(http));
    let hooks = hooks.map_err(|fault| internal(&fault.to_string()))?;
    Ok(hooks.lacking(no_cache).with_downloads(downloads(environment)?))
}

/// Where components are that were fetched.
fn downloads(environment: &BTreeMap<String, String>) -> Result<Downloads, Failure> {
    let cache_home = below_home(environment, "XDG_CACHE_HOME", ".cache")?;
    Ok(Downloads::new(cache_home.join("cutover/hooks").into_std_path_buf()))
}

fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| internal(&format!("this program can't find itself: {error}")))
}

fn home_directory(environment: &BTreeMap<String, String>) -> Result<Utf8PathBuf, Failure> {
    let home = environment.get("HOME").filter(|home| home.starts_with('/')).map(Utf8PathBuf::from);
    home.ok_or_else(|| internal("the environment has no `HOME` that begins with `/`"))
}

/// A directory of the user: as a variable names it, else below home (XDG Base Directory Specification).
fn below_home(
    environment: &BTreeMap<String, String>,
    variable: &str,
    path: &str,
) -> Result<Utf8PathBuf, Failure> {
    match environment.get(variable).filter(|path| path.starts_with('/')) {
        Some(directory) => Ok(Utf8PathBuf::from(directory)),
        None => Ok(home_directory(environment)?.join(path)),
    }
}

/// What the number of a process is unique in (pid_namespaces(7)).
fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.to_str()?))
}

fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The object store at `url`, as the environment of this process leads to it.
pub(super) fn bucket_of_environment(url: &BucketUrl) -> Result<Arc<dyn Link>, Failure> {
    bucket(url, &environment())
}

/// The object store at `url`, with what the environment tells of it.
fn bucket(url: &BucketUrl, environment: &BTreeMap<String, String>) -> Result<Arc<dyn Link>, Failure> {
    let name = Name::new(BUCKET_NAME).map_err(|fault| internal(&fault.to_string()))?;
    let prefix = url.kind().variables();
    let variables = environment.iter().filter(|(name, _)| name.starts_with(prefix));
    let opened = Bucket::open(name, url, variables.map(|(name, value)| (name.as_str(), value.as_str())));
    opened.map(|bucket| Arc::new(bucket) as Arc<dyn Link>).map_err(|failure| {
        let [sufficient, elsewhere] = url.kind().sufficient();
        let hint = format!(
            "the variables `{prefix}…` lead to it, as {sufficient}; {elsewhere} where it is not the vendor's own"
        );
        Problem::new("state/unreachable", failure.to_string(), ExitCode::NothingChanged).hint(hint).into()
    })
}

fn internal(text: &str) -> Failure {
    Problem::new("internal/machine", text, ExitCode::Internal).into()
}

fn this_machine() -> Result<HostName, Failure> {
    Name::new("localhost").map_err(|fault| internal(&fault.to_string()))
}

/// A private directory for control sockets of SSH.
fn control_directory(runtime: Option<&String>) -> Result<ControlDirectory, Failure> {
    let bases = runtime.map(PathBuf::from).into_iter().chain([std::env::temp_dir()]);
    ControlDirectory::make(bases).map_err(|(base, error)| {
        internal(&format!("no directory for control sockets can be made in `{}`: {error}", base.display()))
    })
}

/// Compiled hooks are kept for the next run, except on machines that are thrown away after it.
///
/// A cache that others could write to is as good as none: hooks are compiled anew.
fn code_cache(
    cache_home: &Utf8PathBuf,
    state_home: &Utf8PathBuf,
    ci: bool,
) -> Result<Option<CodeCache>, CacheFault> {
    if ci {
        return Ok(None);
    }
    let directory = cache_home.join("cutover/compiled");
    let key = state_home.join("cutover/compiled.key");
    CodeCache::open(directory.as_std_path(), key.as_std_path()).map(Some)
}

/// Link to the CI run that this is part of, or the word `CI` when it can't be told which.
fn ci_link(environment: &BTreeMap<String, String>) -> Option<String> {
    let get = |name: &str| environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let parts = |names: [&str; 3]| Some([get(names[0])?, get(names[1])?, get(names[2])?]);
    if let Some([server, repository, run]) =
        parts(["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"])
    {
        return Some(format!("{server}/{repository}/actions/runs/{run}"));
    }
    let azure = ["SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID"];
    if let Some([server, project, run]) = parts(azure) {
        return Some(format!("{server}{project}/_build/results?buildId={run}"));
    }
    // GitLab, Jenkins, Buildkite, CircleCI, Drone and Woodpecker, Travis.
    let links = [
        "CI_JOB_URL",
        "BUILD_URL",
        "BUILDKITE_BUILD_URL",
        "CIRCLE_BUILD_URL",
        "DRONE_BUILD_LINK",
        "TRAVIS_BUILD_WEB_URL",
    ];
    links.into_iter().find_map(get).or(is_ci(environment).then_some("CI")).map(str::to_owned)
}

/// Whether a runner of continuous integration calls. `CI=false` is how people say no.
fn is_ci(environment: &BTreeMap<String, String>) -> bool {
    let says = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty() && value != "false");
    says("CI") || says("TF_BUILD")
}

/// Counts SIGINT, SIGTERM and SIGHUP from now on.
pub(super) fn interrupts() -> watch::Receiver<Interrupts> {
    let (sender, receiver) = watch::channel(Interrupts::default());
    let kinds = [
        (SignalKind::interrupt(), if std::io::stdin().is_terminal() { "Ctrl-C" } else { "SIGINT" }),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "SIGHUP"),
    ];
    let sender = Arc::new(sender);
    for (kind, name) in kinds {
        let sender = Arc::clone(&sender);
        let Ok(mut signals) = signal(kind) else { continue };
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                sender.send_modify(|interrupts| {
                    if interrupts.count == 0 {
                        interrupts.first = name;
                    }
                    interrupts.count += 1;
                });
            }
        });
    }
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_that_calls_is_linked() {
        let link = |variables: &[(&str, &str)]| {
            ci_link(
                &variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            )
        };
        let github = [
            ("CI", "true"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_RUN_ID", "812"),
        ];
        assert_eq!(link(&github).as_deref(), Some("https://github.example/acme/shop/actions/runs/812"));
        assert_eq!(
            link(&[("CI", "1"), ("BUILD_URL", "https://ci.example/j/2")]).as_deref(),
            Some("https://ci.example/j/2")
        );
        assert_eq!(link(&[("TF_BUILD", "True")]).as_deref(), Some("CI"));
        assert_eq!(link(&[("CI", "false")]), None);
        assert_eq!(link(&[("GITHUB_RUN_ID", "812")]), None);
    }
}
