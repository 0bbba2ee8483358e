//! `cutover trust`: shows the keys that hosts have now, and pins them for the project.

use std::sync::Arc;

use futures_util::future::join_all;

use super::instance_choice::no_host;
use crate::model::view::{HostTrust, KeyStanding, TrustView};
use crate::model::{HostName, Reach, Trouble};
use crate::run::execute::interrupts::Interrupts;
use crate::run::world::hooks::Refused;
use crate::run::world::performer::host_failure;
use crate::run::world::session::{Setting, spoken_to};
use crate::transport::{Links, PresentedKey};

/// Keys that are to be pinned.
#[derive(Debug)]
pub struct Trusting {
    view: TrustView,
    keys: Vec<PresentedKey>,
    links: Arc<Links>,
    interrupts: tokio::sync::watch::Receiver<Interrupts>,
}

impl Trusting {
    /// Asks the hosts, all or those that are named, for the keys that they have now. Logs in nowhere.
    ///
    /// # Errors
    /// When a name is none of a host, and with every host that does not get so far as to prove a key.
    pub async fn look(setting: &Setting, only: &[HostName]) -> Result<Self, Refused> {
        let deployment = &setting.deployment;
        let mut names = spoken_to(deployment, true);
        if let Some(unknown) = only.iter().find(|name| !names.contains(*name)) {
            return Err(Refused::of(no_host(deployment, unknown, &names)));
        }
        names.retain(|name| only.is_empty() || only.contains(name));
        let asked = names.into_iter().map(async |name| {
            let presented = setting.links.presented_key(&name).await;
            (presented.map_err(|failure| host_failure(&name, &failure).trouble), name)
        });
        let (mut hosts, mut keys, mut troubles) = (Vec::new(), Vec::new(), Vec::new());
        for (presented, name) in join_all(asked).await {
            let reach = deployment.hosts.get(&name).map(|host| &host.reach);
            match (presented, reach) {
                (Ok(Some(key)), Some(Reach::Ssh { destination, .. })) => {
                    hosts.push(told(&name, destination, &key));
                    keys.push(key);
                }
                (Ok(_), _) => {}
                (Err(trouble), _) => troubles.push(trouble),
            }
        }
        if !troubles.is_empty() {
            return Err(Refused { troubles, ..Refused::default() });
        }
        let file = setting.links.pinned().path();
        let file = file.strip_prefix(&deployment.root).unwrap_or(file).display().to_string();
        let view = TrustView { title: deployment.title(), file, hosts };
        Ok(Self { view, keys, links: Arc::clone(&setting.links), interrupts: setting.interrupts.clone() })
    }

    /// What was seen.
    #[must_use]
    pub const fn view(&self) -> &TrustView {
        &self.view
    }

    /// Waits for a signal.
    pub async fn interrupted(&self) {
        Interrupts::one(self.interrupts.clone()).await;
    }

    /// Pins what is not pinned yet.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn carry_out(self) -> Result<(), Trouble> {
        let new = self.keys.into_iter().filter(|key| !key.is_pinned());
        let pinned = self.links.pinned();
        PresentedKey::pin(new, pinned).map_err(|error| {
            let text = format!("`{}` can't be written: {error}", pinned.path().display());
            Trouble::new("trust/file", text)
        })
    }
}

fn told(name: &HostName, destination: &str, key: &PresentedKey) -> HostTrust {
    let pinned_instead = key.pinned_instead();
    let standing = match (key.is_pinned(), pinned_instead.is_empty()) {
        (true, _) => KeyStanding::Pinned,
        (false, true) => KeyStanding::New,
        (false, false) => KeyStanding::Changed,
    };
    HostTrust {
        host: name.to_string(),
        destination: destination.to_owned(),
        kind: key.kind().to_owned(),
        fingerprint: key.fingerprint(),
        standing,
        pinned_instead,
    }
}
