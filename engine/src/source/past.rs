//! Files of a project as they were at a revision of the checkout that it lies in.

use camino::{Utf8Path, Utf8PathBuf};

use super::checkout::Place;
use super::mirror::is_digits;
use super::{Checkout, Git, SourceFailure};

/// Characters of a revision's name at most.
const LONGEST: usize = 256;

/// A project at a revision. Only what the checkout itself has is looked at: nothing is fetched, and no filter runs.
#[derive(Debug, Clone)]
pub struct Past<'a> {
    git: Git<'a>,
    root: &'a Utf8Path,
    top: Utf8PathBuf,
    name: String,
    commit: String,
}

impl<'a> Past<'a> {
    /// The project in the directory `root` at a revision, named in any way that git knows.
    ///
    /// # Errors
    /// [`SourceFailure::NoCheckout`], [`SourceFailure::NoRevision`]; and where a change of files could decide what is taken for the past:
    /// [`SourceFailure::Embedded`], [`SourceFailure::Submodule`], [`SourceFailure::Ambiguous`].
    pub async fn at(git: Git<'a>, root: &'a Utf8Path, revision: &str) -> Result<Self, SourceFailure> {
        let no_checkout = |text: String| SourceFailure::NoCheckout { root: root.to_string(), text };
        let inside = git.look(root.as_str(), &["rev-parse", "--is-inside-work-tree"]).await?;
        if inside.status != 0 || inside.out.to_text().trim() != "true" {
            let said = inside.errors.to_text();
            let text = said.lines().next().unwrap_or("it is no work tree").trim_start_matches("fatal: ");
            let text = text.chars().take(300).collect();
            return Err(no_checkout(text));
        }
        let place = Checkout::new(git, root).place().await?;
        let Place { top, repository } = place.ok_or_else(|| no_checkout("it is no work tree".to_owned()))?;
        // There, and nowhere else, is what a submodule knows of its past (gitsubmodules(7)).
        if let Some((around, _)) = repository.split_once("/.git/modules/") {
            return Err(SourceFailure::Submodule { top: around.to_owned() });
        }
        let unknown = || SourceFailure::NoRevision { revision: revision.chars().take(LONGEST).collect() };
        let is_name = !revision.is_empty()
            && revision.len() <= LONGEST
            && !revision.starts_with('-')
            && !revision.chars().any(char::is_control);
        if !is_name {
            return Err(unknown());
        }
        let commit = format!("{revision}^{{commit}}");
        let args = ["rev-parse", "--quiet", "--verify", "--end-of-options", &commit];
        let found = git.look(root.as_str(), &args).await?;
        let commit = found.out.to_text().trim().to_owned();
        if found.status != 0 || !is_digits(&commit) {
            return Err(unknown());
        }
        let names = ["tags", "heads", "remotes"].map(|kind| format!("refs/{kind}/{revision}"));
        let mut args = vec!["for-each-ref", "--format=%(refname)", "--"];
        args.extend(names.iter().map(String::as_str));
        let known = git.tell(root.as_str(), &args).await?;
        let known: Vec<String> = known
            .lines()
            .filter(|name| names.iter().any(|one| one == name))
            .map(|name| format!("`{name}`"))
            .collect();
        if known.len() > 1 {
            return Err(SourceFailure::Ambiguous { revision: revision.to_owned(), names: known });
        }
        Ok(Self { git, root, top, name: revision.to_owned(), commit })
    }

    /// The directory at the top of the checkout, without links on the way.
    #[must_use]
    pub fn top(&self) -> &Utf8Path {
        &self.top
    }

    /// The revision, as it was asked for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All digits of the commit.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The content of a file, by its path from the project's directory; none where there was none. `most` is how many bytes it may have.
    ///
    /// # Errors
    /// When there is something else than a file, or a larger one.
    pub async fn file(&self, path: &Utf8Path, most: u64) -> Result<Option<Vec<u8>>, SourceFailure> {
        let from_here = format!("./{path}");
        let args = ["ls-tree", "-z", &self.commit, "--", &from_here];
        let listed = self.git.tell(self.root.as_str(), &args).await?;
        // `MODE TYPE DIGITS<tab>PATH`
        let Some((entry, _)) = listed.split_once('\t') else { return Ok(None) };
        let refused =
            |reason| SourceFailure::PastFile { revision: self.name.clone(), path: path.to_string(), reason };
        let mut words = entry.split(' ');
        let blob = match (words.next(), words.next(), words.next()) {
            (Some("100644" | "100755"), Some("blob"), Some(digits)) if is_digits(digits) => digits,
            _ => return Err(refused("is no plain file".to_owned())),
        };
        let content = self.git.bytes(self.root.as_str(), &["cat-file", "blob", blob], most).await?;
        content.map(Some).ok_or_else(|| refused(format!("is larger than {most} bytes")))
    }
}
