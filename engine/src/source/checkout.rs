//! The checkout that the user sits in: where its remote is, and what in it will not be built.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, Repository, SourceFailure};

/// The checkout that `cutover.toml` lies in, on the engine's machine.
#[derive(Debug, Clone, Copy)]
pub struct Checkout<'a> {
    git: Git<'a>,
    root: &'a Utf8Path,
}

/// Work that the remote does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalWork {
    /// Commits of HEAD that are on no branch of a remote.
    pub unpushed: u64,
    /// Files that differ from HEAD, new ones included, without the configuration.
    pub uncommitted: u64,
    /// Whether the configuration differs from HEAD: it is what is used all the same.
    pub configuration: bool,
    /// The command that pushes the commits, where they are on the branch that is deployed.
    pub push: Option<String>,
}

/// Where a checkout lies.
#[derive(Debug)]
pub(super) struct Place {
    /// The directory at its top, without links on the way.
    pub(super) top: Utf8PathBuf,
    /// Its repository: the `.git` there, or the directory that this names.
    pub(super) repository: String,
}

/// What a configuration is called.
const CONFIGURATION: &str = "cutover.toml";

impl<'a> Checkout<'a> {
    /// The checkout around `root`, seen through git of the engine's machine.
    #[must_use]
    pub const fn new(git: Git<'a>, root: &'a Utf8Path) -> Self {
        Self { git, root }
    }

    /// Where it lies; none where there is no checkout.
    ///
    /// # Errors
    /// [`SourceFailure::Embedded`] when git found a repository otherwise than by a `.git`, which no commit can bring.
    pub(super) async fn place(&self) -> Result<Option<Place>, SourceFailure> {
        let Some(top) = self.line(&["rev-parse", "--show-toplevel"]).await?.filter(|top| !top.is_empty())
        else {
            return Ok(None);
        };
        let found = self.line(&["rev-parse", "--absolute-git-dir"]).await?;
        let by_name = format!("--git-dir={top}/.git");
        let real = self.line(&[&by_name, "rev-parse", "--absolute-git-dir"]).await?;
        match found {
            Some(repository) if real.as_ref() == Some(&repository) => {
                Ok(Some(Place { top: top.into(), repository }))
            }
            found => Err(SourceFailure::Embedded { directory: found.unwrap_or(top) }),
        }
    }

    /// The remote: of the current branch, else `origin`, else the only one.
    ///
    /// # Errors
    /// [`SourceFailure::NoRemote`] when there is no checkout, or no one remote.
    pub async fn remote(&self) -> Result<Repository, SourceFailure> {
        let no_remote = || SourceFailure::NoRemote { root: self.root.to_string() };
        // Relative remotes are relative to the checkout, not to where the configuration lies in it.
        let Place { top, .. } = self.place().await?.ok_or_else(no_remote)?;
        let name = self.remote_name().await?.ok_or_else(no_remote)?;
        let url = self.line(&["remote", "get-url", "--", &name]).await?.ok_or_else(no_remote)?;
        Repository::parse(&url, &top)
    }

    /// What the remote is called here.
    async fn remote_name(&self) -> Result<Option<String>, SourceFailure> {
        let Some(remotes) = self.line(&["remote"]).await? else { return Ok(None) };
        let names: Vec<&str> = remotes.lines().collect();
        let upstream =
            self.line(&["rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}"]).await?;
        let tracked = upstream.and_then(|name| name.split_once('/').map(|(remote, _)| remote.to_owned()));
        Ok(match tracked {
            Some(name) if names.contains(&name.as_str()) => Some(name),
            _ if names.contains(&"origin") => Some("origin".to_owned()),
            _ if names.len() == 1 => Some(names[0].to_owned()),
            _ => None,
        })
    }

    /// The command that brings what is committed here to `branch` of the remote; none where another branch is checked out: then it is to
    /// be merged first.
    ///
    /// # Errors
    /// When the machine did not answer.
    pub async fn push(&self, branch: &str) -> Result<Option<String>, SourceFailure> {
        if self.branch().await?.as_deref() != Some(branch) {
            return Ok(None);
        }
        Ok(self.remote_name().await?.map(|remote| format!("git push {remote} {branch}")))
    }

    /// The branch that is checked out; none when there is none.
    ///
    /// # Errors
    /// When the machine did not answer.
    pub async fn branch(&self) -> Result<Option<String>, SourceFailure> {
        self.line(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await
    }

    /// What of the checkout will not be built when `branch` is, and whether the configuration is another than was committed; nothing when it
    /// is no checkout.
    ///
    /// # Errors
    /// When the machine did not answer.
    pub async fn local_work(&self, branch: &str) -> Result<LocalWork, SourceFailure> {
        let unpushed = self.line(&["rev-list", "--count", "HEAD", "--not", "--remotes"]).await?;
        // Not into submodules: each has a configuration of its own.
        let status = ["status", "--porcelain=v1", "--no-renames", "--ignore-submodules=dirty"];
        let without = self.without_filters().await?;
        let status = self.git.look_with(self.root.as_str(), &status, without).await?;
        let text = if status.status == 0 { status.out.to_text() } else { String::new() };
        let (configuration, others): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| {
            // `XY PATH`, in quotation marks where the path has strange characters.
            let path = line.get(3..).unwrap_or_default().trim_matches('"');
            path.rsplit('/').next() == Some(CONFIGURATION)
        });
        let unpushed = unpushed.and_then(|count| count.parse().ok()).unwrap_or(0);
        Ok(LocalWork {
            unpushed,
            uncommitted: others.len() as u64,
            configuration: !configuration.is_empty(),
            push: if unpushed == 0 { None } else { self.push(branch).await? },
        })
    }

    /// Settings without the filters that the checkout's own configuration names: looking at a checkout runs no program of its.
    /// Those of the user's configuration stay.
    async fn without_filters(&self) -> Result<Vec<(String, String)>, SourceFailure> {
        let list =
            ["config", "--null", "--includes", "--show-scope", "--name-only", "--get-regexp", r"^filter\."];
        let exit = self.git.look(self.root.as_str(), &list).await?;
        let text = exit.out.to_text();
        let words: Vec<&str> = text.split('\0').collect();
        let (pairs, _) = words.as_chunks();
        let own = pairs.iter().filter(|[scope, _]| !matches!(*scope, "system" | "global"));
        let filters: BTreeSet<&str> = own.filter_map(|[_, key]| Some(key.rsplit_once('.')?.0)).collect();
        let without =
            |filter| [("clean", ""), ("process", ""), ("required", "false")].map(|set| (filter, set));
        Ok(filters
            .into_iter()
            .flat_map(without)
            .map(|(filter, (name, value))| (format!("{filter}.{name}"), value.to_owned()))
            .collect())
    }

    async fn line(&self, args: &[&str]) -> Result<Option<String>, SourceFailure> {
        let exit = self.git.look(self.root.as_str(), args).await?;
        let text = exit.out.to_text().trim_end_matches('\n').to_owned();
        Ok((exit.status == 0 && !text.is_empty()).then_some(text))
    }
}

impl LocalWork {
    /// One sentence for people; none when there is no such work.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let some = |count: u64, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        let unpushed = some(self.unpushed, "commit that was not pushed", "commits that were not pushed");
        let push = |text: String| match &self.push {
            Some(push) => format!("{text} (`{push}`)"),
            None => text,
        };
        let parts: Vec<String> = [
            unpushed.map(push),
            some(self.uncommitted, "file that was not committed", "files that were not committed"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let not_built = (!parts.is_empty()).then(|| format!("not built: {}", parts.join(", ")));
        let used = self
            .configuration
            .then(|| format!("{CONFIGURATION} is used as it lies here, not as it was committed"));
        let all: Vec<String> = not_built.into_iter().chain(used).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::LocalWork;

    #[test]
    fn local_work_is_told_in_a_sentence() {
        let note = |unpushed, uncommitted| LocalWork { unpushed, uncommitted, ..LocalWork::default() }.note();
        assert_eq!(note(0, 0), None);
        assert_eq!(note(1, 0).as_deref(), Some("not built: 1 commit that was not pushed"));
        assert_eq!(
            note(2, 3).as_deref(),
            Some("not built: 2 commits that were not pushed, 3 files that were not committed")
        );
        let used = "cutover.toml is used as it lies here, not as it was committed";
        assert_eq!(LocalWork { configuration: true, ..LocalWork::default() }.note().as_deref(), Some(used));
        let both = format!("not built: 1 commit that was not pushed (`git push origin main`); {used}");
        let push = Some("git push origin main".to_owned());
        let work = LocalWork { unpushed: 1, configuration: true, push, ..LocalWork::default() };
        assert_eq!(work.note(), Some(both));
    }
}
