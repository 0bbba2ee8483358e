//! Why a command did not do what was asked.

use serde::Serialize;

use crate::config::{Fault, Faults};
use crate::model::view::{ExitCode, Problem};

/// Everything that was found to be wrong.
#[derive(Debug)]
pub(super) enum Failure {
    /// One thing or several, each on its own.
    Problems(Vec<Problem>),
    /// Faults of the configuration.
    Faults(Faults),
}

impl Failure {
    /// How the program ends because of it: of several problems, by the first.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Problems(problems) => {
                problems.first().map_or(ExitCode::Internal, |problem| problem.exit_code)
            }
            Self::Faults(_) => ExitCode::Configuration,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems)
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self::Faults(faults)
    }
}

/// Faults of the configuration as `--json` prints them.
#[derive(Serialize)]
pub(super) struct FaultsView<'a> {
    code: &'static str,
    message: &'static str,
    faults: Vec<&'a Fault>,
    exit_code: ExitCode,
}

impl<'a> FaultsView<'a> {
    pub(super) fn new(faults: &'a Faults) -> Self {
        Self {
            code: "config/faults",
            message: "the configuration has faults; nothing was run",
            faults: faults.iter().collect(),
            exit_code: ExitCode::Configuration,
        }
    }
}
