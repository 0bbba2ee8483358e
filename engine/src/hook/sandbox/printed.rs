//! What a guest prints: kept to a limit, the newest last, so that neither a chatty guest nor a quiet reader can stop the other.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::hook::limits;

/// The newest bytes of standard output and standard error together.
#[derive(Debug, Clone, Default)]
pub(super) struct Printed(Arc<Mutex<VecDeque<u8>>>);

impl Printed {
    fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = &bytes[bytes.len().saturating_sub(limits::PRINTED)..];
        let excess = (kept.len() + bytes.len()).saturating_sub(limits::PRINTED);
        kept.drain(..excess);
        kept.extend(bytes);
    }

    /// The last of it, from the beginning of a line where that is possible.
    pub(super) fn tail(&self) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = kept.make_contiguous();
        let tail = &bytes[bytes.len().saturating_sub(limits::PRINTED_TAIL)..];
        let whole = tail.len() == bytes.len();
        let start = tail.iter().position(|byte| *byte == b'\n').filter(|_| !whole).map_or(0, |at| at + 1);
        String::from_utf8_lossy(&tail[start..]).into_owned()
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
        let printed = Printed::default();
        printed.push(b"first\n");
        assert_eq!(printed.tail(), "first\n");
        for _ in 0..3 {
            printed.push(&[b'x'; limits::PRINTED]);
        }
        printed.push(b"\nlast \xff\n");
        assert_eq!(printed.tail(), "last \u{fffd}\n");
        assert_eq!(printed.0.lock().map(|kept| kept.len()).ok(), Some(limits::PRINTED));
    }
}
