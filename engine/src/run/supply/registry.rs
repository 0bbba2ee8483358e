//! Pulling a component from a registry (OCI Distribution Specification 1.1): the pull half of it, over the program's own HTTP client.
//!
//! The crates for it (`oci-client`, `oci-wasm`) were weighed and left out. What they are asked to fetch, they fetch whole into memory, however
//! much a registry sends; they follow redirects from `https` to `http`; and they send the operator's password to whatever realm a
//! registry names, in a request that can't be looked at before. That can't be mended from outside, and is what is promised here. They
//! bring some twenty crates too, one of which is given up by its owners. Challenges are parsed by a crate that does only that.
//!
//! - A login is looked up when a registry asks for it, and sent to the origin that the operator's file has it for, and to no other. To a
//!   realm elsewhere it goes only where the file has that very login for both: who has only the one for the realm would hand a stranger
//!   a token for what that login can read.
//! - What a registry gives out for it goes to that registry alone. Redirects are followed, without either.
//! - All that it says is bounded: manifest, token, layer, redirects, and the time of everything together.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::challenge::{Challenge, challenge};
use super::docker_config::{DockerConfig, Login};
use super::download::leads_to;
use super::manifest::{self, MANIFESTS};
use crate::hook::http::{Fetch, Fetched, HttpClient};
use crate::hook::{LARGEST_COMPONENT, component_digest};
use crate::model::grant::{Addresses, Origin, Url};
use crate::model::{ComponentDigest, Limit, Limits, OciReference, OciVersion, Trouble};
use crate::secret::{Redactor, Secret, form_encoded};

/// For a component, with all requests that it takes.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Redirects of one request that are followed: registries send on to where their blobs are once.
const REDIRECTS: usize = 5;
/// Bytes of the largest manifest: what every registry takes ("Pushing manifests").
const LARGEST_MANIFEST: u64 = 4 << 20;
/// Bytes of the largest answer of what gives out tokens.
const LARGEST_TOKEN: u64 = 64 << 10;

/// A repository of a registry, while something is fetched from it.
#[derive(Debug)]
pub(super) struct Registry<'a> {
    http: &'a HttpClient,
    logins: &'a DockerConfig,
    reference: OciReference,
    deadline: Instant,
    /// What the registry is sent since it asked for it.
    authorization: Option<Secret>,
    redactor: Redactor,
}

/// What is asked of a repository.
struct Question<'a> {
    path: String,
    accept: &'a str,
    /// Bytes of the largest answer.
    most: u64,
    /// What there is none of, when it is not found.
    what: String,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'a> Registry<'a> {
    /// The registry of a reference. Nothing is sent yet.
    ///
    /// # Errors
    /// When `text` is no reference.
    pub(super) fn of(http: &'a HttpClient, logins: &'a DockerConfig, text: &str) -> Result<Self, Trouble> {
        let reference = OciReference::parse(text);
        let reference = reference.map_err(|fault| Trouble::new("hook/download", fault.to_string()))?;
        Ok(Self {
            http,
            logins,
            reference,
            deadline: Instant::now() + TIMEOUT,
            authorization: None,
            redactor: Redactor::default(),
        })
    }

    /// The component that the reference leads to, and the manifest that has it.
    ///
    /// # Errors
    /// When there is none, it is no component, or the way to it can't be trusted.
    pub(super) async fn pull(mut self) -> Result<(Vec<u8>, OciReference), Trouble> {
        let pulled = async {
            let (manifest, layer) = self.manifest().await?;
            let wasm = self.layer(&layer).await?;
            Ok((wasm, self.reference.with_manifest(manifest)))
        };
        let pulled = pulled.await;
        pulled.map_err(|trouble| self.masked(trouble))
    }

    /// The component with this digest, whatever tags lead to.
    ///
    /// # Errors
    /// When it is not there, or the way to it can't be trusted.
    pub(super) async fn pull_layer(mut self, digest: &ComponentDigest) -> Result<Vec<u8>, Trouble> {
        let pulled = self.layer(digest).await;
        pulled.map_err(|trouble| self.masked(trouble))
    }

    /// Digests of the manifest and of its layer.
    async fn manifest(&mut self) -> Result<(ComponentDigest, ComponentDigest), Trouble> {
        let version = match &self.reference.version {
            OciVersion::Tag(tag) => tag.clone(),
            OciVersion::Manifest(digest) => digest.to_string(),
        };
        let repository = &self.reference.repository;
        let question = Question {
            path: format!("/v2/{repository}/manifests/{version}"),
            accept: &MANIFESTS.join(", "),
            most: LARGEST_MANIFEST,
            what: format!("no `{version}` in `{repository}`"),
        };
        let answer = self.ask(&question).await?;
        let digest = component_digest(&answer.body);
        if let OciVersion::Manifest(expected) = &self.reference.version
            && *expected != digest
        {
            return Err(self.another("manifest", expected, &digest));
        }
        let content_type = header(&answer, "content-type").unwrap_or_default();
        let layer = manifest::layer(content_type, &answer.body).map_err(|reason| {
            let text = format!("`{}` is not a WebAssembly component: {reason}", self.reference);
            Trouble::new("hook/not-a-component", text)
                .hint("a component in a registry is pushed as a Wasm OCI artifact: `wkg oci push` makes one")
        })?;
        Ok((digest, layer))
    }

    async fn layer(&mut self, digest: &ComponentDigest) -> Result<Vec<u8>, Trouble> {
        let repository = &self.reference.repository;
        let question = Question {
            path: format!("/v2/{repository}/blobs/{digest}"),
            accept: "application/wasm, application/octet-stream;q=0.9, */*;q=0.1",
            most: LARGEST_COMPONENT,
            what: format!("no layer {digest} in `{repository}`"),
        };
        let wasm = self.ask(&question).await?.body;
        let found = component_digest(&wasm);
        if found == *digest { Ok(wasm) } else { Err(self.another("layer", digest, &found)) }
    }

    /// Of a registry that gives something else than what its digest says.
    fn another(&self, what: &str, expected: &ComponentDigest, found: &ComponentDigest) -> Trouble {
        let text = format!(
            "`{}`: its registry sends another {what} than the one that is asked for\nexpected  {expected}\nfound     {found}",
            self.reference
        );
        Trouble::new("hook/digest", text)
            .hint("what the registry keeps was changed or is damaged: tell who runs it, and do not use it")
    }

    /// The answer to a question that the registry answers, with credentials if it asks for them.
    async fn ask(&mut self, question: &Question<'_>) -> Result<Fetched, Trouble> {
        let registry = self.reference.registry.clone();
        let mut answer = self.follow(question).await?;
        if answer.status == 401 && self.authorization.is_none() {
            self.authorize(&answer).await?;
            answer = self.follow(question).await?;
        }
        match answer.status {
            200 if answer.truncated => {
                Err(self.failed(&format!("`{registry}` sends more than {} bytes of it", question.most)))
            }
            200 => Ok(answer),
            404 => {
                let gone = self.failed(&format!("`{registry}` answers 404: there is {}", question.what));
                Err(gone.hint("look at repository and tag; what was fetched before stays usable where it is"))
            }
            401 => Err(self.refused(&registry).await),
            403 => {
                let text =
                    format!("`{registry}` answers 403: `{}` may not be read", self.reference.repository);
                Err(self.failed(&text))
            }
            status => Err(self.failed(&format!("`{registry}` answers {status}"))),
        }
    }

    /// Sends a question, also on to where it is sent.
    async fn follow(&self, question: &Question<'_>) -> Result<Fetched, Trouble> {
        let registry = &self.reference.registry;
        let mut url = Url { origin: registry.clone(), path: question.path.clone() };
        for _ in 0..=REDIRECTS {
            let own = self.authorization.as_ref().filter(|_| url.origin == *registry);
            let answer = self.get(&url, question.accept, own, question.most).await?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let location = header(&answer, "location").unwrap_or_default();
            // Who was sent a password could send it back here: its text is not shown.
            let next = leads_to(&url, location).filter(|next| is_safe(registry, &next.origin));
            url = next.ok_or_else(|| {
                self.failed(&format!("`{}` sends on to what is not encrypted, or is no URL", url.origin))
            })?;
        }
        Err(self.failed(&format!("it is sent on more than {REDIRECTS} times")))
    }

    async fn get(
        &self,
        url: &Url,
        accept: &str,
        authorization: Option<&Secret>,
        most: u64,
    ) -> Result<Fetched, Trouble> {
        let timeout = self.deadline.saturating_duration_since(Instant::now());
        let limits = Limits::default()
            .engines_own(Limit::HttpBody, most)
            .engines_own(Limit::HttpTotal, u64::try_from(TIMEOUT.as_millis()).unwrap_or(u64::MAX));
        let accept = ("accept".to_owned(), accept.to_owned());
        let authorization =
            authorization.map(|value| ("authorization".to_owned(), value.expose().to_owned()));
        let headers: Vec<_> = [accept].into_iter().chain(authorization).collect();
        let fetch = Fetch {
            method: "GET",
            url,
            connect_to: None,
            via: None,
            guard: None,
            headers: &headers,
            body: Vec::new(),
            limits: &limits,
            timeout,
            // The operator named the registry, and nothing of the answer is told but what it is.
            addresses: Addresses::Any,
            authorities: None,
        };
        self.http.fetch(fetch).await.map_err(|failure| self.failed(&failure.to_string()))
    }

    /// Finds what the registry is sent from now on.
    async fn authorize(&mut self, answer: &Fetched) -> Result<(), Trouble> {
        let registry = self.reference.registry.clone();
        let headers = answer.headers.iter().filter(|(name, _)| name == "www-authenticate");
        let asked = challenge(headers.map(|(_, value)| value.as_str()));
        let asked = asked.map_err(|reason| self.failed(&format!("`{registry}` {reason}")))?;
        let login = self.login(&registry).await?;
        let authorization = match asked {
            Challenge::Basic => match login {
                Login::Known { basic, .. } => basic,
                Login::Absent | Login::Unusable(_) => return Err(self.refused(&registry).await),
            },
            Challenge::Bearer { realm, service } => {
                let login = self.login_of_realm(&realm.origin, login).await?;
                self.token(&realm, service.as_deref(), login.as_ref()).await?
            }
        };
        self.redactor.add(&authorization);
        self.authorization = Some(authorization);
        Ok(())
    }

    /// What a realm may be sent.
    async fn login_of_realm(&self, realm: &Origin, login: Login) -> Result<Option<Secret>, Trouble> {
        let registry = &self.reference.registry;
        if !is_safe(registry, realm) {
            return Err(
                self.failed(&format!("`{registry}` asks for a token of `{realm}`, which is not encrypted"))
            );
        }
        let Login::Known { basic, .. } = &login else { return Ok(None) };
        if realm == registry || self.login(realm).await? == login {
            return Ok(Some(basic.clone()));
        }
        let text = format!(
            "`{registry}` wants its credentials sent to `{realm}`, another origin, for which `{}` does not have them",
            self.logins.file
        );
        let hint = format!(
            "nothing was sent there; if it belongs to this registry, the same entry of `auths` for `{}` allows it",
            realm.authority()
        );
        Err(self.failed(&text).hint(hint))
    }

    /// A token that reads this repository, and nothing else whatever the registry asks for.
    async fn token(
        &self,
        realm: &Url,
        service: Option<&str>,
        login: Option<&Secret>,
    ) -> Result<Secret, Trouble> {
        let scope = form_encoded(&format!("repository:{}:pull", self.reference.repository));
        let service =
            service.map(|service| format!("service={}&", form_encoded(service))).unwrap_or_default();
        let joint = if realm.path.contains('?') { '&' } else { '?' };
        let path = format!("{}{joint}{service}scope={scope}", realm.path);
        let url = Url { origin: realm.origin.clone(), path };
        let answer = self.get(&url, "application/json", login, LARGEST_TOKEN).await?;
        match answer.status {
            200 => {}
            401 | 403 if login.is_some() => {
                let text = format!(
                    "`{}` refuses the login that `{}` has for it: it answers {}",
                    realm.origin, self.logins.file, answer.status
                );
                return Err(self
                    .failed(&text)
                    .hint(format!("`docker login {}` renews it", realm.origin.authority())));
            }
            401 | 403 => return Err(self.refused(&self.reference.registry).await),
            status => {
                return Err(self.failed(&format!("`{}` gives no token: it answers {status}", realm.origin)));
            }
        }
        let token = serde_json::from_slice::<Token>(&answer.body).ok().filter(|_| !answer.truncated);
        let token = token.and_then(|answer| answer.token.or(answer.access_token));
        let token = token.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
        let token = token.and_then(Secret::new);
        if let Some(token) = &token {
            self.redactor.add(token);
        }
        let bearer = token.and_then(|token| Secret::new(format!("Bearer {}", token.expose())));
        bearer.ok_or_else(|| self.failed(&format!("what `{}` answers is no token", realm.origin)))
    }

    async fn login(&self, origin: &Origin) -> Result<Login, Trouble> {
        let login = self.logins.login(origin).await;
        let login = login.map_err(|reason| self.failed(&format!("`{}` {reason}", self.logins.file)))?;
        if let Login::Known { basic, password } = &login {
            self.redactor.add(basic);
            if let Some(password) = password {
                self.redactor.add(password);
            }
        }
        Ok(login)
    }

    /// Of one that wants credentials, or others.
    async fn refused(&self, origin: &Origin) -> Trouble {
        let (file, name) = (&self.logins.file, origin.authority());
        match self.login(origin).await {
            Err(trouble) => trouble,
            Ok(Login::Known { .. }) => {
                let text = format!("`{origin}` refuses the login that `{file}` has for it: it answers 401");
                self.failed(&text).hint(format!("`docker login {name}` renews it"))
            }
            Ok(Login::Absent) => {
                let text = format!("`{origin}` wants credentials, and `{file}` has none for it");
                self.failed(&text).hint(format!("`docker login {name}` writes them there"))
            }
            Ok(Login::Unusable(reason)) => {
                let text = format!("`{origin}` wants credentials, and `{file}` {reason}");
                self.failed(&text).hint(format!(
                    "an entry of `auths` for `{name}` is used, also in another directory that `DOCKER_CONFIG` names"
                ))
            }
        }
    }

    fn failed(&self, reason: &str) -> Trouble {
        Trouble::new("hook/download", format!("`{}` can't be fetched: {reason}", self.reference))
    }

    /// Without what was sent, also where it came back as the type of a layer.
    fn masked(&self, trouble: Trouble) -> Trouble {
        let mask = |text: String| self.redactor.mask(&text);
        Trouble { code: trouble.code, message: mask(trouble.message), hint: trouble.hint.map(mask) }
    }
}

/// Whether a registry may send on to an origin: one that is encrypted; and of a registry on this machine itself, also to this machine.
fn is_safe(registry: &Origin, next: &Origin) -> bool {
    next.tls || (!registry.tls && next.is_loopback())
}

fn header<'a>(answer: &'a Fetched, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_stays_so() {
        let origin = |text: &str| Origin::parse(text).expect("an origin");
        let (registry, here) = (origin("https://registry.example.com"), origin("http://127.0.0.1:5000"));
        for (from, next, expected) in [
            (&registry, "https://blobs.example.net", true),
            (&registry, "http://registry.example.com", false),
            (&registry, "http://127.0.0.1:5000", false),
            (&here, "http://127.0.0.1:9000", true),
            (&here, "https://blobs.example.net", true),
            (&here, "http://blobs.example.net", false),
            (&here, "http://169.254.169.254", false),
            (&here, "http://localhost:5000", false),
        ] {
            assert_eq!(is_safe(from, &origin(next)), expected, "{from} {next}");
        }
    }
}
