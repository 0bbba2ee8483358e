//! Where an artifact is in a registry (OCI Distribution Specification 1.1, "Pulling manifests").

use std::fmt;

use super::ComponentDigest;
use super::grant::Origin;

/// How a reference begins.
pub(super) const OCI: &str = "oci://";
/// Bytes of the longest name that a registry has to take ("Pulling manifests": with the registry's own, 255).
const LONGEST_REPOSITORY: usize = 255;
/// Characters of the longest tag.
const LONGEST_TAG: usize = 128;

/// `oci://registry/repository:tag`, or `…@sha256:DIGEST` of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciReference {
    /// Where requests go: `https`, and `http` where the registry is an address of this machine, such as 127.0.0.1, and so nobody lies between.
    pub registry: Origin,
    /// `team/hooks/lb`.
    pub repository: String,
    /// What is meant of the repository.
    pub version: OciVersion,
}

/// Which of a repository's artifacts is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OciVersion {
    /// A name that its owner can give to another one.
    Tag(String),
    /// The SHA-256 of its manifest.
    Manifest(ComponentDigest),
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {reason}")]
pub struct OciReferenceFault {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl OciReference {
    /// Takes a reference apart. Nothing is filled in: neither a registry nor `latest`.
    ///
    /// # Errors
    /// When a part is missing, or is not as the specification says.
    pub fn parse(text: &str) -> Result<Self, OciReferenceFault> {
        let fault = |reason| {
            let text = if text.len() > 512 {
                text.chars().take(64).chain(['…']).collect()
            } else {
                text.to_owned()
            };
            OciReferenceFault { text, reason }
        };
        let rest = text.strip_prefix(OCI).ok_or_else(|| fault("does not begin with `oci://`"))?;
        let (registry, rest) = rest
            .split_once('/')
            .ok_or_else(|| fault("has no repository: `oci://REGISTRY/REPOSITORY:TAG`"))?;
        let (repository, version) = match rest.split_once('@') {
            Some((repository, digest)) => {
                let digest = digest.strip_prefix("sha256:").and_then(ComponentDigest::parse);
                let digest = digest
                    .ok_or_else(|| fault("has no digest behind `@`: `sha256:` and 64 hexadecimal digits"))?;
                (repository, OciVersion::Manifest(digest))
            }
            None => {
                let (repository, tag) = rest.split_once(':').ok_or_else(|| {
                    fault("has neither tag nor digest, and none is assumed: `:TAG` or `@sha256:…`")
                })?;
                if !is_tag(tag) {
                    return Err(fault("has no valid tag: letters, digits, `_`, `.` and `-`, at most 128"));
                }
                (repository, OciVersion::Tag(tag.to_owned()))
            }
        };
        if repository.contains(':') {
            return Err(fault("has a tag and a digest: one of them says which artifact is meant"));
        }
        if !is_repository(repository) {
            return Err(fault(
                "has no valid repository: parts of lower-case letters and digits, with `.`, `_` or `-` inside, joined by `/`",
            ));
        }
        let registry = registry_origin(registry)
            .ok_or_else(|| fault("has no valid registry: a name or an address, and a port where needed"))?;
        Ok(Self { registry, repository: repository.to_owned(), version })
    }

    /// The same repository's artifact with this manifest.
    #[must_use]
    pub fn with_manifest(&self, manifest: ComponentDigest) -> Self {
        Self { version: OciVersion::Manifest(manifest), ..self.clone() }
    }

    /// Whether both are in the same repository of the same registry.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        (&self.registry, &self.repository) == (&other.registry, &other.repository)
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OCI}{}/{}", self.registry.authority(), self.repository)?;
        match &self.version {
            OciVersion::Tag(tag) => write!(f, ":{tag}"),
            OciVersion::Manifest(digest) => write!(f, "@{digest}"),
        }
    }
}

/// Where requests to a registry of this name go.
fn registry_origin(name: &str) -> Option<Origin> {
    let encrypted = Origin::parse(&format!("https://{name}")).ok().filter(|_| !name.ends_with('/'))?;
    if encrypted.is_loopback() { Origin::parse(&format!("http://{name}")).ok() } else { Some(encrypted) }
}

fn is_tag(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !text.starts_with(['.', '-']) && (1..=LONGEST_TAG).contains(&text.len()) && text.bytes().all(is_inside)
}

fn is_repository(text: &str) -> bool {
    text.len() <= LONGEST_REPOSITORY && text.split('/').all(is_part)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_part(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = text.split(is_letter).filter(|separator| !separator.is_empty());
    text.starts_with(is_letter)
        && text.ends_with(is_letter)
        && separators
            .into_iter()
            .all(|it| matches!(it, "." | "_" | "__") || it.bytes().all(|byte| byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_registry_repository_and_version() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, registry) in [
            ("oci://registry.example.com/hooks/lb:1.2", "https://registry.example.com"),
            ("oci://registry.example.com:5000/lb:v1_2-rc.1", "https://registry.example.com:5000"),
            ("oci://127.0.0.1:5000/team/a.b_c__d---e/lb:1", "http://127.0.0.1:5000"),
            ("oci://127.9.9.9/lb:1", "http://127.9.9.9"),
            ("oci://[::1]:5000/lb:1", "http://[::1]:5000"),
            // A name is what a resolver makes of it.
            ("oci://localhost:5000/lb:1", "https://localhost:5000"),
            (&format!("oci://registry.example.com/lb@{digest}"), "https://registry.example.com"),
        ] {
            let reference = OciReference::parse(text).expect(text);
            assert_eq!(
                (reference.registry.to_string().as_str(), reference.to_string().as_str()),
                (registry, text)
            );
        }
        let reference = OciReference::parse("oci://Registry.Example.COM:443/lb:1").expect("a reference");
        assert_eq!(reference.to_string(), "oci://registry.example.com/lb:1");
        let pinned = reference.with_manifest(ComponentDigest::of_bytes([10; 32]));
        assert_eq!(pinned.to_string(), format!("oci://registry.example.com/lb@{digest}"));
        assert!(pinned.is_beside(&reference));
    }

    #[test]
    fn nothing_is_guessed() {
        for (text, reason) in [
            ("registry.example.com/lb:1", "does not begin"),
            ("oci://registry.example.com", "has no repository"),
            ("oci://registry.example.com/lb", "has neither tag nor digest"),
            ("oci://registry.example.com/lb:", "has no valid tag"),
            ("oci://registry.example.com/lb:-1", "has no valid tag"),
            ("oci://registry.example.com/lb:1/../2", "has no valid tag"),
            ("oci://registry.example.com/lb:1?x=y", "has no valid tag"),
            ("oci://registry.example.com/lb@sha512:00", "has no digest"),
            (&format!("oci://registry.example.com/lb@{}", "0".repeat(64)), "has no digest"),
            (&format!("oci://registry.example.com/lb:1@sha256:{}", "0".repeat(64)), "has a tag and a digest"),
            ("oci://registry.example.com/:1", "has no valid repository"),
            ("oci://registry.example.com/Lb:1", "has no valid repository"),
            ("oci://registry.example.com/a//b:1", "has no valid repository"),
            ("oci://registry.example.com/../b:1", "has no valid repository"),
            ("oci://registry.example.com/a._b:1", "has no valid repository"),
            ("oci://registry.example.com/a%2fb:1", "has no valid repository"),
            ("oci:///lb:1", "has no valid registry"),
            ("oci://me:pw@registry.example.com/lb:1", "has no valid registry"),
            ("oci://127.1/lb:1", "has no valid registry"),
            ("oci://registry.example.com:0/lb:1", "has no valid registry"),
            ("oci://registry.example.com?x/lb:1", "has no valid registry"),
        ] {
            let fault = OciReference::parse(text).expect_err(text);
            assert!(fault.reason.starts_with(reason), "{fault}");
        }
    }
}
