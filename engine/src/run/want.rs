//! What a run that makes a deployment wants.

use std::time::Duration;

use crate::model::request::{DeployRequest, DeploySource, RollbackRequest};

/// What a run of either command wants.
pub(super) struct Want {
    pub(super) command: &'static str,
    pub(super) source: DeploySource,
    pub(super) message: Option<String>,
    pub(super) adopt: bool,
    /// Whether the revision that is live is deployed once more.
    pub(super) again: bool,
    pub(super) lock_wait: Duration,
}

impl Want {
    pub(super) fn deploy(request: DeployRequest) -> Self {
        let DeployRequest { source, message, adopt, again, lock_wait } = request;
        Self { command: "deploy", source, message, adopt, again, lock_wait }
    }

    pub(super) fn rollback(request: RollbackRequest) -> Self {
        let RollbackRequest { to, message, lock_wait } = request;
        let source = DeploySource::Release(to.unwrap_or_default());
        Self { command: "rollback", source, message, adopt: false, again: false, lock_wait }
    }
}
