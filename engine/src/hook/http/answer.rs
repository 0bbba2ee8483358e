//! A hook's request: grants first, then the request.

use tokio::time::Instant;

use super::{Fetch, Fetched, HttpFailure};
use crate::hook::broker::{Broker, plain_text};
use crate::hook::contract::cutover::hook::http_client::{HttpError, Request, Response};
use crate::model::grant::{Allowed, Denied, HttpRequest, Request as Asked, Url, split_socket};
use crate::model::{Limit, Unit};

/// Answers `http-client.send`. The answer's body is returned beside it.
pub(in crate::hook) async fn answer_request(
    broker: &mut Broker<'_>,
    request: Request,
    body: Option<Vec<u8>>,
) -> Result<(Response, Vec<u8>), HttpError> {
    let Request {
        method, url, via, connect_to, mut headers, secret_headers, secret_body, timeout_ms, ..
    } = request;
    let templates =
        secret_headers.iter().map(|(_, template)| template.as_str()).chain(secret_body.as_deref());
    broker.refuse_templates(&templates.collect::<Vec<_>>()).map_err(HttpError::Denied)?;
    headers.extend(secret_headers.iter().map(|(name, template)| (name.clone(), plain_text(template))));
    let body = secret_body.map(|template| plain_text(&template).into_bytes()).or(body).unwrap_or_default();

    let url = Url::parse(&url).map_err(|fault| invalid(fault.to_string()))?;
    let socket = match &connect_to {
        None => None,
        Some(text) => Some(
            split_socket(text)
                .ok_or_else(|| invalid(format!("`{text}` is no `address:port` to connect to")))?,
        ),
    };
    let connect_to = socket.as_ref().map(|(host, port)| (host.as_str(), *port));
    let asked =
        Asked::Http(HttpRequest { method: &method, origin: &url.origin, connect_to, via: via.as_deref() });
    let (via, addresses) = match broker.check(&asked) {
        Ok(Allowed::Http { via, addresses }) => (via, addresses),
        Ok(Allowed::Host { .. }) => return Err(invalid("not an HTTP request".to_owned())),
        Err(reason) => return Err(HttpError::Denied(reason)),
    };
    let link = match &via {
        None => None,
        Some(host) => Some(
            broker
                .access
                .hosts
                .link(host)
                .ok_or_else(|| HttpError::Connect(format!("there is no connection to host `{host}`")))?,
        ),
    };
    let fetch = Fetch {
        method: &method,
        url: &url,
        connect_to,
        via: link,
        headers: &headers,
        body,
        limits: broker.limits(),
        timeout: broker.until(timeout_ms).saturating_duration_since(Instant::now()),
        addresses,
    };
    match broker.http.fetch(fetch).await {
        Ok(Fetched { status, headers, body, truncated }) => {
            if truncated {
                broker.tell(Limit::HttpBody);
            }
            Ok((Response { status, headers, text: String::new(), bytes: Vec::new(), truncated }, body))
        }
        Err(HttpFailure::Denied(reason)) => {
            let grant = format!("http = [{{ to = \"{}\", private = true }}]", url.origin);
            let denied = Denied { request: asked.to_string(), reason, grant };
            Err(HttpError::Denied(broker.deny(denied)))
        }
        Err(HttpFailure::Invalid(reason)) => Err(invalid(reason)),
        Err(HttpFailure::Unresolved(reason) | HttpFailure::Connect(reason)) => {
            Err(HttpError::Connect(reason))
        }
        Err(HttpFailure::Tls(reason)) => Err(HttpError::Tls(reason)),
        Err(HttpFailure::Exceeded(breach)) => {
            broker.tell(breach.limit);
            let reason = format!("{}: {breach}\nhint: {}", url.origin, breach.hint());
            Err(match breach.limit.spec().unit {
                Unit::Time => HttpError::TimedOut(reason),
                Unit::Bytes | Unit::Count => HttpError::Other(("too-large".to_owned(), reason)),
            })
        }
        Err(HttpFailure::TimedOut(reason)) => Err(HttpError::TimedOut(reason)),
        Err(HttpFailure::Broken(reason) | HttpFailure::WayBroken(reason)) => Err(HttpError::Broken(reason)),
    }
}

fn invalid(reason: String) -> HttpError {
    HttpError::Other(("invalid-request".to_owned(), reason))
}
