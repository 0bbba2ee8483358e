//! The [`Link`] to one host, however it is reached: connects when it is first needed, and again after it broke.

use std::fmt::Debug;
use std::sync::Arc;

use cutover_host::operation::{Answer, Call};
use tokio::sync::Mutex;

use super::connection::Connection;
use super::{Flow, Link, LinkFuture};
use crate::model::HostName;

/// Makes connections to one host.
pub(super) trait Connect: Send + Sync + Debug {
    /// Makes one; nothing is done on the host but what is needed for it.
    fn connect(&self) -> LinkFuture<'_, Arc<Connection>>;
}

/// A host with the connection to it, if there is one.
#[derive(Debug)]
pub(super) struct HostLink<C> {
    name: HostName,
    pub(super) connector: C,
    current: Mutex<Option<Arc<Connection>>>,
}

impl<C: Connect> HostLink<C> {
    pub(super) fn new(name: HostName, connector: C) -> Self {
        Self { name, connector, current: Mutex::default() }
    }

    /// The live connection. Whoever comes while it is being made waits for the same one.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, super::Failure> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| !connection.is_broken()) {
            return Ok(Arc::clone(connection));
        }
        *current = None;
        let connection = self.connector.connect().await?;
        Ok(Arc::clone(current.insert(connection)))
    }
}

impl<C: Connect> Link for HostLink<C> {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn perform(&self, call: Call) -> LinkFuture<'_, Answer> {
        Box::pin(async move { self.connection().await?.perform(call).await })
    }

    fn open(&self, call: Call) -> LinkFuture<'_, Flow> {
        Box::pin(async move { self.connection().await?.open(call).await })
    }
}
