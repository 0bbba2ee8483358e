//! From a name to a connection: resolved where it is dialled, every address checked, and the very address that was checked dialled.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::{Answer, Guard, Operation};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::HttpFailure;
use super::client::Fetch;
use super::relay::{Relay, RelayEnd};
use crate::model::grant::Addresses;
use crate::model::{Limit, Limits};
use crate::transport::{Failure, Link};

/// What HTTP is spoken over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection.
pub(super) struct Connection {
    pub(super) stream: Box<dyn Stream>,
    /// Whether the other side chose HTTP/2.
    pub(super) http2: bool,
    /// How a relay ends, where there is one.
    pub(super) relay: Option<RelayEnd>,
}

/// Connects to where a request goes.
pub(super) async fn connect(
    fetch: &Fetch<'_>,
    tls: Option<Arc<ClientConfig>>,
) -> Result<Connection, HttpFailure> {
    let origin = &fetch.url.origin;
    let (host, port) = fetch.connect_to.unwrap_or((&origin.host, origin.port));
    let addresses = resolve(host, fetch.via.as_deref(), fetch.limits.time(Limit::HttpConnect)).await?;
    check(host, &addresses, fetch.addresses)?;
    let (stream, relay): (Box<dyn Stream>, _) = match &fetch.via {
        None => (Box::new(dial(host, port, &addresses, fetch.limits).await?), None),
        Some(link) => {
            let relay = relay(&**link, port, &addresses, fetch.guard.clone(), fetch.limits).await?;
            let end = relay.end();
            (Box::new(relay), Some(end))
        }
    };
    let Some(config) = tls else { return Ok(Connection { stream, http2: false, relay }) };
    let name = ServerName::try_from(origin.host.clone())
        .map_err(|_| HttpFailure::Invalid(format!("`{}` is no name for TLS", origin.host)))?;
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => {
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            Ok(Connection { stream: Box::new(stream), http2, relay })
        }
        Err(error) => Err(relay
            .and_then(|relay| relay.failure())
            .unwrap_or_else(|| HttpFailure::Tls(format!("no TLS connection to {origin}: {error}")))),
    }
}

/// Addresses of a name, as the machine sees it that dials them.
async fn resolve(host: &str, via: Option<&dyn Link>, time: Duration) -> Result<Vec<IpAddr>, HttpFailure> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let unknown = |reason: String| HttpFailure::Unresolved(format!("no address for `{host}`: {reason}"));
    let mut addresses: Vec<IpAddr> = match via {
        None => {
            let found = tokio::net::lookup_host((host, 0)).await;
            found.map_err(|error| unknown(error.to_string()))?.map(|socket| socket.ip()).collect()
        }
        Some(link) => {
            let operation = Operation::Resolve { name: host.to_owned() };
            let answer = link.perform(operation.call().within(time)).await;
            let failed = |failure| match failure {
                Failure::Broken(reason) => HttpFailure::WayBroken(reason),
                other @ (Failure::Fault(_)
                | Failure::Unreachable(_)
                | Failure::Untrusted(_)
                | Failure::Nonsense(_)) => unknown(other.to_string()),
            };
            let Answer::Names(names) = answer.map_err(failed)? else {
                return Err(unknown("the host answered something else".to_owned()));
            };
            let parsed =
                names.iter().map(|name| name.parse().map_err(|_| unknown(format!("`{name}` is no address"))));
            parsed.collect::<Result<_, _>>()?
        }
    };
    addresses.dedup();
    if addresses.is_empty() { Err(unknown("there is none".to_owned())) } else { Ok(addresses) }
}

/// # Errors
/// When one of the addresses of a name is not allowed.
fn check(host: &str, addresses: &[IpAddr], allowed: Addresses) -> Result<(), HttpFailure> {
    match allowed.refused(addresses) {
        None => Ok(()),
        Some(address) => {
            Err(HttpFailure::Denied(format!("`{host}` leads to {address}, which is no public address")))
        }
    }
}

/// Tries each address; none may take more than its share of the time.
async fn dial(
    host: &str,
    port: u16,
    addresses: &[IpAddr],
    limits: &Limits,
) -> Result<TcpStream, HttpFailure> {
    let deadline = Instant::now() + limits.time(Limit::HttpConnect);
    let mut failure = HttpFailure::Connect(format!("no address for `{host}`"));
    for (index, address) in addresses.iter().enumerate() {
        let socket = SocketAddr::new(*address, port);
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        match timeout(share, TcpStream::connect(socket)).await {
            Ok(Ok(stream)) => {
                // Latency only: a probe is one small packet.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => failure = HttpFailure::Connect(format!("{socket}: {}", plain(&error))),
            Err(_) => failure = HttpFailure::Exceeded(limits.breach(Limit::HttpConnect)),
        }
    }
    Err(failure)
}

/// From a host's own network. IPv4 first: what listens there on `localhost` listens mostly on that.
async fn relay(
    link: &dyn Link,
    port: u16,
    addresses: &[IpAddr],
    guard: Option<Guard>,
    limits: &Limits,
) -> Result<Relay, HttpFailure> {
    let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    let address = address.map(ToString::to_string).unwrap_or_default();
    let connect_ms = limits.get(Limit::HttpConnect);
    let socket = format!("{address}:{port}");
    let operation = Operation::Relay { address, port, connect_ms };
    let flow = link.open(operation.call().under(guard)).await;
    flow.map(|flow| Relay::new(flow, link.name().to_string(), socket))
        .map_err(|failure| HttpFailure::Connect(failure.to_string()))
}

/// `connection refused`, without the number that the system has for it.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_refused_when_one_of_its_addresses_is() {
        let addresses =
            |texts: &[&str]| texts.iter().filter_map(|text| text.parse().ok()).collect::<Vec<IpAddr>>();
        let mixed = addresses(&["93.184.216.34", "10.0.0.1"]);
        assert!(
            matches!(check("x", &mixed, Addresses::Public), Err(HttpFailure::Denied(text)) if text.contains("10.0.0.1"))
        );
        assert_eq!(check("x", &mixed, Addresses::Any), Ok(()));
        assert_eq!(check("x", &addresses(&["93.184.216.34"]), Addresses::Public), Ok(()));
    }
}
