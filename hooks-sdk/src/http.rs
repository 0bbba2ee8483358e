//! HTTP requests, each checked by the engine against the `http` grants. Redirects are answers; none is followed.

use std::time::Duration;

use serde_json::Value;

pub use crate::bindings::imports::cutover::hook::http_client::{HttpError, Request, Response};
use crate::engine::milliseconds;
use crate::{HookError, Instance, SettingFault, wire};

/// The fault of a setting that is the URL of an API to which credentials go: `https`, a name and a port, without a path. A token in the clear
/// goes no further than this machine. `what` it is to be: `API server`.
#[must_use]
pub fn origin_fault(key: &str, url: &str, what: &str) -> Option<SettingFault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    let is_plain = |rest: &str| !rest.is_empty() && rest.chars().all(plain);
    let origin = url.strip_suffix('/').unwrap_or(url);
    let is_origin = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
        (Some(rest), _) => is_plain(rest),
        (None, Some(rest)) => is_plain(rest) && rest.split(':').next() == Some("127.0.0.1"),
        (None, None) => false,
    };
    let want = "want `https://NAME` or `https://NAME:PORT`; `http://` only to this machine's own `127.0.0.1`";
    (!is_origin).then(|| SettingFault::new(key, format!("`{url}` is no {what}: {want}")))
}

impl Request {
    /// A request from where the engine runs.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            via: None,
            connect_to: None,
            headers: Vec::new(),
            secret_headers: Vec::new(),
            body: None,
            secret_body: None,
            binary: false,
            timeout_ms: None,
        }
    }

    /// A plain HTTP request to an instance, started from its own host: it may listen on loopback only. `path` begins with `/`.
    #[must_use]
    pub fn to_instance(method: impl Into<String>, instance: &Instance, path: &str) -> Self {
        Self::new(method, format!("http://{}{path}", instance.local_authority())).via(&instance.host)
    }

    /// Keeps the connection where it goes, and asks for `scheme://name` there: for applications that tell names apart, or speak
    /// TLS.
    #[must_use]
    pub fn as_name(mut self, scheme: &str, name: &str) -> Self {
        let (old_scheme, rest) = self.url.split_once("://").unwrap_or(("http", &self.url));
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let has_port = authority.rsplit(']').next().is_some_and(|end| end.contains(':'));
        let port = if old_scheme == "https" { 443 } else { 80 };
        self.connect_to.get_or_insert_with(|| {
            if has_port { authority.to_owned() } else { format!("{authority}:{port}") }
        });
        self.url = format!("{scheme}://{name}{path}");
        self
    }

    /// The host whose network it starts from.
    #[must_use]
    pub fn via(mut self, host: impl Into<String>) -> Self {
        self.via = Some(host.into());
        self
    }

    /// `address:port` to connect to instead of the URL's.
    #[must_use]
    pub fn connect_to(mut self, authority: impl Into<String>) -> Self {
        self.connect_to = Some(authority.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a header whose value is a template: `Bearer {name}` stands for a secret that is granted for this origin and header, and
    /// `{{` and `}}` for a brace. The hook never has the secret.
    #[must_use]
    pub fn secret_header(mut self, name: impl Into<String>, template: impl Into<String>) -> Self {
        self.secret_headers.push((name.into(), template.into()));
        self
    }

    /// Sends a template like those of [`Request::secret_header`]; in JSON and forms the secret is encoded as the content type asks.
    #[must_use]
    pub fn secret_body(mut self, template: impl Into<String>) -> Self {
        self.secret_body = Some(template.into());
        self
    }

    /// Sends bytes or text.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends JSON, with its content type.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string())
    }

    /// Limit for the whole exchange.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout_ms = Some(milliseconds(timeout));
        self
    }

    /// Sends it and waits for the answer, whatever its status.
    ///
    /// # Errors
    /// When there was no answer.
    pub fn send(&self) -> Result<Response, HttpError> {
        wire::http_client::send(self)
    }

    /// As [`Request::send`], for an answer that must have a status of 200 to 299.
    ///
    /// # Errors
    /// Any other status too, with the first line of the body; statuses of 500 and above are temporary.
    pub fn fetch(&self) -> Result<Response, HookError> {
        let response = self.send()?;
        if (200..300).contains(&response.status) {
            return Ok(response);
        }
        let text = format!("{} {} answered {}", self.method, self.url, response.summary());
        Err(if response.status >= 500 { HookError::Temporary(text) } else { HookError::Failed(text) })
    }
}

impl Response {
    /// The first header of that name (lower-case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.text)
    }

    /// `500: first line of the body`, for messages.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.text.lines().map(str::trim).find(|line| !line.is_empty()) {
            Some(line) => {
                let cut: String = line.chars().take(120).collect();
                format!("{}: {cut}", self.status)
            }
            None => self.status.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Color;

    #[test]
    fn credentials_go_to_an_origin() {
        for good in
            ["https://a.example.com", "https://a:8443/", "https://[::1]:8443", "http://127.0.0.1:5000"]
        {
            assert_eq!(origin_fault("api", good, "API"), None, "{good}");
        }
        for bad in
            ["", "a", "https://", "https://a/b", "https://a@b", "http://a", "http://127.0.0.1.example.com"]
        {
            assert!(origin_fault("api", bad, "API").is_some(), "{bad}");
        }
        let reason = "`http://a` is no API: want `https://NAME` or `https://NAME:PORT`; `http://` only to this machine's own `127.0.0.1`";
        assert_eq!(origin_fault("api", "http://a", "API"), Some(SettingFault::new("api", reason)));
    }

    #[test]
    fn a_request_to_an_instance_starts_from_its_host() {
        let mut instance = Instance {
            host: "web1".to_owned(),
            color: Color::Green,
            listen: "0.0.0.0".to_owned(),
            address: "10.0.0.11".to_owned(),
            port: 4002,
            labels: Vec::new(),
        };
        let request = Request::to_instance("GET", &instance, "/up");
        assert_eq!(
            (request.url.as_str(), request.via.as_deref()),
            ("http://127.0.0.1:4002/up", Some("web1"))
        );
        let named = request.as_name("https", "shop.example.com");
        assert_eq!(named.url, "https://shop.example.com/up");
        assert_eq!(named.connect_to.as_deref(), Some("127.0.0.1:4002"));
        let bare = Request::new("GET", "http://127.0.0.1/x").as_name("http", "shop.example.com");
        assert_eq!(bare.connect_to.as_deref(), Some("127.0.0.1:80"));
        instance.listen = "::".to_owned();
        assert_eq!(Request::to_instance("GET", &instance, "/").url, "http://[::1]:4002/");
        assert_eq!(instance.authority_from("lb1"), "10.0.0.11:4002");
    }
}
