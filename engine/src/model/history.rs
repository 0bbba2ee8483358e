//! What is remembered of a deployment when it has ended.

use serde::{Deserialize, Serialize};

use super::{Basis, Color, Denial, HostName, Outcome, Release, ReleaseId, Switched, Timestamp};

/// One ended deployment, whatever its end.
///
/// Fields may be added without a new version of the file when a reader that does not know them is still right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HistoryEntry {
    /// Deployment identifier; unique in the history.
    pub deployment: String,
    /// What was asked for: `deploy`, `rollback`, `maintenance on`, `maintenance off`.
    pub command: String,
    /// What was to go live; none when the deployment ended before that was known, and where nothing was to.
    pub release: Option<HistoryRelease>,
    /// The colour that was to carry it.
    pub color: Option<Color>,
    /// `user@machine` that began it.
    pub who: String,
    /// Page of the CI run that began it.
    pub ci: Option<String>,
    /// Text given with `-m`.
    pub message: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Exit code of the run that ended it.
    pub exit_code: u8,
    /// The first error; none when all went well.
    pub error: Option<HistoryError>,
    /// Hosts that it was done, or put back, without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<HostName>,
    /// What its hooks were denied, each thing once, at most [`Denial::MOST`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<Denial>,
    /// What its switches were like; none of one that was not watched to its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switches: Vec<Switched>,
    /// What of the configuration decided what was put live, as digests: nothing changed is nothing to deploy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Basis>,
}

#[cfg(test)]
impl HistoryEntry {
    /// Of a deployment of release `number`, by an error where that is no good end.
    pub(crate) fn for_tests(number: u64, outcome: Outcome) -> Self {
        let error = || HistoryError { code: "smoke/failed".into(), text: "1 of 7".into() };
        Self {
            deployment: String::new(),
            command: "deploy".into(),
            release: Some((&Release::for_tests(&format!("r{number}"), number)).into()),
            color: Some(Color::Blue),
            who: "ann@desk".into(),
            ci: None,
            message: None,
            started: Timestamp(1),
            ended: Timestamp(2),
            outcome,
            exit_code: 0,
            error: (outcome != Outcome::Deployed).then(error),
            excluded: Vec::new(),
            denied: Vec::new(),
            switches: Vec::new(),
            settings: None,
        }
    }
}

/// What the history keeps of a release, so that it can be told when the release itself is pruned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HistoryRelease {
    /// Identifier.
    pub id: ReleaseId,
    /// Number.
    pub number: u64,
    /// Revision of the source, when known.
    pub revision: Option<String>,
    /// Branch that it was taken from, when known.
    pub branch: Option<String>,
    /// First line of the revision's message, when known.
    pub subject: Option<String>,
}

impl From<&Release> for HistoryRelease {
    fn from(release: &Release) -> Self {
        Self {
            id: release.id.clone(),
            number: release.number,
            revision: release.revision.clone(),
            branch: release.branch.clone(),
            subject: release.subject.clone(),
        }
    }
}

/// The first error of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HistoryError {
    /// `smoke/failed`.
    pub code: String,
    /// One line.
    pub text: String,
}
