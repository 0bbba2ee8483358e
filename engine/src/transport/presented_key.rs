//! The key by which a host proves itself now: asked for, compared with what the project pins, and pinned.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::host_key::HostKey;
use super::ssh::SshConnector;
use super::{Failure, PinnedKeys};
use crate::model::Destination;

/// Until the host has proven that it has its key; `ssh` itself gives up earlier unless it has to jump.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of what `ssh` says, so much is read.
const LONGEST: u64 = 64 << 10;
/// What the host is called in the file that `ssh` writes its key to.
const CALLED: &str = "asked";

/// The key that a host has now.
#[derive(Debug)]
pub struct PresentedKey {
    destination: String,
    key: HostKey,
    /// Keys that the project pins for it.
    pinned: Vec<HostKey>,
}

impl PresentedKey {
    /// Asks for it on the way that connections take, jumps and aliases included. The host has proven that it has the key; nobody has
    /// logged in.
    pub(super) async fn ask(connector: &SshConnector) -> Result<Self, Failure> {
        let destination = connector.destination()?;
        let pinned = connector.settings.pinned.of(&destination).to_vec();
        let key = ask(connector, &destination).await?;
        Ok(Self { destination: connector.destination.clone(), key, pinned })
    }

    /// `ssh-ed25519` and the like.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.key.kind()
    }

    /// As `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint()
    }

    /// Whether it is one of those that the project pins.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.pinned.contains(&self.key)
    }

    /// Fingerprints of what the project pins instead; none when it is pinned, or nothing is.
    #[must_use]
    pub fn pinned_instead(&self) -> Vec<String> {
        if self.is_pinned() { Vec::new() } else { self.pinned.iter().map(HostKey::fingerprint).collect() }
    }

    /// Pins these keys, each as the only one of its host.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn pin(keys: impl IntoIterator<Item = Self>, pinned: &PinnedKeys) -> io::Result<()> {
        let parsed = |pins: PinnedKeys, presented: Self| match Destination::parse(&presented.destination) {
            Some(destination) => pins.with(&destination, presented.key),
            None => pins,
        };
        keys.into_iter().fold(pinned.clone(), parsed).save()
    }
}

async fn ask(connector: &SshConnector, destination: &Destination<'_>) -> Result<HostKey, Failure> {
    let _turn = connector.turns.acquire().await;
    let failed = |error: io::Error| connector.unreachable(error);
    let directory = tempfile::tempdir_in(&connector.settings.control_directory).map_err(failed)?;
    let learnt = directory.path().join("known_hosts");
    let mut command = Command::new("ssh");
    command.arg("-F").arg(connector.config_file().await?);
    if let Some(port) = destination.port {
        command.arg("-p").arg(port.to_string());
    }
    // The first method, "none", tells which others there are. As none of those is tried, the login is refused.
    for option in [
        "StrictHostKeyChecking=accept-new",
        &format!("UserKnownHostsFile=\"{}\"", learnt.display()),
        "GlobalKnownHostsFile=none",
        &format!("HostKeyAlias={CALLED}"),
        "HashKnownHosts=no",
        "PreferredAuthentications=none",
        "ControlPath=none",
        "LogLevel=ERROR",
    ] {
        command.arg("-o").arg(option);
    }
    command.arg("--").arg(destination.login()).arg("true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    let mut said = Vec::new();
    let ending = async {
        if let Some(errors) = child.stderr.take() {
            errors.take(LONGEST).read_to_end(&mut said).await?;
        }
        child.wait().await
    };
    match tokio::time::timeout(PATIENCE, ending).await {
        Ok(ended) => drop(ended.map_err(failed)?),
        Err(_) => return Err(connector.unreachable(format!("no key within {} s", PATIENCE.as_secs()))),
    }
    let found = tokio::fs::read_to_string(&learnt).await.unwrap_or_default();
    let key = found.lines().find_map(|line| match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        [CALLED, kind, encoded] => HostKey::parse(kind, encoded),
        _ => None,
    });
    key.ok_or_else(|| connector.explain(&String::from_utf8_lossy(&said)))
}
