//! The one way to a host.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use cutover_host::operation::{Answer, Call};
use tokio::sync::{mpsc, oneshot};

use super::Failure;
use crate::model::HostName;

/// What a [`Link`] returns.
pub type LinkFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// A connection to one host. Reconnects by itself before an operation begins, never in the middle of one.
pub trait Link: Send + Sync + Debug {
    /// The host's name in `cutover.toml`.
    fn name(&self) -> &HostName;

    /// Performs an operation without streams. `Call::id` is filled in by the link.
    fn perform(&self, call: Call) -> LinkFuture<'_, Answer>;

    /// Begins an operation with streams.
    fn open(&self, call: Call) -> LinkFuture<'_, Flow>;
}

/// An operation with streams, under way. Dropping it ends the operation.
#[derive(Debug)]
pub struct Flow {
    /// To the host, at most 64 KiB a piece; dropping it closes that side.
    pub upload: mpsc::Sender<Vec<u8>>,
    /// From the host.
    pub download: mpsc::Receiver<Chunk>,
    /// The answer, after the last chunk.
    pub answer: oneshot::Receiver<Result<Answer, Failure>>,
}

/// A piece of a stream from a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// Standard output, or the only stream.
    Out(Vec<u8>),
    /// Standard error.
    Errors(Vec<u8>),
}
