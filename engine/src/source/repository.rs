//! Addresses of repositories.

use camino::Utf8Path;
use cutover_host::bytes::hex;
use sha2::{Digest, Sha256};

use super::SourceFailure;
use super::credentials::Credentials;
use crate::model::without_password;

/// Address of a repository that git may be given: https, ssh, or an absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    url: String,
    credentials: Option<Credentials>,
}

impl Repository {
    /// Checks an address; a relative path starts from `root`.
    ///
    /// # Errors
    /// When git could take it for an option or for a program to run, or its protocol is not one of ours.
    pub fn parse(text: &str, root: &Utf8Path) -> Result<Self, SourceFailure> {
        let bad = |reason| Err(SourceFailure::BadRepository { url: without_password(text), reason });
        if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
            return bad("it is empty, begins with `-`, or has control characters");
        }
        let url = if let Some((scheme, rest)) = text.split_once("://") {
            if !matches!(scheme, "https" | "ssh" | "file") {
                return bad("its protocol is not https, ssh or file");
            }
            let authority = rest.split('/').next().unwrap_or_default();
            let host = authority.rsplit('@').next().unwrap_or_default();
            if authority.starts_with('-') || host.starts_with('-') {
                return bad("its host begins with `-`");
            }
            if scheme == "ssh" && without_password(text) != text {
                return bad("ssh takes no password: use a key");
            }
            if let Some((url, credentials)) = Credentials::split(text) {
                return Ok(Self { url, credentials: Some(credentials) });
            }
            text.to_owned()
        } else if text.contains("::") {
            return bad("it names a program of git's to fetch with");
        } else if is_ssh(text) {
            let host = text.split(':').next().unwrap_or_default().rsplit('@').next().unwrap_or_default();
            if host.starts_with('-') {
                return bad("its host begins with `-`");
            }
            text.to_owned()
        } else {
            root.join(text).into_string()
        };
        Ok(Self { url, credentials: None })
    }

    /// As given to git and shown to people: user and password of an https address are not in it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The repository itself, whatever way leads to it: `example.com/shop` for all of `https://ci@example.com/shop.git`,
    /// `ssh://git@example.com:2222/shop` and `git@example.com:shop.git`; a path where it is one of this machine.
    #[must_use]
    pub fn name(&self) -> String {
        let url = self.url.as_str();
        let (authority, path) = match url.split_once("://") {
            Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
            None if is_ssh(url) => url.split_once(':').unwrap_or_default(),
            None => ("", url),
        };
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let mut parts = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        format!("{host}/{}", path.strip_suffix(".git").unwrap_or(&path))
    }

    /// User and password, when the address had both.
    pub(super) const fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Name of the mirror's directory: the same address has the same.
    pub(super) fn directory_name(&self) -> String {
        format!("{}.git", hex(&Sha256::digest(self.url.as_bytes())[..12]))
    }
}

/// Git takes `host:path` for SSH when no `/` comes before the first `:`.
fn is_ssh(text: &str) -> bool {
    text.split_once(':').is_some_and(|(host, _)| !host.is_empty() && !host.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_run_something_are_refused() {
        let root = Utf8Path::new("/home/me/shop");
        let url = |text| Repository::parse(text, root).map(|repository| repository.url);
        for fine in [
            "https://example.com/shop.git",
            "ssh://git@example.com:2222/shop",
            "git@example.com:shop.git",
            "/srv/git/shop",
            "file:///srv/git/shop",
        ] {
            assert_eq!(url(fine), Ok(fine.to_owned()));
        }
        assert_eq!(url("../shop.git"), Ok("/home/me/shop/../shop.git".to_owned()));
        for bad in [
            "",
            "-oProxyCommand=x",
            "ext::sh -c x",
            "http://example.com/x",
            "ssh://-oProxyCommand=x/y",
            "git@-x:y",
            "-x:y",
            "ssh://me@-x/y",
            "ssh://me:s3cret@example.com/x",
            "git://example.com/x",
            "a\nb",
        ] {
            assert!(matches!(url(bad), Err(SourceFailure::BadRepository { .. })), "{bad}");
        }
    }

    #[test]
    fn a_repository_has_one_name_whatever_leads_to_it() {
        let name =
            |text| Repository::parse(text, Utf8Path::new("/home/me/shop")).expect("a repository").name();
        for same in [
            "https://example.com/team/shop.git",
            "https://ci:t0ken@Example.com/team/shop",
            "https://me@example.com:8443/team/shop/",
            "ssh://git@example.com:2222/team/shop.git",
            "git@example.com:team/shop.git",
            "example.com:/team/shop",
        ] {
            assert_eq!(name(same), "example.com/team/shop", "{same}");
        }
        for same in ["/srv/git/shop.git", "file:///srv/git/shop", "../../../srv/git/./shop.git/"] {
            assert_eq!(name(same), "/srv/git/shop", "{same}");
        }
        assert_ne!(name("git@example.com:other/shop.git"), name("git@example.com:team/shop.git"));
    }

    #[test]
    fn passwords_are_not_shown() {
        let repository = |text| Repository::parse(text, Utf8Path::new("/")).expect("a repository");
        let with = repository("https://me:s3cret@example.com/x@y");
        assert_eq!((with.url(), with.credentials().is_some()), ("https://example.com/x@y", true));
        assert!(!format!("{with:?}").contains("s3cret"), "{with:?}");
        // A job of continuous integration has another password each time, and the same mirror.
        assert_eq!(with.directory_name(), repository("https://ci:other@example.com/x@y").directory_name());
        let without = repository("https://me@example.com/x");
        assert_eq!((without.url(), without.credentials()), ("https://me@example.com/x", None));
    }
}
