//! Fetching a component over HTTPS: to where the URL leads, and nowhere that is not encrypted.

use std::time::Duration;

use crate::hook::LARGEST_COMPONENT;
use crate::hook::http::{Fetch, HttpClient};
use crate::model::grant::{Addresses, Url};
use crate::model::{Limit, Limits, Trouble, excerpt};

/// For one answer, with its body.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Redirects that are followed: servers of releases send on once or twice.
const REDIRECTS: usize = 5;

/// The bytes that a URL leads to. No credentials are sent.
///
/// # Errors
/// When there is no such file, or the way to it can't be trusted.
pub(super) async fn download(http: &HttpClient, text: &str) -> Result<Vec<u8>, Trouble> {
    let failed =
        |reason: String| Trouble::new("hook/download", format!("`{text}` can't be fetched: {reason}"));
    let mut url = Url::parse(text).map_err(|fault| failed(fault.to_string()))?;
    let whole = u64::try_from(TIMEOUT.as_millis()).unwrap_or(u64::MAX);
    let limits = Limits::default()
        .engines_own(Limit::HttpBody, LARGEST_COMPONENT)
        .engines_own(Limit::HttpTotal, whole);
    for _ in 0..=REDIRECTS {
        let fetch = Fetch {
            method: "GET",
            url: &url,
            connect_to: None,
            via: None,
            guard: None,
            headers: &[(
                "accept".to_owned(),
                "application/wasm, application/octet-stream;q=0.9, */*;q=0.1".to_owned(),
            )],
            body: Vec::new(),
            limits: &limits,
            timeout: TIMEOUT,
            // The operator named the place, and nothing of the answer is told but its digest.
            addresses: Addresses::Any,
            authorities: None,
        };
        let answer = http.fetch(fetch).await.map_err(|failure| failed(failure.to_string()))?;
        match answer.status {
            200 if answer.truncated => {
                return Err(failed(format!("it is larger than {} MiB", LARGEST_COMPONENT >> 20)));
            }
            200 => return Ok(answer.body),
            301 | 302 | 303 | 307 | 308 => {
                let location = answer.headers.iter().find(|(name, _)| name == "location");
                let location = location.map(|(_, value)| value.as_str()).unwrap_or_default();
                url = next(&url, location).map_err(failed)?;
            }
            404 | 410 => {
                let gone =
                    failed(format!("`{}` answers {}: there is no such file", url.origin, answer.status));
                return Err(gone.hint("look at the URL; what was fetched before stays usable where it is"));
            }
            401 | 403 => {
                let refused = failed(format!("`{}` answers {}", url.origin, answer.status));
                return Err(
                    refused.hint("no credentials are sent: put the component into the project, as a path")
                );
            }
            status => return Err(failed(format!("`{}` answers {status}", url.origin))),
        }
    }
    Err(failed(format!("it is sent on more than {REDIRECTS} times")))
}

/// Where a redirect leads; none where that is no URL.
pub(super) fn leads_to(from: &Url, location: &str) -> Option<Url> {
    let text = match location.as_bytes() {
        [b'/', b'/', ..] => format!("{}:{location}", if from.origin.tls { "https" } else { "http" }),
        [b'/', ..] => format!("{}{location}", from.origin),
        _ => location.to_owned(),
    };
    Url::parse(&text).ok()
}

/// Where a redirect leads, which has to be encrypted.
fn next(from: &Url, location: &str) -> Result<Url, String> {
    let shown = excerpt(location.to_owned());
    match leads_to(from, location) {
        Some(url) if url.origin.tls => Ok(url),
        Some(_) => Err(format!("`{}` sends on to `{shown}`, which is not encrypted", from.origin)),
        None => Err(format!("`{}` sends on to `{shown}`, which is no URL that could be asked", from.origin)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_encrypted() {
        let from = Url::parse("https://hooks.example.com/v1/lb.wasm").expect("a URL");
        let next = |location: &str| next(&from, location).map(|url| url.to_string());
        assert_eq!(next("/v2/lb.wasm").as_deref(), Ok("https://hooks.example.com/v2/lb.wasm"));
        assert_eq!(next("//cdn.example.com/lb").as_deref(), Ok("https://cdn.example.com/lb"));
        assert_eq!(next("https://cdn.example.com/lb?t=1").as_deref(), Ok("https://cdn.example.com/lb?t=1"));
        for location in [
            "http://hooks.example.com/lb.wasm",
            "HTTP://x",
            "lb.wasm",
            "file:///etc/passwd",
            "",
            "https://u:p@x/",
        ] {
            assert!(next(location).is_err(), "{location}");
        }
        assert_eq!(
            next("http://hooks.example.com/lb.wasm"),
            Err("`https://hooks.example.com` sends on to `http://hooks.example.com/lb.wasm`, which is not encrypted".to_owned())
        );
    }
}
