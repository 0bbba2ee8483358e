//! A TCP connection that starts from a host, as a stream here.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use cutover_host::operation::FaultKind;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::task::JoinHandle;

use super::HttpFailure;
use crate::transport::{Chunk, Failure, Flow};

/// Bytes a piece, as the link wants them.
const PIECE: usize = 64 << 10;

/// The stream. Dropping it ends the connection.
#[derive(Debug)]
pub(super) struct Relay {
    stream: DuplexStream,
    pump: JoinHandle<()>,
    end: RelayEnd,
}

/// How a relay ended, when it ended badly.
#[derive(Debug, Clone)]
pub(super) struct RelayEnd(Arc<OnceLock<HttpFailure>>);

impl RelayEnd {
    pub(super) fn failure(&self) -> Option<HttpFailure> {
        self.0.get().cloned()
    }
}

impl Relay {
    /// `host` and `socket` name the two ends for people.
    pub(super) fn new(flow: Flow, host: String, socket: String) -> Self {
        let (stream, far) = tokio::io::duplex(PIECE);
        let end = RelayEnd(Arc::default());
        let told = end.clone();
        let pump = tokio::spawn(async move {
            if let Some(failure) = pump(flow, far, &host, &socket).await {
                // Only this task sets it, and once.
                let _ = told.0.set(failure);
            }
        });
        Self { stream, pump, end }
    }

    pub(super) fn end(&self) -> RelayEnd {
        self.end.clone()
    }
}

/// Carries bytes both ways until the host closes its side. Holds the stream until the end is known, so that whoever sees the stream end
/// can ask why.
async fn pump(flow: Flow, far: DuplexStream, host: &str, socket: &str) -> Option<HttpFailure> {
    let Flow { upload, mut download, answer } = flow;
    let (mut read, mut write) = tokio::io::split(far);
    let sent = async {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = read.read(&mut piece).await {
            if upload.send(piece[..length].to_vec()).await.is_err() {
                break;
            }
        }
        drop(upload);
        std::future::pending::<()>().await;
    };
    let received = async {
        let mut any = false;
        while let Some(chunk) = download.recv().await {
            any = true;
            let (Chunk::Out(bytes) | Chunk::Errors(bytes)) = chunk;
            if write.write_all(&bytes).await.is_err() {
                return None;
            }
        }
        match answer.await {
            Ok(Err(failure)) => Some(failure_of(failure, any, host, socket)),
            Ok(Ok(_)) | Err(_) => None,
        }
    };
    tokio::select! {
        () = sent => None,
        failure = received => failure,
    }
}

fn failure_of(failure: Failure, any: bool, host: &str, socket: &str) -> HttpFailure {
    let said = failure.to_string();
    // The host names the socket too.
    let reason = said.strip_prefix(&format!("failed to connect to `{socket}`: ")).unwrap_or(&said);
    let text = format!("{socket} from `{host}`: {reason}");
    match failure {
        Failure::Fault(fault) if !any && fault.kind == FaultKind::TimedOut => HttpFailure::TimedOut(text),
        Failure::Fault(_) | Failure::Unreachable(_) | Failure::Untrusted(_) if !any => {
            HttpFailure::Connect(text)
        }
        Failure::Broken(_) => HttpFailure::WayBroken(text),
        Failure::Fault(_) | Failure::Unreachable(_) | Failure::Untrusted(_) | Failure::Nonsense(_) => {
            HttpFailure::Broken(text)
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl AsyncRead for Relay {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Relay {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
