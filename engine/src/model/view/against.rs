//! What `cutover check --against` shows.

use serde::Serialize;

use crate::model::Widening;

/// A configuration beside what it was at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgainstView {
    /// Name of the application.
    pub app: String,
    /// The file, as the user may open it.
    pub file: String,
    /// The revision, as it was asked for.
    pub revision: String,
    /// All digits of its commit.
    pub commit: String,
    /// The environments that were compared; empty where there are none.
    pub environments: Vec<String>,
    /// What is wider now.
    pub widenings: Vec<Widening>,
}
