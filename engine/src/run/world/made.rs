//! What a release is staged from.

use std::sync::Arc;

use cutover_host::artifact::Artifact;

use crate::model::HostName;

/// What a release is staged from.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) artifact: Arc<Artifact>,
    /// Host that has the same tree already, and where.
    pub(crate) twin: Option<(HostName, String)>,
}

impl Made {
    /// Directory on a host that may have the same tree.
    pub(crate) fn twin_on(&self, host: &HostName) -> Option<&str> {
        self.twin.as_ref().filter(|(name, _)| name == host).map(|(_, path)| path.as_str())
    }
}
