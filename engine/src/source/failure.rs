//! Why the source was not to be had.

use super::mirror::is_digits;
use crate::transport::Failure;

/// Why the source was not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceFailure {
    /// The machine that git runs on did not answer, or has no git.
    #[error(transparent)]
    Host(#[from] Failure),
    /// The address of the repository is not one that we use.
    #[error("`{url}` is no repository to build from: {reason}")]
    BadRepository {
        /// As configured.
        url: String,
        /// Why.
        reason: &'static str,
    },
    /// There is no repository to be found.
    #[error("`{root}` lies in no git checkout with a remote")]
    NoRemote {
        /// Directory of `cutover.toml`.
        root: String,
    },
    /// Git sees no checkout around the project.
    #[error("`{root}` lies in no git checkout: {text}")]
    NoCheckout {
        /// Directory of `cutover.toml`.
        root: String,
        /// Git's words.
        text: String,
    },
    /// Git would take files of a checkout for the repository: whoever commits files could bring a past of their own.
    #[error("`{directory}` looks like a repository, and is none of a checkout")]
    Embedded {
        /// Where it lies.
        directory: String,
    },
    /// The name is that of several revisions.
    #[error("`{revision}` is {}", names.join(" and "))]
    Ambiguous {
        /// As asked.
        revision: String,
        /// In full.
        names: Vec<String>,
    },
    /// The project lies in a submodule: which commit of it counts is decided outside.
    #[error("the project lies in a submodule of `{top}`")]
    Submodule {
        /// The checkout around it.
        top: String,
    },
    /// The checkout does not have the revision that the project is to be compared with.
    #[error("git knows no revision `{revision}` here")]
    NoRevision {
        /// As asked.
        revision: String,
    },
    /// A file of the project can't be read as it was at a revision.
    #[error("`{path}` at `{revision}` {reason}")]
    PastFile {
        /// As asked.
        revision: String,
        /// From the project's directory.
        path: String,
        /// Why.
        reason: String,
    },
    /// Any branch is allowed, and nothing says which.
    #[error("no branch to build: `build.branch` is `*`, and the checkout is on none")]
    NoBranch,
    /// The remote has no such branch.
    #[error("`{url}` has no branch `{branch}`")]
    BranchMissing {
        /// The repository.
        url: String,
        /// The branch.
        branch: String,
    },
    /// The text can't be a revision.
    #[error("`{revision}` is no revision: use a commit's hexadecimal digits, or a tag")]
    BadRevision {
        /// As asked.
        revision: String,
    },
    /// The revision is not on the branch that may go live.
    #[error("{} `{revision}` is not on branch `{branch}` of the remote", kind(revision))]
    NotOnBranch {
        /// As asked.
        revision: String,
        /// Allowed branch.
        branch: String,
    },
    /// Git failed.
    #[error("`git {command}` failed: {text}")]
    Git {
        /// Its command.
        command: String,
        /// What it said last.
        text: String,
    },
}

impl SourceFailure {
    /// Whether a commit was asked for that the remote's branch does not have.
    #[must_use]
    pub fn is_unpushed(&self) -> bool {
        matches!(self, Self::NotOnBranch { revision, .. } if is_digits(revision))
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::BadRepository { .. } => {
                Some("use `https://…`, `ssh://…`, `user@host:path`, or a path on this machine")
            }
            Self::NoRemote { .. } => Some(
                "name the repository as `build.repository`, or deploy what was built elsewhere: `--artifact PATH`",
            ),
            Self::NoBranch => Some("name one: `build.branch = \"main\"`"),
            Self::BranchMissing { .. } => Some("push it, or name another as `build.branch`"),
            Self::NotOnBranch { revision, .. } if is_digits(revision) => {
                Some("push and merge it first: only what the remote's branch has is built")
            }
            Self::NotOnBranch { .. } => Some(
                "`--revision` takes the hexadecimal digits of a commit, or a tag, that lie on that branch; another branch is named as \
                 `build.branch`",
            ),
            Self::Git { .. } => {
                Some("try the same as this user: it needs access to the repository without a prompt")
            }
            Self::Embedded { .. } => {
                Some("remove `HEAD`, `objects` and `refs` from that directory, and ask who put them there")
            }
            Self::Ambiguous { .. } => {
                Some("name one in full, as in `refs/remotes/origin/main`, or by the commit's digits")
            }
            Self::Submodule { .. } => Some("run it in a checkout of its own"),
            Self::NoCheckout { .. } => Some("run it where git has the project and its history"),
            Self::NoRevision { .. } => Some(
                "bring it here first, as in `git fetch origin main`, and name it as `origin/main`; a shallow clone has its newest commits alone",
            ),
            Self::Host(_) | Self::BadRevision { .. } | Self::PastFile { .. } => None,
        }
    }
}

/// What a text was looked for as.
fn kind(revision: &str) -> &'static str {
    if is_digits(revision) { "revision" } else { "tag" }
}
