//! What a host needs once, before anything can be deployed to it: worked out from the configuration, told by `setup`, looked for by
//! `check --hosts`.

use cutover_host::operation::Facts;

use crate::driver::{self, DriverFailure, Slot};
use crate::model::grant::{ExecGrant, HostGroup};
use crate::model::{Color, Deployment, Driver, Hook, HostName, Reach, SystemdScope};

/// What one host needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// User that the engine logs in as.
    pub login: String,
    /// User that must exist for the processes, where it is not the same.
    pub process_user: Option<String>,
    /// Directories, parents first.
    pub directories: Vec<NeededDirectory>,
    /// Files below `shared/` that every release links to; nobody but the operator knows what is in them.
    pub shared_files: Vec<String>,
    /// Commands that the login must be allowed to run by `sudo -n`, exactly.
    pub privileged: Vec<Vec<String>>,
    /// Files of root's.
    pub files: Vec<NeededFile>,
    /// Whether the login's own systemd must run without a session: it runs the processes, or keeps them from being ended with it.
    pub linger: bool,
    /// Directories that hooks may write into, which must be there beforehand.
    pub written: Vec<String>,
    /// What the build runs here; none where nothing is built.
    pub build: Option<NeededBuild>,
}

/// What a host needs that builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededBuild {
    /// Where builds are made, where that is not this machine's cache. It is made when it is needed.
    pub directory: Option<String>,
    /// Programs that the hook may run, by path or bare name, but for those of the checkout itself.
    pub programs: Vec<String>,
}

/// A directory that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededDirectory {
    /// Absolute path.
    pub path: String,
    /// User.
    pub owner: String,
    /// Group; none for the owner's own.
    pub group: Option<String>,
    /// Permission bits.
    pub mode: u32,
    /// Directory above it that nobody but root can put a link in the place of. What lies between the two, users may replace.
    pub base: String,
    /// User that makes it: the one whose directory it lies in; none for root.
    pub made_by: Option<String>,
}

/// A file of root's that must be there as it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededFile {
    /// What it is, for people: `unit template`.
    pub what: String,
    /// Absolute path.
    pub path: String,
    /// Whole content.
    pub content: String,
    /// Command that makes it take effect.
    pub then: String,
}

impl Needs {
    /// What `host` needs, which said `facts` of itself.
    ///
    /// # Errors
    /// When what the host says of itself can't be true.
    pub fn of(deployment: &Deployment, host: &HostName, facts: &Facts) -> Result<Self, DriverFailure> {
        let mut needs = Self { login: facts.user.clone(), ..Self::default() };
        let slot = Slot::new(deployment, host, Color::Blue, facts)?;
        if Color::ALL.into_iter().any(|color| deployment.color_hosts(color).contains(host)) {
            needs.add_application(deployment, &slot, facts);
        }
        for grant in hooks(deployment).filter_map(|hook| hook.grants.exec.as_ref()).flatten() {
            needs.add_grant(deployment, host, grant);
        }
        for hook in hooks(deployment) {
            needs.add_written(deployment, host, hook);
        }
        if facts.uid == 0 {
            needs.privileged.clear();
        }
        if deployment.build.builder == *host {
            needs.build = Some(NeededBuild::of(deployment));
        }
        Ok(needs)
    }

    fn add_application(&mut self, deployment: &Deployment, slot: &Slot<'_>, facts: &Facts) {
        let application = &deployment.application;
        let system = matches!(application.driver, Driver::Systemd { scope: SystemdScope::System, .. });
        let other = application.user.clone().filter(|user| system && *user != facts.user);
        let top = slot.directory().to_owned();
        let in_home = top.starts_with(&format!("{}/", facts.home));
        let base = if in_home { &facts.home } else { parent(&top) };
        let login = |path: String, mode| NeededDirectory {
            path,
            owner: facts.user.clone(),
            group: None,
            mode,
            base: base.to_owned(),
            made_by: Some(facts.user.clone()),
        };
        if !in_home || other.is_some() {
            let made_by = in_home.then(|| facts.user.clone());
            self.directories.push(NeededDirectory { made_by, ..login(top.clone(), 0o755) });
        }
        if let Some(user) = &other {
            // The scripts that start the processes hold their environment: for the login and the processes alone. The group of
            // the directory becomes the group of what is written into it.
            let group = Some(user.clone());
            self.directories.push(NeededDirectory { group, ..login(slot.run_directory(), 0o2750) });
            self.directories.push(login(format!("{top}/shared"), 0o755));
            let shared = application.linked_dirs.iter().map(|name| NeededDirectory {
                owner: user.clone(),
                group: Some(user.clone()),
                ..login(format!("{top}/shared/{name}"), 0o755)
            });
            self.directories.extend(shared);
        }
        self.process_user = other;
        self.shared_files =
            application.linked_files.iter().map(|name| format!("{top}/shared/{name}")).collect();
        self.privileged.extend(driver::privileged_commands(deployment));
        match (&application.driver, driver::unit_path(slot), driver::unit_file(slot)) {
            (Driver::Systemd { scope: SystemdScope::System, .. }, Some(path), Some(content)) => {
                self.files.push(NeededFile {
                    what: "unit template".to_owned(),
                    path,
                    content,
                    then: "systemctl daemon-reload".to_owned(),
                });
            }
            (Driver::Systemd { scope: SystemdScope::User, .. }, ..) => self.linger = facts.uid != 0,
            (Driver::Detached | Driver::Command { .. }, ..) => self.linger = facts.ends_at_logout,
            (Driver::Systemd { .. }, ..) => {}
        }
        // A migration outlives a connection that breaks, too.
        self.linger |= facts.ends_at_logout && application.migrate.is_some();
    }

    fn add_grant(&mut self, deployment: &Deployment, host: &HostName, grant: &ExecGrant) {
        let command: Vec<String> = std::iter::once(&grant.program).chain(&grant.args).cloned().collect();
        if grant.as_root
            && names(deployment, &grant.hosts).contains(&host)
            && !self.privileged.contains(&command)
        {
            self.privileged.push(command);
        }
    }

    /// A file is replaced by a rename, so it is its directory that must be writable. One with a `*` may be any.
    fn add_written(&mut self, deployment: &Deployment, host: &HostName, hook: &Hook) {
        let files = hook.grants.write.iter().flatten().map(|grant| (&grant.hosts, &grant.path));
        let links = hook.grants.link.iter().flatten().map(|grant| (&grant.hosts, &grant.path));
        for (hosts, path) in files.chain(links) {
            let directory = parent(path).to_owned();
            let is_one = directory.starts_with('/') && !directory.contains(['*', '{']);
            if is_one && names(deployment, hosts).contains(&host) && !self.written.contains(&directory) {
                self.written.push(directory);
            }
        }
    }
}

/// The directory of an absolute path.
fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((parent, _)) if !parent.is_empty() => parent,
        _ => "/",
    }
}

impl NeededBuild {
    fn of(deployment: &Deployment) -> Self {
        let builder = &deployment.build.builder;
        let mut programs = Vec::new();
        for grant in deployment.build.hook.grants.exec.iter().flatten() {
            let is_own = grant.program.contains('{');
            if !is_own
                && names(deployment, &grant.hosts).contains(&builder)
                && !programs.contains(&grant.program)
            {
                programs.push(grant.program.clone());
            }
        }
        Self { directory: builds_directory(deployment), programs }
    }
}

fn hooks(deployment: &Deployment) -> impl Iterator<Item = &Hook> {
    let tests = deployment.smoke_tests.iter().map(|test| &test.hook);
    [&deployment.build.hook, &deployment.health_check.hook, &deployment.router.hook].into_iter().chain(tests)
}

fn names<'a>(deployment: &'a Deployment, group: &'a HostGroup) -> Vec<&'a HostName> {
    match group {
        HostGroup::Named(names) => names.iter().collect(),
        HostGroup::App => Color::ALL.into_iter().flat_map(|color| deployment.color_hosts(color)).collect(),
        HostGroup::Routers => deployment.router.names.iter().collect(),
        HostGroup::Builder => vec![&deployment.build.builder],
    }
}

/// Where builds are made when the builder is another host: beside the helper, where there is room and programs may be run from.
pub(crate) fn builds_directory(deployment: &Deployment) -> Option<String> {
    match deployment.hosts.get(&deployment.build.builder).map(|host| &host.reach) {
        Some(Reach::Ssh { helper_directory, .. }) => Some(format!("{helper_directory}/builds")),
        Some(Reach::Local) | None => None,
    }
}
