//! How one release is started: what of the configuration belongs to the release and not to the place that it runs in.
//!
//! `deploy` writes it beside the environment, for each colour that the host has, and whatever starts that release later reads it
//! there: the start itself, the way back to a warm colour, `rollback`, `migrate`, `exec`. A deployment of a release that has one already
//! writes a candidate first, which becomes the release's own only to be started by, and no longer than that deployment lasts: see
//! [`Renewal`](super::Renewal). What a slot was started by is noted there too, so that it is also stopped by it.
//!
//! | of the release, as it was deployed | of the site, as `cutover.toml` says now |
//! |---|---|
//! | words of `start`, and of the driver `command` | what the placeholders in them stand for: ports, addresses, directory |
//! | `env`, `env-file` | kind of driver, `user`, `unit`, `stop-timeout`: root's unit template has them |
//! | | hosts, health check, smoke tests, router |
//!
//! A release that was deployed before such files were written starts by `cutover.toml`.
//!
//! # What a forged one can do
//! It comes from a host and goes back to the same host, over the same connection: its words are filled with values of the local
//! configuration and run there as the user that could write the file (or as `app.user`, whose script that user writes anyway), never as
//! root and never on another host. So a host can only make itself run something, which it could before. It is bounded like every
//! answer, and it is shown to nobody: people are told which keys differ, not the words.

use cutover_host::manifest::ContentDigest;
use cutover_host::operation::Operation;
use serde::{Deserialize, Serialize};

use super::drive::read;
use super::{DriverFailure, Slot};
use crate::model::{Driver, ReleaseId};
use crate::transport::Link;

/// Bytes of the file at most.
pub(super) const LIMIT: u64 = 1 << 20;

/// The version of the format that is written. In the first one, nothing said which environment belongs to it.
const VERSION: u32 = 2;

/// How one release is started in one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Launch {
    version: u32,
    /// `app.start`, placeholders unfilled.
    pub(super) start: Vec<String>,
    /// `app.env-file`, as it is written.
    pub(super) env_files: Vec<String>,
    /// Programs of the driver `command`; none where it was another, and then they are the configuration's.
    pub(super) programs: Option<Programs>,
    /// Digest of `env` as it is written: of texts and names of secrets, never of a secret.
    env: String,
    /// Where it was to listen: the environment was filled in for that.
    listen: String,
    /// The deployment that wrote it, and the environment that goes with it.
    #[serde(default)]
    pub(super) written: Option<String>,
}

/// Programs of the driver `command`, placeholders unfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Programs {
    pub(super) start: Vec<String>,
    pub(super) stop: Vec<String>,
    pub(super) status: Vec<String>,
}

impl Launch {
    /// As the configuration has it now.
    #[must_use]
    pub fn configured(slot: &Slot<'_>) -> Self {
        let application = &slot.deployment.application;
        let own = application.color(slot.color);
        let mut env = application.env.clone();
        env.extend(own.env.clone());
        let programs = match &application.driver {
            Driver::Command { start, stop, status } => {
                Some(Programs { start: start.clone(), stop: stop.clone(), status: status.clone() })
            }
            Driver::Systemd { .. } | Driver::Detached => None,
        };
        Self {
            version: VERSION,
            start: application.start.clone(),
            env_files: application.env_files.clone(),
            programs,
            env: ContentDigest::of(format!("{env:?}").as_bytes()).to_string(),
            listen: format!("{}:{}", slot.placeholders("").listen(), own.port),
            written: None,
        }
    }

    /// The same, as this deployment writes it.
    #[must_use]
    pub fn written_by(self, deployment: &str) -> Self {
        Self { written: Some(deployment.to_owned()), ..self }
    }

    /// Whether the environment that was written with it is right where `other` is: what it says of ports and addresses is filled in.
    #[must_use]
    pub fn listens_as(&self, other: &Self) -> bool {
        self.listen == other.listen
    }

    /// Whether it was to listen on another port than `other`.
    #[must_use]
    pub fn has_other_port(&self, other: &Self) -> bool {
        let port = |launch: &Self| launch.listen.rsplit(':').next().map(str::to_owned);
        port(self) != port(other)
    }

    /// The same words with the environment of `other`.
    #[must_use]
    pub fn with_environment_of(self, other: &Self) -> Self {
        Self { env: other.env.clone(), listen: other.listen.clone(), ..self }
    }

    /// Keys of `[app]` that say something else in `now`.
    #[must_use]
    pub fn departures(&self, now: &Self) -> Vec<&'static str> {
        // Where one of the two had another kind of driver, that is the site's.
        let programs = self.programs.is_some() && now.programs.is_some() && self.programs != now.programs;
        let keys = [
            ("start", self.start != now.start),
            ("env", self.env != now.env),
            ("env-file", self.env_files != now.env_files),
            ("driver", programs),
        ];
        keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    /// The operation that keeps it in a file, 0600 like the environment.
    ///
    /// # Errors
    /// When it is longer than what is read back.
    pub(super) fn write(&self, path: String) -> Result<Operation, DriverFailure> {
        let content = self.content(&path)?.into();
        Ok(Operation::Write { path, beneath: None, content, mode: Some(0o600) })
    }

    /// What the file at `path` has of it.
    ///
    /// # Errors
    /// As [`Launch::write`].
    pub(super) fn content(&self, path: &str) -> Result<Vec<u8>, DriverFailure> {
        let malformed = |why: String| DriverFailure::Launch { path: path.to_owned(), why };
        let content = serde_json::to_vec(self).map_err(|error| malformed(error.to_string()))?;
        if content.len() as u64 > LIMIT {
            return Err(malformed(format!("it is longer than {LIMIT} bytes")));
        }
        Ok(content)
    }

    /// What was kept of a release in a slot; none when nothing was.
    ///
    /// # Errors
    /// When the host does not answer, or what it has can't be read: another program must not be started for it.
    pub async fn kept(
        link: &dyn Link,
        slot: &Slot<'_>,
        release: &ReleaseId,
    ) -> Result<Option<Self>, DriverFailure> {
        Self::read(link, slot.launch_file(release)).await
    }

    /// What a file has; none when there is none.
    pub(super) async fn read(link: &dyn Link, path: String) -> Result<Option<Self>, DriverFailure> {
        let Some(content) = read(link, path.clone(), LIMIT).await? else { return Ok(None) };
        parse(&content).map(Some).map_err(|why| DriverFailure::Launch { path, why })
    }

    /// What a release is started and stopped by in a slot: what was kept of it, else the configuration.
    ///
    /// # Errors
    /// As [`Launch::kept`].
    pub async fn of(link: &dyn Link, slot: &Slot<'_>, release: &ReleaseId) -> Result<Self, DriverFailure> {
        Ok(Self::kept(link, slot, release).await?.unwrap_or_else(|| Self::configured(slot)))
    }
}

pub(super) fn parse(content: &[u8]) -> Result<Launch, String> {
    /// What can be read in any version.
    #[derive(Deserialize)]
    struct Probe {
        version: u32,
    }
    let probe: Probe = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    if probe.version > VERSION {
        return Err(format!("a newer cutover wrote it, in version {}", probe.version));
    }
    let launch: Launch = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    let programs = launch.programs.iter().flat_map(|found| [&found.start, &found.stop, &found.status]);
    if std::iter::once(&launch.start).chain(programs).any(Vec::is_empty) {
        return Err("a command without words".to_owned());
    }
    if !launch.written.as_deref().is_none_or(is_deployment) {
        return Err("it was written by what is no deployment".to_owned());
    }
    Ok(launch)
}

/// Whether it can be the identifier of a deployment: it becomes part of the names of files.
fn is_deployment(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::model::{Color, Deployment, EnvValue};

    fn configured(change: impl Fn(&mut Deployment)) -> Launch {
        let mut deployment = sample::deployment(Driver::Detached);
        change(&mut deployment);
        let host = sample::name("web1");
        let slot = Slot::new(&deployment, &host, Color::Blue, &sample::facts("deploy", 1000));
        Launch::configured(&slot.expect("a slot"))
    }

    #[test]
    fn what_belongs_to_the_release_is_told_from_what_is_the_sites() {
        let before = configured(|_| {});
        let departures = |change: &dyn Fn(&mut Deployment)| before.departures(&configured(change));
        assert_eq!(departures(&|deployment| deployment.application.start.push("--new".into())), ["start"]);
        assert_eq!(departures(&|deployment| deployment.application.env_files.clear()), ["env-file"]);
        let env = |deployment: &mut Deployment| {
            let text = EnvValue::Text("1".to_owned());
            deployment.application.blue.env.insert("DEBUG".to_owned(), text);
        };
        assert_eq!(departures(&env), ["env"]);
        let site = |deployment: &mut Deployment| {
            deployment.application.blue.port = 4099;
            deployment.application.user = Some("shop".into());
            let word = || vec!["ctl".to_owned()];
            deployment.application.driver = Driver::Command { start: word(), stop: word(), status: word() };
        };
        assert_eq!(departures(&site), [] as [&str; 0]);
        assert!(before.listens_as(&configured(env)));
        assert!(!before.listens_as(&configured(site)));
        assert!(before.has_other_port(&configured(site)));
        let address = |deployment: &mut Deployment| deployment.application.listen = "0.0.0.0".to_owned();
        assert!(!before.listens_as(&configured(address)));
        assert!(!before.has_other_port(&configured(address)));
    }

    #[test]
    fn what_a_host_gives_back_is_checked() {
        let launch = configured(|_| {});
        let text = serde_json::to_string(&launch).expect("JSON");
        assert_eq!(parse(text.as_bytes()), Ok(launch));
        let refused = |text: &str| parse(text.as_bytes()).expect_err("refused");
        assert_eq!(refused("{\"version\":3}"), "a newer cutover wrote it, in version 3");
        assert!(refused("{\"version\":1}").contains("missing field `start`"));
        assert!(refused("").contains("EOF"));
        let wordless = text.replace("[\"bin/shop\",\"--port\",\"{port}\"]", "[]");
        assert_eq!(refused(&wordless), "a command without words");
        let elsewhere = text.replace("\"written\":null", "\"written\":\"../../etc/x\"");
        assert_eq!(refused(&elsewhere), "it was written by what is no deployment");
        let first = text.replace("\"version\":2", "\"version\":1").replace(",\"written\":null", "");
        assert_eq!(parse(first.as_bytes()).map(|launch| launch.written), Ok(None));
    }
}
