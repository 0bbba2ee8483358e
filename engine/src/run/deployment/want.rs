//! What a run that makes a deployment wants.

use std::time::Duration;

use crate::model::request::{DeployRequest, DeploySource, MaintenanceRequest, RollbackRequest};

/// What a run of either command wants.
pub(crate) struct Want {
    pub(crate) command: &'static str,
    pub(crate) source: DeploySource,
    pub(crate) message: Option<String>,
    pub(crate) adopt: bool,
    /// Whether the revision that is live is deployed once more.
    pub(crate) again: bool,
    pub(crate) lock_wait: Duration,
}

impl Want {
    pub(crate) fn deploy(request: DeployRequest) -> Self {
        let DeployRequest { source, message, adopt, again, lock_wait } = request;
        Self { command: "deploy", source, message, adopt, again, lock_wait }
    }

    pub(crate) fn rollback(request: RollbackRequest) -> Self {
        let RollbackRequest { to, message, lock_wait } = request;
        let source = DeploySource::Release(to.unwrap_or_default());
        Self { command: "rollback", source, message, adopt: false, again: false, lock_wait }
    }

    pub(crate) fn maintenance(request: MaintenanceRequest) -> Self {
        let MaintenanceRequest { wanted, message, lock_wait } = request;
        let (command, source) = (wanted.command(), DeploySource::Live);
        Self { command, source, message, adopt: false, again: false, lock_wait }
    }
}
