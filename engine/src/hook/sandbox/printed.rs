//! What a guest prints: kept to a limit, the newest last, so that neither a chatty guest nor a quiet reader can stop the other.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The newest bytes of standard output and standard error together.
#[derive(Debug, Clone)]
pub(super) struct Printed {
    kept: Arc<Mutex<Kept>>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: VecDeque<u8>,
    lost: bool,
}

impl Printed {
    /// `limit` is the number of bytes that are kept.
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: Arc::default(), limit }
    }

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.lost |= kept.bytes.len() + bytes.len() > self.limit;
        let bytes = &bytes[bytes.len().saturating_sub(self.limit)..];
        let excess = (kept.bytes.len() + bytes.len()).saturating_sub(self.limit);
        kept.bytes.drain(..excess);
        kept.bytes.extend(bytes);
    }

    /// What is kept, and whether there was more: then it begins with a line where that is possible.
    pub(super) fn newest(&self) -> (String, bool) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = kept.lost;
        let bytes = kept.bytes.make_contiguous();
        let start = bytes.iter().position(|byte| *byte == b'\n').filter(|_| lost).map_or(0, |at| at + 1);
        (String::from_utf8_lossy(&bytes[start..]).into_owned(), lost)
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

impl OutputStream for Printed {
    fn write(&mut self, bytes: hyper::body::Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

impl AsyncWrite for Printed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_kept() {
        let printed = Printed::new(1000);
        printed.push(b"first\n");
        assert_eq!(printed.newest(), ("first\n".to_owned(), false));
        for _ in 0..3 {
            printed.push(&[b'x'; 1001]);
        }
        printed.push(b"\nlast \xff\n");
        assert_eq!(printed.newest(), ("last \u{fffd}\n".to_owned(), true));
        assert_eq!(printed.kept.lock().map(|kept| kept.bytes.len()).ok(), Some(1000));
    }
}
