//! The operator's logins to registries, where `docker login` and what does the same keep them. Only entries of `auths` are read: a program
//! that keeps logins (`credsStore`, `credHelpers`) is not started, since `cutover hook` starts nothing that a file names.

use std::collections::BTreeMap;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8PathBuf;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use crate::model::grant::{Origin, Url};
use crate::secret::Secret;

/// Bytes of the largest file that is read.
const LARGEST: u64 = 1 << 20;
/// Paths that keys of `auths` have behind the name, from times when registries had other interfaces.
const PATHS: [&str; 5] = ["/", "/v1", "/v1/", "/v2", "/v2/"];

/// Where the logins are.
#[derive(Debug, Clone)]
pub struct DockerConfig {
    /// `~/.docker/config.json`. It does not have to be there.
    pub file: Utf8PathBuf,
}

/// What is known of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// Nothing.
    Absent,
    /// User and password.
    Known {
        /// Of the `Authorization` header (RFC 7617).
        basic: Secret,
        /// Of this user; none where it is too short to be masked.
        password: Option<Secret>,
    },
    /// Something that is not used; in words that follow "the file".
    Unusable(String),
}

// Nothing of it can be printed: of what a file has, its texts are secrets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl DockerConfig {
    /// The login to a registry, or to what gives out its tokens.
    ///
    /// # Errors
    /// In words that follow "the file", when it can't be read.
    pub(super) async fn login(&self, origin: &Origin) -> Result<Login, String> {
        let mut text = Vec::new();
        let read = async {
            let file = tokio::fs::File::open(&self.file).await?;
            file.take(LARGEST + 1).read_to_end(&mut text).await
        };
        match read.await {
            Ok(_) if text.len() as u64 > LARGEST => Err(format!("has more than {} MiB", LARGEST >> 20)),
            Ok(_) => login(&text, origin),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Login::Absent),
            Err(error) => Err(format!("can't be read: {error}")),
        }
    }
}

fn login(text: &[u8], origin: &Origin) -> Result<Login, String> {
    // The words of the error would quote what is there.
    let file: File = serde_json::from_slice(text).map_err(|error| {
        format!("is not what `docker login` writes: line {}, column {}", error.line(), error.column())
    })?;
    if let Some((_, program)) = file.cred_helpers.iter().find(|(key, _)| leads_to(key, origin)) {
        return Ok(kept_by(program));
    }
    let entry = file.auths.into_iter().find(|(key, _)| leads_to(key, origin)).map(|(_, entry)| entry);
    let found = entry.as_ref().map_or(Ok(Login::Absent), |entry| of_entry(entry, origin))?;
    match (found, file.creds_store.filter(|program| !program.is_empty())) {
        (Login::Absent, Some(program)) => Ok(kept_by(&program)),
        (found, _) => Ok(found),
    }
}

fn kept_by(program: &str) -> Login {
    Login::Unusable(format!("has them kept by `docker-credential-{program}`, which cutover does not start"))
}

fn of_entry(entry: &Entry, origin: &Origin) -> Result<Login, String> {
    let has = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if has(&entry.identitytoken).is_some() {
        return Ok(Login::Unusable("has an identity token for it, which cutover does not use".to_owned()));
    }
    let pair = match (has(&entry.auth), has(&entry.username), has(&entry.password)) {
        (Some(auth), ..) => {
            let decoded = STANDARD.decode(auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            decoded.map(|text| text.trim_end_matches('\0').to_owned()).filter(|text| text.contains(':'))
        }
        (None, Some(user), Some(password)) if !user.contains(':') => Some(format!("{user}:{password}")),
        (None, None, None) => return Ok(Login::Absent),
        (None, ..) => None,
    };
    let broken = || format!("has no user and password in its entry for `{}`", origin.authority());
    let pair = pair.ok_or_else(broken)?;
    let password = pair.split_once(':').and_then(|(_, password)| Secret::new(password.to_owned()));
    let basic = Secret::new(format!("Basic {}", STANDARD.encode(pair))).ok_or_else(broken)?;
    Ok(Login::Known { basic, password })
}

/// Whether a key means this origin: a name with or without port, or a URL.
fn leads_to(key: &str, origin: &Origin) -> bool {
    let text = if key.contains("://") {
        key.to_owned()
    } else if key.contains('/') {
        return false;
    } else {
        format!("{}://{key}", if origin.tls { "https" } else { "http" })
    };
    Url::parse(&text).is_ok_and(|url| url.origin == *origin && PATHS.contains(&url.path.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(pair: &str) -> Login {
        let (_, password) = pair.split_once(':').expect("a password");
        let basic = Secret::new(format!("Basic {}", STANDARD.encode(pair))).expect("long enough");
        Login::Known { basic, password: Secret::new(password.to_owned()) }
    }

    #[test]
    fn a_login_is_for_its_origin_alone() {
        let origin = Origin::parse("https://registry.example.com").expect("an origin");
        let pair = STANDARD.encode("ci:s3cr3t:x");
        for key in [
            "registry.example.com",
            "Registry.Example.com:443",
            "https://registry.example.com",
            "https://registry.example.com/v2/",
        ] {
            let text = format!(r#"{{ "auths": {{ "{key}": {{ "auth": "{pair}" }} }}, "psFormat": "x" }}"#);
            assert_eq!(login(text.as_bytes(), &origin), Ok(known("ci:s3cr3t:x")), "{key}");
        }
        for key in [
            "registry.example.com:5000",
            "http://registry.example.com",
            "example.com",
            "https://registry.example.com.evil.example",
            "https://registry.example.com@evil.example",
            "registry.example.com/team",
            "*",
            "",
        ] {
            let text = format!(r#"{{ "auths": {{ "{key}": {{ "auth": "{pair}" }} }} }}"#);
            assert_eq!(login(text.as_bytes(), &origin), Ok(Login::Absent), "{key}");
        }
        let here = Origin::parse("http://127.0.0.1:5000").expect("an origin");
        let text = r#"{ "auths": { "127.0.0.1:5000": { "username": "ci", "password": "s3cr3t" } } }"#;
        assert_eq!(login(text.as_bytes(), &here), Ok(known("ci:s3cr3t")));
    }

    #[test]
    fn what_is_not_used_is_said_and_nothing_of_it_shown() {
        let origin = Origin::parse("https://registry.example.com").expect("an origin");
        let unusable = |text: &str| Ok(Login::Unusable(text.to_owned()));
        let store = unusable("has them kept by `docker-credential-pass`, which cutover does not start");
        for (text, expected) in [
            ("{}", Ok(Login::Absent)),
            (r#"{ "auths": { "registry.example.com": {} } }"#, Ok(Login::Absent)),
            (r#"{ "auths": { "registry.example.com": {} }, "credsStore": "pass" }"#, store.clone()),
            (r#"{ "credHelpers": { "registry.example.com": "pass" } }"#, store),
            (r#"{ "credHelpers": { "other.example.com": "pass" } }"#, Ok(Login::Absent)),
            (
                r#"{ "auths": { "registry.example.com": { "auth": "Y2k6", "identitytoken": "canary" } } }"#,
                unusable("has an identity token for it, which cutover does not use"),
            ),
            (
                r#"{ "auths": { "registry.example.com": { "auth": "canary" } } }"#,
                Err("has no user and password in its entry for `registry.example.com`".to_owned()),
            ),
            (
                r#"{ "auths": { "registry.example.com": "canary" } }"#,
                Err("is not what `docker login` writes: line 1, column 45".to_owned()),
            ),
        ] {
            assert_eq!(login(text.as_bytes(), &origin), expected, "{text}");
        }
    }
}
