//! The links to all hosts of a deployment.

use std::collections::BTreeMap;
use std::sync::Arc;

use cutover_host::operation::Program;
use tokio::sync::Semaphore;

use super::console::Console;
use super::helper::Helpers;
use super::host_link::HostLink;
use super::local::LocalConnector;
use super::ssh::SshConnector;
use super::{Failure, HelperPrograms, Link, PinnedKeys, PresentedKey, SshSettings};
use crate::model::{Host, HostName, Reach};

/// Connects that go on at once: sshd begins to drop unauthenticated ones at 10 by default, and hosts may be one machine.
const CONNECTS_AT_ONCE: usize = 8;

/// What this machine brings along for reaching hosts.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// This machine as a host, for `local = true`.
    pub local: Arc<cutover_host::Host>,
    /// The helper for the others.
    pub helpers: HelperPrograms,
    /// How `ssh` is run.
    pub ssh: SshSettings,
}

/// One link a host. Nothing is connected before it is needed.
#[derive(Debug)]
pub struct Links {
    links: BTreeMap<HostName, Reached>,
    pinned: Arc<PinnedKeys>,
}

#[derive(Debug, Clone)]
enum Reached {
    Local(Arc<HostLink<LocalConnector>>),
    Ssh(Arc<HostLink<SshConnector>>),
}

impl Links {
    /// Prepares the links; connects to nobody.
    #[must_use]
    pub fn new<'a>(hosts: impl IntoIterator<Item = &'a Host>, settings: &TransportSettings) -> Self {
        let turns = Arc::new(Semaphore::new(CONNECTS_AT_ONCE));
        let helpers = Arc::new(Helpers::new(&settings.helpers));
        let link = |host: &Host| match &host.reach {
            Reach::Local => {
                let connector = LocalConnector { name: host.name.clone(), host: Arc::clone(&settings.local) };
                Reached::Local(Arc::new(HostLink::new(host.name.clone(), connector)))
            }
            Reach::Ssh { destination, identity_file, helper_directory } => {
                let connector = SshConnector {
                    name: host.name.clone(),
                    destination: destination.clone(),
                    identity_file: identity_file.as_ref().map(|path| path.as_std_path().to_owned()),
                    helper_directory: helper_directory.clone(),
                    settings: settings.ssh.clone(),
                    helpers: Arc::clone(&helpers),
                    turns: Arc::clone(&turns),
                    config: tokio::sync::OnceCell::new(),
                    session: std::sync::Mutex::default(),
                };
                Reached::Ssh(Arc::new(HostLink::new(host.name.clone(), connector)))
            }
        };
        let links = hosts.into_iter().map(|host| (host.name.clone(), link(host))).collect();
        Self { links, pinned: Arc::clone(&settings.ssh.pinned) }
    }

    /// What the project pins.
    #[must_use]
    pub fn pinned(&self) -> &PinnedKeys {
        &self.pinned
    }

    /// The link to a host; none when it is not one of the deployment's.
    #[must_use]
    pub fn get(&self, name: &HostName) -> Option<Arc<dyn Link>> {
        self.links.get(name).map(|reached| match reached {
            Reached::Local(link) => Arc::clone(link) as Arc<dyn Link>,
            Reached::Ssh(link) => Arc::clone(link) as Arc<dyn Link>,
        })
    }

    /// Whether a host has the key that the project pins for it. None where no key is asked for: this machine.
    ///
    /// # Errors
    /// When the host does not get so far as to prove that it has a key.
    pub async fn presented_key(&self, name: &HostName) -> Result<Option<PresentedKey>, Failure> {
        match self.links.get(name) {
            Some(Reached::Ssh(link)) => PresentedKey::ask(&link.connector).await.map(Some),
            Some(Reached::Local(_)) | None => Ok(None),
        }
    }

    /// A program at a terminal on a host. `terminal` is the kind of terminal, as in `TERM`.
    ///
    /// # Errors
    /// When the host can't be reached, or the program can't be started there.
    pub async fn console(
        &self,
        name: &HostName,
        program: &Program,
        terminal: Option<&str>,
    ) -> Result<Console, Failure> {
        match self.links.get(name) {
            Some(Reached::Ssh(link)) => {
                link.connection().await?;
                link.connector.console(program).await
            }
            Some(Reached::Local(link)) => {
                let command = link.connector.host.console(program, terminal).map_err(Failure::Fault)?;
                Ok(Console::here(name.clone(), command))
            }
            None => Err(Failure::Unreachable(format!("`{name}` is no host of this configuration"))),
        }
    }
}
