//! A bare copy of the repository, brought up to date before each use.

use std::time::Duration;

use cutover_host::operation::{Answer, Operation};

use super::{Git, Repository, SourceFailure};
use crate::model::{Timestamp, is_branch_name};

/// Protocols for the repository itself.
const PROTOCOLS: &str = "file:ssh:https";

/// Protocols for submodules, whose addresses come out of the repository: never a path of this machine's.
const SUBMODULE_PROTOCOLS: &str = "ssh:https";

/// How often a fetch is tried that met another one in the same mirror.
const TRIES: usize = 20;

/// How long making the mirrors' directory may take.
const MAKE: Duration = Duration::from_secs(20);

/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// The remote's branch, as fetched.
#[derive(Debug)]
pub struct Mirror<'a> {
    git: Git<'a>,
    repository: &'a Repository,
    branch: String,
    branch_ref: String,
    directory: String,
}

/// One revision of the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// All its hexadecimal digits.
    pub id: String,
    /// First line of its message.
    pub subject: String,
}

/// From one revision to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distance {
    /// Commits that the newer one has and the older one has not.
    pub commits: u64,
    /// When the oldest of them was committed.
    pub oldest: Option<Timestamp>,
}

impl<'a> Mirror<'a> {
    /// Fetches `branch` of the repository as the remote has it now, into the mirror below `workspace`.
    ///
    /// # Errors
    /// When the remote is out of reach, or has no such branch.
    pub async fn fetch(
        git: Git<'a>,
        repository: &'a Repository,
        branch: &str,
        workspace: &str,
    ) -> Result<Self, SourceFailure> {
        if !is_branch_name(branch) {
            let (url, branch) = (repository.url().to_owned(), branch.to_owned());
            return Err(SourceFailure::BranchMissing { url, branch });
        }
        let parent = format!("{workspace}/git");
        let directory = format!("{parent}/{}", repository.directory_name());
        let make = Operation::MakeDirectory { path: parent.clone(), mode: 0o700 };
        let answer = git.link().perform(make.call().within(MAKE)).await?;
        debug_assert_eq!(answer, Answer::Done);
        let branch_ref = branch_ref(branch);
        let refs = format!("+refs/heads/{branch}:{branch_ref}");
        let tags = "+refs/tags/*:refs/tags/*";
        let args = ["fetch", "--quiet", "--no-write-fetch-head", "--", repository.url(), &refs, tags];
        let mut tries = 1;
        loop {
            let fetched = async {
                git.tell(&parent, &["init", "--quiet", "--bare", "--", &directory]).await?;
                git.fetch_from(repository, &directory, &args, PROTOCOLS).await
            };
            match fetched.await {
                Ok(()) => {
                    return Ok(Self { git, repository, branch: branch.to_owned(), branch_ref, directory });
                }
                Err(SourceFailure::Git { text, .. }) if text.contains("couldn't find remote ref") => {
                    let (url, branch) = (repository.url().to_owned(), branch.to_owned());
                    return Err(SourceFailure::BranchMissing { url, branch });
                }
                Err(SourceFailure::Git { text, .. }) if is_taken(&text) && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The branch's newest revision, or the one that `asked` names: digits of a commit, or a tag.
    ///
    /// # Errors
    /// [`SourceFailure::NotOnBranch`] when the branch does not contain it.
    pub async fn revision(&self, asked: Option<&str>) -> Result<Revision, SourceFailure> {
        let name = match asked {
            None => self.branch_ref.clone(),
            Some(text) if is_digits(text) => text.to_owned(),
            Some(text) if is_branch_name(text) => format!("refs/tags/{text}"),
            Some(text) => return Err(SourceFailure::BadRevision { revision: text.to_owned() }),
        };
        let not_there = || SourceFailure::NotOnBranch {
            revision: asked.unwrap_or_default().to_owned(),
            branch: self.branch.clone(),
        };
        let commit = format!("{name}^{{commit}}");
        let found = self.look(&["rev-parse", "--quiet", "--verify", "--end-of-options", &commit]).await?;
        let id = found.filter(|id| is_digits(id)).ok_or_else(not_there)?;
        self.look(&["merge-base", "--is-ancestor", &id, &self.branch_ref]).await?.ok_or_else(not_there)?;
        let subject =
            self.git.tell(&self.directory, &["log", "-1", "--no-show-signature", "--format=%s", &id]).await?;
        Ok(Revision { id, subject: subject.chars().take(200).collect() })
    }

    /// From `older` to `newer`; none when the mirror does not know one of them.
    ///
    /// # Errors
    /// When the machine did not answer.
    pub async fn distance(&self, older: &str, newer: &str) -> Result<Option<Distance>, SourceFailure> {
        if !is_digits(older) || !is_digits(newer) {
            return Ok(None);
        }
        let range = format!("{older}..{newer}");
        let Some(count) = self.look(&["rev-list", "--count", "--end-of-options", &range]).await? else {
            return Ok(None);
        };
        let Ok(commits) = count.parse() else { return Ok(None) };
        let list = self.look(&["rev-list", "--timestamp", "--reverse", "--end-of-options", &range]).await?;
        let first = list.as_deref().and_then(|list| list.lines().next()?.split(' ').next());
        Ok(Some(Distance { commits, oldest: first.and_then(seconds) }))
    }

    /// Makes a clean checkout of a revision in `directory`, which must not be there. It shares nothing with the mirror, so that a
    /// build can do no harm to it, and its `origin` is the repository, without a password: a checkout travels to the host that builds.
    ///
    /// # Errors
    /// When git fails, or a submodule is not to be had.
    pub async fn check_out(&self, revision: &Revision, directory: &str) -> Result<(), SourceFailure> {
        let mirror = &self.directory;
        let clone = ["clone", "--quiet", "--no-checkout", "--no-hardlinks", "--", mirror, directory];
        self.git.fetch(mirror, &clone, "file").await?;
        // A clone brings branches and tags; the branch that we keep apart is neither.
        self.git.fetch(directory, &["fetch", "--quiet", "--", mirror, &self.branch_ref], "file").await?;
        let url = self.repository.url().to_owned();
        self.git.tell(directory, &["remote", "set-url", "origin", &url]).await?;
        self.git.fetch(directory, &["checkout", "--quiet", "--detach", &revision.id], "file").await?;
        let modules = self.git.look(directory, &["cat-file", "-e", "HEAD:.gitmodules"]).await?;
        if modules.status == 0 {
            let update = ["submodule", "--quiet", "update", "--init", "--recursive"];
            // Modules of the same server are let in with it, as they are where its address has the password.
            self.git.fetch_from(self.repository, directory, &update, SUBMODULE_PROTOCOLS).await?;
        }
        Ok(())
    }

    async fn look(&self, args: &[&str]) -> Result<Option<String>, SourceFailure> {
        let exit = self.git.look(&self.directory, args).await?;
        Ok((exit.status == 0).then(|| exit.out.to_text().trim_end_matches('\n').to_owned()))
    }
}

/// Digits of a commit: SHA-1 or SHA-256, shortened to no less than git's own least.
pub(super) fn is_digits(text: &str) -> bool {
    (4..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Where a branch is kept in the mirror: apart from other branches, which other runs fetch meanwhile, and from what a repository
/// may name itself. In one part, so that a branch `a` that is gone is not in the way of `a/b`.
fn branch_ref(branch: &str) -> String {
    format!("refs/cutover/heads/{}", branch.replace('%', "%25").replace('/', "%2F"))
}

/// Whether git says that another one is at work in the same mirror: it is done within moments.
fn is_taken(text: &str) -> bool {
    ["cannot lock ref", "could not lock config file"].iter().any(|words| text.contains(words))
}

fn seconds(text: &str) -> Option<Timestamp> {
    text.parse::<u64>().ok()?.checked_mul(1000).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_branch_has_a_place_of_its_own() {
        assert_eq!(branch_ref("feature/#12"), "refs/cutover/heads/feature%2F#12");
        assert_eq!(branch_ref("feature%2F#12"), "refs/cutover/heads/feature%252F#12");
    }

    #[test]
    fn digits_of_a_commit_are_no_name() {
        assert!(is_digits("9f3c2a1"));
        for bad in ["abc", "9F3C2A1", "main", "-9f3c2a", "9f3c 2a1"] {
            assert!(!is_digits(bad), "{bad}");
        }
    }
}
