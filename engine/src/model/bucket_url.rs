//! Where an object store keeps the state.

use std::fmt;

/// What messages call an object store where they would name a host.
pub const BUCKET_NAME: &str = "object-store";

/// A kind of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketKind {
    /// Amazon S3, and what speaks like it: `s3://BUCKET/PREFIX`.
    S3,
    /// Google Cloud Storage: `gs://BUCKET/PREFIX`.
    Gcs,
    /// Azure Blob Storage: `az://CONTAINER/PREFIX`.
    Azure,
}

impl BucketKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::S3, Self::Gcs, Self::Azure];

    /// What its URLs begin with, before `://`.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
        }
    }

    /// What the variables of the environment begin with that tell where it is and who we are.
    #[must_use]
    pub const fn variables(self) -> &'static str {
        match self {
            Self::S3 => "AWS_",
            Self::Gcs => "GOOGLE_",
            Self::Azure => "AZURE_",
        }
    }

    /// Those of these variables that suffice, and the one that leads elsewhere than to the vendor's own.
    #[must_use]
    pub const fn sufficient(self) -> [&'static str; 2] {
        match self {
            Self::S3 => ["AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"],
            Self::Gcs => ["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_BASE_URL"],
            Self::Azure => {
                ["AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ENDPOINT"]
            }
        }
    }

    /// Headers by which an object is put only where there is none, and only over the version that was seen.
    #[must_use]
    pub const fn conditions(self) -> [&'static str; 2] {
        match self {
            Self::S3 | Self::Azure => ["If-None-Match", "If-Match"],
            Self::Gcs => ["x-goog-if-generation-match"; 2],
        }
    }
}

/// A bucket, and the prefix of every object of ours in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUrl {
    kind: BucketKind,
    bucket: String,
    prefix: String,
}

impl BucketUrl {
    /// Reads `SCHEME://BUCKET[/PREFIX]`.
    ///
    /// # Errors
    /// What is wrong, in words that go on after the text itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = "is no URL of an object store";
        let (scheme, rest) = text.split_once("://").ok_or(form)?;
        let kind = BucketKind::ALL.into_iter().find(|kind| kind.scheme() == scheme).ok_or(form)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if bucket.is_empty() || !bucket.chars().all(is_plain) {
            return Err(
                "needs the name of a bucket after `://`: letters, digits, `-`, `_` and `.`".to_owned()
            );
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(is_plain);
        if !prefix.is_empty() && !prefix.split('/').all(is_part) {
            return Err(
                "has a prefix that is not made of letters, digits, `-`, `_`, `.` and single `/`".to_owned()
            );
        }
        Ok(Self { kind, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> BucketKind {
        self.kind
    }

    /// `SCHEME://BUCKET`.
    #[must_use]
    pub fn root(&self) -> String {
        format!("{}://{}", self.kind.scheme(), self.bucket)
    }

    /// What every name begins with, without a last `/`; may be empty.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root())?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let url = BucketUrl::parse("s3://acme-state/deploy/eu/").expect("a URL");
        assert_eq!(
            (url.kind(), url.root().as_str(), url.prefix()),
            (BucketKind::S3, "s3://acme-state", "deploy/eu")
        );
        assert_eq!(url.to_string(), "s3://acme-state/deploy/eu");
        assert_eq!(BucketUrl::parse("gs://b").expect("a URL").to_string(), "gs://b");
        assert_eq!(BucketUrl::parse("az://b/").expect("a URL").prefix(), "");
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "web1", "/var/lib/state", "file:///tmp", "https://b/x", "S3://b"] {
            assert_eq!(BucketUrl::parse(text), Err("is no URL of an object store".to_owned()), "{text}");
        }
        for text in ["s3://", "s3:///x", "s3://a b", "s3://user:pass@b/x", "s3://b?x=1"] {
            assert!(BucketUrl::parse(text).is_err_and(|why| why.starts_with("needs the name")), "{text}");
        }
        for text in ["s3://b//x", "s3://b/../x", "s3://b/x//", "s3://b/x y", "s3://b/x?y"] {
            assert!(BucketUrl::parse(text).is_err_and(|why| why.starts_with("has a prefix")), "{text}");
        }
    }
}
