//! What a host needs once, before anything can be deployed to it: worked out from the configuration, told by `setup`, looked for by
//! `check --hosts`.

use cutover_host::operation::Facts;

use crate::driver::{self, DriverFailure, Slot};
use crate::model::grant::{ExecGrant, HostGroup};
use crate::model::{Color, Deployment, Driver, Hook, HostName, SystemdScope};

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
        if facts.uid == 0 {
            needs.privileged.clear();
        }
        Ok(needs)
    }

    fn add_application(&mut self, deployment: &Deployment, slot: &Slot<'_>, facts: &Facts) {
        let application = &deployment.application;
        let system = matches!(application.driver, Driver::Systemd { scope: SystemdScope::System, .. });
        let other = application.user.clone().filter(|user| system && *user != facts.user);
        let login =
            |path: String, mode| NeededDirectory { path, owner: facts.user.clone(), group: None, mode };
        let top = slot.directory().to_owned();
        let in_home = top.starts_with(&format!("{}/", facts.home));
        if !in_home || other.is_some() {
            self.directories.push(login(top.clone(), 0o755));
        }
        if let Some(user) = &other {
            // The scripts that start the processes hold their environment: for the login and the processes alone. The group of
            // the directory becomes the group of what is written into it.
            let group = Some(user.clone());
            self.directories.push(NeededDirectory { group, ..login(slot.run_directory(), 0o2750) });
            self.directories.push(login(format!("{top}/shared"), 0o755));
            let shared = application.linked_dirs.iter().map(|name| NeededDirectory {
                path: format!("{top}/shared/{name}"),
                owner: user.clone(),
                group: Some(user.clone()),
                mode: 0o755,
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
