//! One request, one connection, one answer within limits.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::Guard;
use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::connect::{Connection, connect};
use super::{HttpFailure, body};
use crate::model::grant::{Addresses, Authorities, Url};
use crate::model::{Limit, Limits};
use crate::transport::Link;

/// How often a request that only reads is sent when the way to its host breaks.
const TRIES: usize = 3;

/// An HTTP client. Cheap to make; reads the system's certificates when it first needs them.
#[derive(Debug, Default)]
pub struct HttpClient {
    tls: OnceCell<Arc<ClientConfig>>,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Fetch<'a> {
    /// `GET`, …
    pub method: &'a str,
    /// What is asked for, and the name in the Host header and in TLS.
    pub url: &'a Url,
    /// Host and port to connect to instead of the URL's.
    pub connect_to: Option<(&'a str, u16)>,
    /// Host that the connection starts from; none for this machine.
    pub via: Option<Arc<dyn Link>>,
    /// Under what that host lets a request through that may change something; none where it is asked of no lock.
    pub guard: Option<Guard>,
    /// Headers beside Host, Content-Length and those that rule the connection.
    pub headers: &'a [(String, String)],
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// How much and how long; of these, those that are about HTTP.
    pub limits: &'a Limits,
    /// For everything together, beside its limit.
    pub timeout: Duration,
    /// What the name may resolve to.
    pub addresses: Addresses,
    /// By whom the server's certificate has to be; none for those that the system trusts.
    pub authorities: Option<&'a Authorities>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Status.
    pub status: u16,
    /// Names in lower case, in the order received; bytes that are not UTF-8 replaced.
    pub headers: Vec<(String, String)>,
    /// Body, as far as the limit goes.
    pub body: Vec<u8>,
    /// Whether the body was longer.
    pub truncated: bool,
}

/// Ends a connection's task with the request.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl HttpClient {
    /// A client.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a request on a connection of its own and waits for the whole answer. A status is never an error. When the way to
    /// the host breaks that it starts from, a request that only reads (RFC 9110, 9.2.1) is sent again over a new one: that
    /// says nothing of who was asked.
    ///
    /// # Errors
    /// When there is no answer, by what is known of the request's effect.
    pub async fn fetch(&self, fetch: Fetch<'_>) -> Result<Fetched, HttpFailure> {
        let (limit, total) = (fetch.timeout, fetch.limits.time(Limit::HttpTotal));
        let late = HttpFailure::Exceeded(fetch.limits.breach(Limit::HttpTotal));
        let deadline = Instant::now() + limit.min(total);
        let tries = if only_reads(fetch.method) { TRIES } else { 1 };
        let sent = async {
            for _ in 1..tries {
                match self.exchange(fetch.clone()).await {
                    Err(HttpFailure::WayBroken(_)) => {}
                    outcome => return outcome,
                }
            }
            self.exchange(fetch).await
        };
        match timeout_at(deadline, sent).await {
            Ok(outcome) => outcome,
            Err(_) if total < limit => Err(late),
            Err(_) => {
                let seconds = (limit.as_secs_f64() * 10.0).round() / 10.0;
                Err(HttpFailure::TimedOut(format!("no whole answer within {seconds} s")))
            }
        }
    }

    async fn exchange(&self, fetch: Fetch<'_>) -> Result<Fetched, HttpFailure> {
        let method = method(fetch.method)?;
        let limits = fetch.limits;
        let headers = headers(fetch.headers, limits)?;
        let tls = if fetch.url.origin.tls { Some(self.tls(fetch.authorities).await?) } else { None };
        let connection = timeout(limits.time(Limit::HttpConnect), connect(&fetch, tls));
        let Connection { stream, http2, relay } =
            connection.await.map_err(|_| HttpFailure::Exceeded(limits.breach(Limit::HttpConnect)))??;
        let broken = |error| broken(&error, limits);
        let size = limits.size(Limit::HttpHeaders);

        let sent = async {
            let io = TokioIo::new(stream);
            let mut request = Request::new(Full::new(Bytes::from(fetch.body)));
            *request.method_mut() = method;
            *request.headers_mut() = headers;
            let target = if http2 { fetch.url.to_string() } else { fetch.url.path.clone() };
            *request.uri_mut() =
                target.parse().map_err(|error| HttpFailure::Invalid(format!("`{target}`: {error}")))?;
            let (driver, response) = if http2 {
                *request.version_mut() = Version::HTTP_2;
                let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
                builder.max_header_list_size(u32::try_from(size).unwrap_or(u32::MAX));
                let (mut sender, connection) = builder.handshake(io).await.map_err(broken)?;
                let driver = Driver(tokio::spawn(async { drop(connection.await) }));
                (driver, first_byte(sender.send_request(request), limits).await?)
            } else {
                let host = HeaderValue::from_str(&fetch.url.origin.authority());
                let host = host.map_err(|error| HttpFailure::Invalid(error.to_string()))?;
                request.headers_mut().insert(HOST, host);
                let mut builder = hyper::client::conn::http1::Builder::new();
                builder.max_buf_size(size).max_header_size(size);
                let (mut sender, connection) = builder.handshake(io).await.map_err(broken)?;
                let driver = Driver(tokio::spawn(async { drop(connection.await) }));
                (driver, first_byte(sender.send_request(request), limits).await?)
            };
            let (parts, incoming) = response.into_parts();
            let (body, truncated) = body::collect(incoming, limits).await?;
            drop(driver);
            Ok(Fetched { status: parts.status.as_u16(), headers: texts(&parts.headers), body, truncated })
        };
        let outcome: Result<Fetched, HttpFailure> = sent.await;
        match (outcome, relay.and_then(|relay| relay.failure())) {
            // A relay tells only afterwards that it never reached the other end.
            (Err(HttpFailure::Broken(_)), Some(failure)) => Err(failure),
            (outcome, _) => outcome,
        }
    }

    async fn tls(&self, own: Option<&Authorities>) -> Result<Arc<ClientConfig>, HttpFailure> {
        if let Some(own) = own {
            let config = own.roots().and_then(|roots| trusting(roots).map_err(|error| error.to_string()));
            return config.map_err(HttpFailure::Tls);
        }
        let config = self.tls.get_or_try_init(|| async {
            tokio::task::spawn_blocking(trusting_the_system)
                .await
                .map_err(io::Error::other)?
                .map_err(io::Error::other)
        });
        config.await.cloned().map_err(|error: io::Error| HttpFailure::Tls(error.to_string()))
    }
}

fn trusting_the_system() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    // A certificate that can't be read is trusted as little as one that is absent.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    trusting(roots)
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

async fn first_byte(
    response: impl Future<Output = hyper::Result<Response<Incoming>>>,
    limits: &Limits,
) -> Result<Response<Incoming>, HttpFailure> {
    match timeout(limits.time(Limit::HttpFirstByte), response).await {
        Ok(response) => response.map_err(|error| broken(&error, limits)),
        Err(_) => Err(HttpFailure::Exceeded(limits.breach(Limit::HttpFirstByte))),
    }
}

/// hyper's texts name the place of an error, their sources the reason.
pub(super) fn broken(error: &hyper::Error, limits: &Limits) -> HttpFailure {
    if error.is_parse_too_large() {
        return HttpFailure::Exceeded(limits.breach(Limit::HttpHeaders));
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    HttpFailure::Broken(text)
}

/// Whether a request is safe to repeat as RFC 9110, 9.2.1, has it.
pub(super) fn only_reads(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

fn method(text: &str) -> Result<Method, HttpFailure> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(Method::CONNECT | Method::TRACE) | Err(_) => {
            Err(HttpFailure::Invalid(format!("`{text}` is no method that can be sent")))
        }
        Ok(method) => Ok(method),
    }
}

/// Headers that rule the connection are the engine's own.
fn headers(texts: &[(String, String)], limits: &Limits) -> Result<HeaderMap, HttpFailure> {
    const OURS: [&str; 12] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("cutover/", env!("CARGO_PKG_VERSION"))));
    let mut size = 0;
    for (name, value) in texts {
        size += name.len() + value.len() + 4;
        let valid = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        match valid {
            Some((valid, _)) if OURS.contains(&valid.as_str()) => {
                return Err(HttpFailure::Invalid(format!("the engine itself sends header `{name}`")));
            }
            Some((USER_AGENT, value)) => {
                headers.insert(USER_AGENT, value);
            }
            Some((name, value)) => {
                headers.append(name, value);
            }
            // The value may be secret.
            None => {
                return Err(HttpFailure::Invalid(format!("header `{}` can't be sent", name.escape_debug())));
            }
        }
    }
    if size > limits.size(Limit::HttpHeaders) {
        return Err(HttpFailure::Exceeded(limits.breach(Limit::HttpHeaders)));
    }
    Ok(headers)
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
