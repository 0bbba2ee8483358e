//! What `cutover check` shows when the configuration is right, and what `--hosts` adds.

use serde::Serialize;

/// A configuration without faults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckView {
    /// `shop/production`.
    pub title: String,
    /// The file, as the user may open it.
    pub file: String,
    /// Names of its hosts.
    pub hosts: Vec<String>,
    /// Its hooks.
    pub hooks: Vec<CheckedHook>,
    /// What is allowed but perhaps not meant, as it is shown: the first line begins with `warning[CODE]: `.
    pub warnings: Vec<String>,
    /// What hosts said; empty without `--hosts`.
    pub host_checks: HostChecks,
    /// What the front doors show; empty without `--hosts`.
    pub front_doors: Vec<Finding>,
}

/// A hook that loads, exports its kind, and accepts its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedHook {
    /// `build`, `router`, a smoke test's name.
    pub title: String,
    /// `builtin:nginx`, or the file or URL that the configuration names.
    pub source: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
}

/// All hosts, in configuration order.
pub type HostChecks = Vec<HostCheck>;

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostCheck {
    /// Its name.
    pub host: String,
    /// Who and what it is: `deploy@web1, x86_64, systemd, 12 GB free`; none when it could not be reached.
    pub facts: Option<String>,
    /// What was looked at, in order.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What: `directory`, `sudoers`, `unit template`, `router include`, `ports`.
    pub what: String,
    /// How it is.
    pub verdict: Verdict,
    /// In words: `/srv/shop is writable`.
    pub text: String,
    /// What to do, when something is to be done; may have several lines, ready to paste.
    pub fix: Option<String>,
}

/// How a finding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// A deployment would work, but.
    Warning,
    /// A deployment would fail.
    Missing,
}

impl CheckView {
    /// Whether a deployment would find all that it needs on the hosts that were asked.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.findings().all(|finding| finding.verdict != Verdict::Missing)
    }

    /// Everything that was looked at.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.host_checks.iter().flat_map(|host| &host.findings).chain(&self.front_doors)
    }
}
