//! A hook's request: grants first, then the request.

use tokio::time::Instant;

use super::client::only_reads;
use super::{Fetch, Fetched, HttpFailure};
use crate::hook::broker::Broker;
use crate::hook::contract::cutover::hook::http_client::{HttpError, Request, Response};
use crate::hook::scripted::NOWHERE;
use crate::hook::secret_use::Wanted;
use crate::hook::template::Encoding;
use crate::model::grant::{
    Allowed, Denied, HttpRequest, Mode, Request as Asked, SecretPlace, Url, split_socket,
};
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
    let url = Url::parse(&url).map_err(|fault| invalid(fault.to_string()))?;
    let socket = match &connect_to {
        None => None,
        Some(text) => Some(
            split_socket(text)
                .ok_or_else(|| invalid(format!("`{text}` is no `address:port` to connect to")))?,
        ),
    };
    let connect_to = socket.as_ref().map(|(host, port)| (host.as_str(), *port));
    let http = HttpRequest { method: &method, origin: &url.origin, connect_to, via: via.as_deref() };
    let (origin, dialled) = (&url.origin, &http.dialled());
    let asked = Asked::Http(http);
    let mut wanted = Vec::new();
    for (header, text) in &secret_headers {
        let place = SecretPlace::Header { origin, dialled, header };
        wanted.push(Wanted::new(text, place).map_err(invalid)?);
    }
    if let Some(text) = &secret_body {
        wanted.push(Wanted::new(text, SecretPlace::Body { origin, dialled }).map_err(invalid)?);
    }
    // Both are asked for, so that both denials are shown.
    let bound = broker.check_secrets(&wanted);
    let (via, addresses, authorities) = match broker.check(&asked) {
        Ok(Allowed::Http { via, addresses, authorities }) => (via, addresses, authorities),
        Ok(Allowed::Host { .. } | Allowed::Secret) => return Err(invalid("not an HTTP request".to_owned())),
        Err(reason) => return Err(HttpError::Denied(reason)),
    };
    bound.map_err(HttpError::Denied)?;
    if broker.reaches_nothing() {
        return Err(HttpError::Connect(NOWHERE.to_owned()));
    }
    let carried = broker.carry(&wanted).await.map_err(HttpError::Other)?;
    let (in_headers, in_body) = wanted.split_at(secret_headers.len());
    for ((name, _), wanted) in secret_headers.iter().zip(in_headers) {
        headers.push((name.clone(), carried.fill(wanted, Encoding::Plain)));
    }
    let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let encoding = Encoding::of(content_type.map(|(_, value)| value.as_str()));
    let filled = in_body.first().map(|wanted| carried.fill(wanted, encoding).into_bytes());
    let body = filled.or(body).unwrap_or_default();
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
    let changes = broker.scope.mode == Mode::Changing && !only_reads(&method);
    let fetch = Fetch {
        method: &method,
        url: &url,
        connect_to,
        via: link,
        guard: via.as_ref().filter(|_| changes).and_then(|host| broker.access.hosts.guard(host)),
        headers: &headers,
        body,
        limits: broker.limits(),
        timeout: broker.until(timeout_ms).saturating_duration_since(Instant::now()),
        addresses,
        authorities: authorities.as_ref(),
    };
    match broker.http.fetch(fetch).await {
        Ok(Fetched { status, headers, body, truncated }) => {
            if truncated {
                broker.tell_limit(Limit::HttpBody);
            }
            if !wanted.is_empty()
                && let Some(encoding) = encoded(&headers)
            {
                return Err(unreadable(&carried.mask(encoding)));
            }
            let masked = |(name, value): (String, String)| (name, carried.mask(&value));
            let headers = headers.into_iter().map(masked).collect();
            let body = carried.mask_bytes(body, truncated);
            Ok((Response { status, headers, text: String::new(), bytes: Vec::new(), truncated }, body))
        }
        Err(HttpFailure::Denied(reason)) => {
            let denied = Denied::by_address(&asked, &broker.scope, reason);
            Err(HttpError::Denied(broker.deny(denied)))
        }
        Err(HttpFailure::Invalid(reason)) => Err(invalid(reason)),
        Err(HttpFailure::Unresolved(reason) | HttpFailure::Connect(reason)) => {
            Err(HttpError::Connect(reason))
        }
        Err(HttpFailure::Tls(reason)) => Err(HttpError::Tls(untrusted(&reason))),
        Err(HttpFailure::Exceeded(breach)) => {
            broker.tell_limit(breach.limit);
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

/// Where a certificate is by nobody that is trusted, with what would trust it.
fn untrusted(reason: &str) -> String {
    // The authorities of clusters have all the same name.
    if !["UnknownIssuer", "BadSignature"].iter().any(|known| reason.contains(known)) {
        return reason.to_owned();
    }
    format!(
        "{reason}\nhint: `ca` of the grant, or of a bundled hook's settings, takes the certificate of its authority"
    )
}

/// How a body is encoded that can't be read as it is.
fn encoded(headers: &[(String, String)]) -> Option<&str> {
    let of_body = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    let mut encodings = of_body.map(|(_, encoding)| encoding.trim());
    encodings.find(|encoding| !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity"))
}

/// Nothing masks a secret in what it can't read.
fn unreadable(encoding: &str) -> HttpError {
    let reason = format!(
        "the answer to a request with a secret is encoded (`{encoding}`), so a secret in it could not be masked\n\
         hint: send the header `accept-encoding: identity`"
    );
    HttpError::Other(("encoded-answer".to_owned(), reason))
}

fn invalid(reason: String) -> HttpError {
    HttpError::Other(("invalid-request".to_owned(), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_other_than_none_are_found() {
        type Sent<'a> = &'a [(&'a str, &'a str)];
        let table: [(Sent<'_>, Option<&str>); 6] = [
            (&[], None),
            (&[("content-type", "gzip")], None),
            (&[("content-encoding", "identity")], None),
            (&[("content-encoding", " ")], None),
            (&[("Content-Encoding", "br")], Some("br")),
            (&[("content-encoding", "Identity"), ("content-encoding", "gzip")], Some("gzip")),
        ];
        for (headers, expected) in table {
            let headers: Vec<(String, String)> =
                headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(encoded(&headers), expected, "{headers:?}");
        }
    }
}
