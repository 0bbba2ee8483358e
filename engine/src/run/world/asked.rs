//! Hosts that answered, and what the others said instead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::performer::store_fault;
use super::session::{Setting, connect_all, home, spoken_to};
use super::site::{Sites, misgivings};
use crate::model::{Deployment, HostName, Trouble};
use crate::store::{Home, Misplaced, StoreFault};
use crate::transport::Link;

/// Hosts that answered, and what the others said instead.
pub(crate) struct Asked {
    pub(crate) sites: Sites,
    pub(crate) silent: BTreeMap<HostName, Trouble>,
    bucket: Option<Arc<dyn Link>>,
}

impl Asked {
    /// Asks every host of the deployment; the builder too with `builds`.
    pub(crate) async fn all(setting: &Setting, builds: bool) -> Self {
        Self::these(setting, spoken_to(&setting.deployment, builds)).await
    }

    /// Asks the home alone: whether others answer does not matter.
    pub(crate) async fn home_only(setting: &Setting) -> Self {
        let home = setting.bucket.is_none().then(|| setting.deployment.home().clone());
        Self::these(setting, home.into_iter().collect()).await
    }

    /// Asks these hosts.
    pub(crate) async fn these(setting: &Setting, names: BTreeSet<HostName>) -> Self {
        let (sites, silent) = connect_all(&setting.deployment, &setting.links, names).await;
        Self { sites, silent, bucket: setting.bucket.clone() }
    }

    /// The home.
    ///
    /// # Errors
    /// When it did not answer, or is none: then there is nothing to be read, and no lock that anyone respects.
    pub(crate) fn home(&self, deployment: &Deployment) -> Result<Home, Trouble> {
        let no_home = |fault: &StoreFault| matches!(fault, StoreFault::Misplaced(misplaced) if !matches!(misplaced, Misplaced::Second { .. }));
        if let Some(fault) = misgivings(deployment, &self.sites).into_iter().find(no_home) {
            return Err(store_fault(&fault).trouble);
        }
        home(deployment, self.bucket.as_ref(), &self.sites).ok_or_else(|| {
            let strange = || Trouble::new("internal/home", "the home is no host of this configuration");
            self.silent.get(deployment.home()).cloned().unwrap_or_else(strange)
        })
    }
}
