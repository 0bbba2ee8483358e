//! Connections of clients, as long as they last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use super::front::{self, Client};
use super::site::Site;

/// For the head of a request, the first one included; and for a connection on which nothing is asked.
const HEAD: Duration = Duration::from_secs(60);

/// For the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The longest head of a request, in bytes.
const LARGEST_HEAD: u32 = 64 << 10;

/// Requests at once on one connection of HTTP/2.
const STREAMS: u32 = 128;

/// A client of HTTP/2 that does not answer so long is gone.
const GONE: Duration = Duration::from_secs(20);

/// When the proxy leaves: how long an idle connection of HTTP/1.1 stays open for a request that may be on its way. It is answered, and
/// told to be the last one.
const LAST_CALL: Duration = Duration::from_secs(5);

/// After a fault of the system: files of the process that ran out, above all.
const PAUSE: Duration = Duration::from_millis(100);

/// What a connection has been seen to speak.
const NOTHING: u8 = 0;
const HTTP_1: u8 = 1;
const HTTP_2: u8 = 2;

/// Takes connections until the proxy leaves.
pub(super) async fn accept(site: Arc<Site>, listener: TcpListener, tls: Option<TlsAcceptor>) {
    let mut leaving = site.leaving();
    // Nobody goes while connections may still be taken.
    let _held = site.hold();
    loop {
        let accepted = tokio::select! {
            // Those that wait already first: whoever is refused after that has never been let in.
            biased;
            accepted = listener.accept() => accepted,
            _ = leaving.wait_for(|leaves| *leaves) => return,
        };
        match accepted {
            Ok((stream, address)) => {
                let held = site.hold();
                let (site, tls) = (Arc::clone(&site), tls.clone());
                drop(tokio::spawn(async move {
                    take(&site, stream, address, tls).await;
                    drop(held);
                }));
            }
            Err(fault) => {
                site.say(&format!("can't take a connection: {fault}"));
                sleep(PAUSE).await;
            }
        }
    }
}

async fn take(site: &Arc<Site>, stream: TcpStream, address: SocketAddr, tls: Option<TlsAcceptor>) {
    // Small answers are not to wait for an acknowledgement; one that does is only slower.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return serve(site, stream, Client { address, scheme: "http" }).await;
    };
    // Who does not get through says so itself.
    if let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await {
        serve(site, stream, Client { address, scheme: "https" }).await;
    }
}

/// Answers what comes on a connection, to its end.
async fn serve<S>(site: &Arc<Site>, stream: S, client: Client)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let spoken = Arc::new(AtomicU8::new(NOTHING));
    let service = service_fn(|request: Request<Incoming>| {
        let is_2 = request.version() == Version::HTTP_2;
        spoken.store(if is_2 { HTTP_2 } else { HTTP_1 }, Ordering::Relaxed);
        let site = Arc::clone(site);
        async move { Ok::<_, Infallible>(front::answer(&site, request.map(Body::new), client).await) }
    });
    let builder = builder();
    let mut connection =
        std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let mut leaving = site.leaving();
    let mut first = std::pin::pin!(sleep(HEAD));
    let mut last_call = std::pin::pin!(sleep(HEAD));
    let (mut is_awaited, mut is_called, mut is_told) = (true, false, false);
    loop {
        tokio::select! {
            // What went wrong on it is the client's affair.
            _ = connection.as_mut() => return,
            () = first.as_mut(), if is_awaited => {
                if spoken.load(Ordering::Relaxed) == NOTHING {
                    return;
                }
                is_awaited = false;
            }
            _ = leaving.wait_for(|leaves| *leaves), if !is_called => {
                is_called = true;
                // A client of HTTP/2 is told which of its requests was the last one that is answered.
                let wait = if spoken.load(Ordering::Relaxed) == HTTP_2 { Duration::ZERO } else { LAST_CALL };
                last_call.set(sleep_until(Instant::now() + wait));
            }
            () = last_call.as_mut(), if is_called && !is_told => {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(LARGEST_HEAD as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(GONE)
        .keep_alive_timeout(GONE)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(LARGEST_HEAD);
    builder
}
