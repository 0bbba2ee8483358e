//! What `cutover doctor` shows.

use serde::Serialize;

use crate::model::Timestamp;

/// What is not as it should be, the gravest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorView {
    /// `shop/production`.
    pub title: String,
    /// When hosts and routers were asked.
    pub asked: Timestamp,
    /// Hosts that were asked.
    pub hosts: usize,
    /// Routers that were asked.
    pub routers: usize,
    /// What was found.
    pub findings: Vec<Diagnosis>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Stable name: class and case.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// Host, router or front door that it is about.
    pub place: Option<String>,
    /// In words, one line.
    pub text: String,
    /// What to do, with the command to type.
    pub fix: Option<String>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something is not served, or a deployment would be refused or fail.
    Problem,
    /// It works, but.
    Warning,
    /// Nothing is wrong; worth knowing.
    Note,
}

impl DoctorView {
    /// Whether anything should be done.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }

    /// How many findings matter so much.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
