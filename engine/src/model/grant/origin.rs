//! Where an HTTP request goes: scheme, host and port, taken from a URL in one strict way.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Scheme, host and port of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether it is `https`.
    pub tls: bool,
    /// Name in lower case, or an IP address without brackets.
    pub host: String,
    /// The scheme's own when the URL says none.
    pub port: u16,
}

/// A URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Where it goes.
    pub origin: Origin,
    /// Path and query, beginning with `/`.
    pub path: String,
}

/// Why a text is no URL that cutover speaks to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {reason}")]
pub struct OriginFault {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Origin {
    /// Takes an origin: a URL without a path (a lone `/` does no harm).
    ///
    /// # Errors
    /// As [`Url::parse`], and when there is a path.
    pub fn parse(text: &str) -> Result<Self, OriginFault> {
        let url = Url::parse(text)?;
        if url.path == "/" {
            Ok(url.origin)
        } else {
            Err(OriginFault {
                text: text.to_owned(),
                reason: "has a path: an origin is a scheme, a name and a port",
            })
        }
    }

    /// The host as an IP address, when it is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether it is an address of this machine that no other one can be behind. A name never is: who resolves it decides.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address().is_some_and(|address| address.is_loopback())
    }

    /// `host` or `host:port`, as in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.tls { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

impl Url {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// When it is not `http://` or `https://`, has a user, a fragment or characters that no URL has, or a host or port that make no sense.
    pub fn parse(text: &str) -> Result<Self, OriginFault> {
        let fault = |reason| OriginFault { text: text.to_owned(), reason };
        if text.len() > 8192 {
            return Err(OriginFault {
                text: format!("{}…", text.chars().take(64).collect::<String>()),
                reason: "is longer than 8192 bytes",
            });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\<>\"^`{|}".contains(&byte)) {
            return Err(fault("has characters that a URL must encode"));
        }
        let (tls, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (true, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (false, rest)
        } else {
            return Err(fault("does not begin with `http://` or `https://`"));
        };
        if rest.contains('#') {
            return Err(fault("has a fragment"));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(fault("has a user name or password in it: send them in a header"));
        }
        let (host, port) = split_authority(authority).ok_or_else(|| fault("has no valid host and port"))?;
        let port = match port {
            Some(port) => port,
            None if tls => 443,
            None => 80,
        };
        let path = match path.chars().next() {
            None => "/".to_owned(),
            Some('?') => format!("/{path}"),
            Some(_) => path.to_owned(),
        };
        Ok(Self { origin: Origin { tls, host, port }, path })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

/// Host and port of `address:port`, both of which must be there.
#[must_use]
pub fn split_socket(text: &str) -> Option<(String, u16)> {
    let (host, port) = split_authority(text)?;
    Some((host, port?))
}

/// Host and port of `name`, `name:port`, `[address]:port`.
fn split_authority(text: &str) -> Option<(String, Option<u16>)> {
    let port = |text: &str| -> Option<Option<u16>> {
        if text.is_empty() {
            return Some(None);
        }
        let digits = text.strip_prefix(':')?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let port = plain.then(|| digits.parse::<u16>().ok()).flatten()?;
        (port != 0).then_some(Some(port))
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        return Some((address.to_string(), port(rest)?));
    }
    let end = text.find(':').unwrap_or(text.len());
    let (host, rest) = text.split_at(end);
    let host = host.to_ascii_lowercase();
    let labels = host.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    // A resolver takes `127.1`, `0x7f000001` and `2130706433` for addresses: only the usual form is one here.
    let numeric = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().next().is_some_and(|byte| byte.is_ascii_digit()));
    let fine = labels && host.len() <= 253 && (!numeric || host.parse::<IpAddr>().is_ok());
    fine.then(|| port(rest).map(|port| (host, port))).flatten()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, origin, path) in [
            ("http://shop.example.com", "http://shop.example.com", "/"),
            ("https://Shop.Example.com:443/up?x=1", "https://shop.example.com", "/up?x=1"),
            ("http://127.0.0.1:4001?q", "http://127.0.0.1:4001", "/?q"),
            ("http://[::1]:80/", "http://[::1]", "/"),
            ("https://[2001:DB8::1]:8443/a/b", "https://[2001:db8::1]:8443", "/a/b"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.origin.to_string().as_str(), url.path.as_str()), (origin, path), "{text}");
        }
    }

    #[test]
    fn doubtful_urls_are_refused() {
        for text in [
            "",
            "shop.example.com",
            "ftp://a/",
            "HTTP://a/",
            "http://",
            "http:///x",
            "http://a:0/",
            "http://a:65536/",
            "http://a:+80/",
            "http://a:/",
            "http://u@a/",
            "http://u:p@a/",
            "http://a#b",
            "http://a b/",
            "http://a\r\nHost: b/",
            "http://a\\b/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://127.0.0.01/",
            "http://[::1/",
            "http://::1/",
            "http://a..b/",
            "http://grün/",
        ] {
            assert!(Url::parse(text).is_err(), "{text:?}");
        }
        assert!(Origin::parse("http://a/b").is_err());
    }
}
