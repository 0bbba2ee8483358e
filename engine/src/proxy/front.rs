//! One request: to whom it goes, and what is said of its client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum_reverse_proxy::{HostBehaviour, ProxyError, ProxyPolicy, TunnelGuard, proxy_request_on_stream};
use http::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::route::Upstream;
use super::site::{Admission, Site};

/// Where a request came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) address: SocketAddr,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
}

/// For a connection to an instance, which is on the same network.
const CONNECT: Duration = Duration::from_secs(2);

/// What a client may say of itself to an instance: nothing. What the proxy knows stands in their place.
const STRANGERS_WORDS: [&str; 6] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

/// When a client may come again, in seconds.
const COME_AGAIN: &str = "5";

/// Answers a request.
pub(super) async fn answer(site: &Arc<Site>, request: Request<Body>, client: Client) -> Response<Body> {
    let version = request.version();
    let mut response = forward(site, request, client).await;
    *response.version_mut() = version;
    // A websocket is a connection of its own by now.
    let is_upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if site.is_leaving() && version < Version::HTTP_2 && !is_upgraded {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn forward(site: &Arc<Site>, mut request: Request<Body>, client: Client) -> Response<Body> {
    let (upstreams, mut open) = match site.admit(&host(&request), request.headers()) {
        Ok(Admission::To(upstreams, open)) => (upstreams, open),
        Ok(Admission::Unknown) => return said(StatusCode::NOT_FOUND, "no application has this host name\n"),
        Ok(Admission::Closed) => {
            let mut response = said(StatusCode::SERVICE_UNAVAILABLE, "closed for maintenance\n");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(COME_AGAIN));
            return response;
        }
        Err(fault) => {
            site.say(&fault.to_string());
            return said(StatusCode::BAD_GATEWAY, "the routes are not known\n");
        }
    };
    let target = request.uri().path_and_query().map_or("", |target| target.as_str()).to_owned();
    if !target.starts_with('/') {
        return said(StatusCode::BAD_REQUEST, "want a path that begins with `/`\n");
    }
    // Nothing of the request was sent to one that can't be reached: any request can go to the next.
    let Some((Upstream { host, address }, stream)) = connect(site, upstreams).await else {
        return said(StatusCode::BAD_GATEWAY, "no instance can be reached\n");
    };
    open.settle(&host);
    let Ok(uri) = format!("http://{address}{target}").parse::<Uri>() else {
        return said(StatusCode::BAD_REQUEST, "want a plain path\n");
    };
    for name in STRANGERS_WORDS {
        request.headers_mut().remove(name);
    }
    request.extensions_mut().insert(ConnectInfo(client.address));
    request.extensions_mut().insert(TunnelGuard::new(open));
    let policy = ProxyPolicy::new()
        .with_host_behaviour(HostBehaviour::Preserve)
        .with_public_scheme(client.scheme)
        .with_upstream_timeout(site.response_timeout);
    let Ok(response) = proxy_request_on_stream(uri, request, stream, &policy).await;
    if let Some(fault) = response.extensions().get::<ProxyError>() {
        site.failed(&address, &format!("no answer ({}) from", fault.message()));
    }
    response
}

/// The first instance that can be reached.
async fn connect(site: &Site, upstreams: Vec<Upstream>) -> Option<(Upstream, TcpStream)> {
    for upstream in upstreams {
        let fault = match timeout(CONNECT, TcpStream::connect(&upstream.address)).await {
            Ok(Ok(stream)) => {
                // Small answers are not to wait for an acknowledgement; one that is, is only slower.
                let _ = stream.set_nodelay(true);
                return Some((upstream, stream));
            }
            Ok(Err(fault)) => fault.to_string(),
            Err(_) => format!("no answer within {} s", CONNECT.as_secs()),
        };
        site.failed(&upstream.address, &format!("can't connect ({fault}) to"));
    }
    None
}

/// The name that a request asks for, without port.
fn host(request: &Request<Body>) -> String {
    let authority = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default(),
    };
    let name = match authority.rsplit_once(':') {
        // The last part of an IPv6 address is no port.
        Some((name, port)) if !port.ends_with(']') => name,
        _ => authority,
    };
    name.to_owned()
}

fn said(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_request() {
        let of = |uri: &str, header: Option<&str>| {
            let mut request = Request::builder().uri(uri);
            if let Some(header) = header {
                request = request.header("host", header);
            }
            host(&request.body(Body::empty()).unwrap())
        };
        assert_eq!(of("/", Some("shop.example")), "shop.example");
        assert_eq!(of("/", Some("shop.example:8080")), "shop.example");
        assert_eq!(of("/", Some("[::1]:80")), "[::1]");
        assert_eq!(of("/", Some("[::1]")), "[::1]");
        assert_eq!(of("/", None), "");
        // HTTP/2, and a client that takes us for its proxy: what stands there counts, as RFC 9112 has it.
        assert_eq!(of("http://shop.example:80/", Some("other.example")), "shop.example");
    }
}
