//! Reading objects, and putting them only on a condition.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::FaultKind;
use futures_util::future::try_join_all;
use object_store::path::Path;
use object_store::{
    ClientOptions, Error, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, RetryConfig,
    UpdateVersion,
};

use super::fault;
use crate::model::{BucketKind, BucketUrl, one_line};
use crate::transport::Failure;

/// Objects read at once.
const AT_ONCE: usize = 16;

/// For one request.
const REQUEST: Duration = Duration::from_secs(15);

/// For a request with all that is sent again when the store answers that it is busy.
const PATIENCE: Duration = Duration::from_secs(25);

/// The objects below one path of a store.
#[derive(Clone)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    root: Path,
    url: String,
    conditions: [&'static str; 2],
}

/// An object as it was read.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) content: Vec<u8>,
    pub(super) version: Version,
    /// Milliseconds since 1970 by the store's clock, in whole seconds where it tells no more.
    pub(super) changed_ms: u64,
}

/// Which version of an object was seen: what the store calls it, and the number that it carries.
#[derive(Debug, Clone)]
pub(super) struct Version {
    is: UpdateVersion,
    number: u64,
}

/// Before the number at the end of each object that is changed.
const NUMBER: &str = "# version ";

/// Bytes of the line with the number.
const NUMBER_LINE: usize = NUMBER.len() + 21;

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.url).finish()
    }
}

impl Objects {
    pub(super) fn open<'a>(
        url: &BucketUrl,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Failure> {
        let unusable = |error: Error| {
            Failure::Unreachable(format!("object store `{url}` can't be reached: {}", told(&error)))
        };
        let root = Path::parse(url.prefix()).map_err(|error| unusable(error.into()))?;
        // The one that the rest of the program speaks TLS with; a second one to be installed is refused, and not needed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = store(url, variables).map_err(unusable)?;
        Ok(Self { store, root, url: url.to_string(), conditions: url.kind().conditions() })
    }

    /// Those of a store in memory.
    #[cfg(test)]
    pub(super) fn of(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        let conditions = BucketKind::S3.conditions();
        Self { store, root: Path::from(prefix), url: "memory://".to_owned(), conditions }
    }

    /// An object; none when it is not there.
    pub(super) async fn get(&self, name: &str, limit: u64) -> Result<Option<Seen>, Failure> {
        let found = match self.store.get(&self.path(name)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.unread(&error)),
        };
        if found.meta.size > limit + NUMBER_LINE as u64 {
            let message = format!("`{name}` in `{}` is larger than {limit} bytes", self.url);
            return Err(fault(FaultKind::TooLarge, message));
        }
        let (meta, is) = (
            found.meta.clone(),
            UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() },
        );
        let mut content = found.bytes().await.map_err(|error| self.unread(&error))?.to_vec();
        let number = take_number(&mut content);
        let changed_ms = u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or_default();
        Ok(Some(Seen { content, version: Version { is, number }, changed_ms }))
    }

    /// Puts an object where there is none, or over exactly the version `over`. Answers whether it is so.
    ///
    /// Stores may name versions by their content alone, and then one that was seen would seem to be there still when the same content has
    /// come back after another. So each version carries a number, one more than the version that it was put over: none comes back.
    pub(super) async fn put(
        &self,
        name: &str,
        mut content: Vec<u8>,
        over: Option<Version>,
    ) -> Result<bool, Failure> {
        let number = over.as_ref().map_or(1, |over| over.number.wrapping_add(1));
        content.extend_from_slice(number_line(number).as_bytes());
        self.put_as_it_is(name, content, over.map_or(PutMode::Create, |over| PutMode::Update(over.is))).await
    }

    /// Puts an object where there is none, which is never changed. Answers whether it is so.
    pub(super) async fn create(&self, name: &str, content: Vec<u8>) -> Result<bool, Failure> {
        self.put_as_it_is(name, content, PutMode::Create).await
    }

    async fn put_as_it_is(&self, name: &str, content: Vec<u8>, mode: PutMode) -> Result<bool, Failure> {
        let path = self.path(name);
        match self.store.put_opts(&path, content.into(), PutOptions::from(mode)).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.unwritten(&error)),
        }
    }

    /// Sizes of the objects directly below a name, by the last part of theirs, in order.
    pub(super) async fn list(&self, name: &str) -> Result<Vec<(String, u64)>, Failure> {
        let path = self.path(name);
        let listed =
            self.store.list_with_delimiter(Some(&path)).await.map_err(|error| self.unread(&error))?;
        let part = |path: &Path| path.filename().unwrap_or_default().to_owned();
        let mut found: Vec<_> = listed.objects.iter().map(|meta| (part(&meta.location), meta.size)).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Names directly below one, of objects and of what has objects below it, in order.
    pub(super) async fn names(&self, name: &str) -> Result<Vec<String>, Failure> {
        let path = self.path(name);
        let listed =
            self.store.list_with_delimiter(Some(&path)).await.map_err(|error| self.unread(&error))?;
        // What was removed has its number alone.
        let is_there = |meta: &ObjectMeta| meta.size > 0 && meta.size != NUMBER_LINE as u64;
        let objects = listed.objects.into_iter().filter(is_there).map(|meta| meta.location);
        let paths = objects.chain(listed.common_prefixes);
        let mut names: Vec<_> = paths.filter_map(|path| path.filename().map(str::to_owned)).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Objects below a name, one after the other.
    pub(super) async fn concat(&self, name: &str, parts: &[String], limit: u64) -> Result<Vec<u8>, Failure> {
        let mut whole = Vec::new();
        for parts in parts.chunks(AT_ONCE) {
            let gets: Vec<_> = parts.iter().map(|part| self.part(format!("{name}/{part}"), limit)).collect();
            whole.extend(try_join_all(gets).await?.into_iter().flatten());
        }
        Ok(whole)
    }

    async fn part(&self, name: String, limit: u64) -> Result<Vec<u8>, Failure> {
        let gone = || Failure::Broken(format!("`{name}` in `{}` is gone", self.url));
        self.get(&name, limit).await?.map(|seen| seen.content).ok_or_else(gone)
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), Failure> {
        match self.store.delete(&self.path(name)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.unwritten(&error)),
        }
    }

    /// The store's clock, in milliseconds since 1970: when it says that an object written now was written.
    pub(super) async fn now_ms(&self) -> Result<u64, Failure> {
        let path = self.root.clone().join("clock");
        self.store.put(&path, Vec::new().into()).await.map_err(|error| self.unwritten(&error))?;
        let meta = self.store.head(&path).await.map_err(|error| self.unread(&error))?;
        Ok(u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or_default())
    }

    /// The store, for messages.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Headers of the conditions of [`Self::put`], for messages: that there is none, and that it is the version that was seen.
    pub(super) const fn conditions(&self) -> [&'static str; 2] {
        self.conditions
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').filter(|part| !part.is_empty()).fold(self.root.clone(), |path, part| path.join(part))
    }

    /// A store that was only to be read did nothing, whatever went wrong.
    fn unread(&self, error: &Error) -> Failure {
        self.refusal(error).unwrap_or_else(|| {
            Failure::Unreachable(format!("object store `{}` can't be reached: {}", self.url, told(error)))
        })
    }

    fn unwritten(&self, error: &Error) -> Failure {
        self.refusal(error)
            .unwrap_or_else(|| Failure::Broken(format!("object store `{}`: {}", self.url, told(error))))
    }

    /// What the store said no to.
    fn refusal(&self, error: &Error) -> Option<Failure> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others may come from the way to the store")]
        let kind = match error {
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => FaultKind::Permission,
            Error::NotSupported { .. } | Error::NotImplemented { .. } => FaultKind::NotAllowed,
            Error::NotFound { .. } => FaultKind::NotFound,
            _ => return None,
        };
        Some(fault(kind, format!("`{}`: {}", self.url, told(error))))
    }
}

fn number_line(number: u64) -> String {
    format!("{NUMBER}{number:020}\n")
}

/// Takes the number off the end of an object; 0 where there is none, as in those of earlier builds.
fn take_number(content: &mut Vec<u8>) -> u64 {
    let Some(at) = content.len().checked_sub(NUMBER_LINE) else { return 0 };
    let line = content.get(at..).and_then(|line| std::str::from_utf8(line).ok());
    let digits = line.and_then(|line| line.strip_prefix(NUMBER)?.strip_suffix('\n'));
    let Some(number) = digits.and_then(|digits| digits.parse().ok()) else { return 0 };
    content.truncate(at);
    number
}

/// The store of a kind, with what the environment tells of it.
fn store<'a>(
    url: &BucketUrl,
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Arc<dyn ObjectStore>, Error> {
    let retry = RetryConfig { max_retries: 3, retry_timeout: PATIENCE, ..RetryConfig::default() };
    let client = ClientOptions::new().with_timeout(REQUEST).with_connect_timeout(REQUEST);
    let root = url.root();
    macro_rules! built {
        ($builder:ty) => {{
            let builder = <$builder>::new().with_url(root).with_retry(retry).with_client_options(client);
            let known = |(name, value): (&str, &'a str)| {
                name.to_ascii_lowercase().parse().ok().map(|key| (key, value))
            };
            let set = variables.into_iter().filter_map(known);
            Arc::new(set.fold(builder, |builder, (key, value)| builder.with_config(key, value)).build()?)
        }};
    }
    Ok(match url.kind() {
        BucketKind::S3 => built!(object_store::aws::AmazonS3Builder),
        BucketKind::Gcs => built!(object_store::gcp::GoogleCloudStorageBuilder),
        BucketKind::Azure => built!(object_store::azure::MicrosoftAzureBuilder),
    })
}

/// An error with its causes, in one line.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    // What was asked, how long it took and how often is before it.
    let why = text.split_once(" - ").map_or(text.as_str(), |(_, why)| why);
    one_line(why)
}
