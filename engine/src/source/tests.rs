//! Against the machine's own git, with repositories in a scratch directory.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use cutover_host::{Account, Host};
use futures_util::future::join_all;

use super::credentials::Credentials;
use super::git::setting_variables;
use super::{Checkout, Distance, Git, LocalWork, Mirror, Past, Repository, SourceFailure};
use crate::model::{HostName, Timestamp};
use crate::transport::{Link, local_link};

/// A remote with three commits on `main` and one on `other`, a checkout of it, and the home directory of a builder.
struct World {
    _scratch: tempfile::TempDir,
    root: Utf8PathBuf,
    link: Arc<dyn Link>,
}

impl World {
    fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a directory");
        let root = Utf8PathBuf::from_path_buf(scratch.path().to_owned()).expect("UTF-8");
        let account = Account { user: "builder".to_owned(), uid: 0, home: root.to_string() };
        let host = Arc::new(Host::new(vec!["/nonexistent".into()], account));
        let link = local_link(HostName::new("builder").expect("a name"), host);
        let world = Self { _scratch: scratch, root, link };
        world.git("", &["init", "--quiet", "--bare", "--initial-branch=main", "shop.git"]);
        world.git("", &["clone", "--quiet", "shop.git", "shop"]);
        for (number, subject) in ["First", "Second", "Third one"].iter().enumerate() {
            world.commit(subject, &format!("170000000{number} +0000"));
        }
        world.git("shop", &["tag", "v1", "HEAD~2"]);
        world.git("shop", &["push", "--quiet", "--set-upstream", "origin", "HEAD:main", "v1"]);
        world.git("shop", &["checkout", "--quiet", "-b", "other"]);
        world.commit("Elsewhere", "1700000009 +0000");
        world.git("shop", &["push", "--quiet", "origin", "other"]);
        world.git("shop", &["checkout", "--quiet", "main"]);
        world
    }

    fn commit(&self, subject: &str, time: &str) {
        std::fs::write(self.root.join("shop/file"), subject).expect("written");
        self.git("shop", &["add", "file"]);
        let mut command = self.command("shop", &["commit", "--quiet", "-m", subject]);
        let done = command.env("GIT_COMMITTER_DATE", time).env("GIT_AUTHOR_DATE", time).status();
        assert!(done.expect("git runs").success());
    }

    fn command(&self, directory: &str, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]).args(args);
        command.current_dir(self.root.join(directory)).env("HOME", &self.root);
        command
    }

    fn git(&self, directory: &str, args: &[&str]) -> String {
        let output = self.command(directory, args).output().expect("git runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn git_of_builder(&self) -> Git<'_> {
        Git::new(self.link.as_ref(), None)
    }

    fn repository(&self) -> Repository {
        Repository::parse(self.root.join("shop.git").as_str(), Utf8Path::new("/")).expect("a repository")
    }
}

#[tokio::test]
async fn a_revision_is_what_the_remote_has() {
    let world = World::new();
    let repository = world.repository();
    let mirror = Mirror::fetch(world.git_of_builder(), &repository, "main", world.root.as_str());
    let mirror = mirror.await.expect("fetched");
    let newest = mirror.revision(None).await.expect("a revision");
    assert_eq!(newest.id, world.git("shop", &["rev-parse", "main"]));
    assert_eq!(newest.subject, "Third one");
    let first = mirror.revision(Some("v1")).await.expect("a tag");
    assert_eq!(first.subject, "First");
    assert_eq!(mirror.revision(Some(&newest.id[..7])).await, Ok(newest.clone()));
    let distance = mirror.distance(&first.id, &newest.id).await;
    assert_eq!(distance, Ok(Some(Distance { commits: 2, oldest: Some(Timestamp(1_700_000_001_000)) })));
    assert_eq!(mirror.distance(&"0".repeat(40), &newest.id).await, Ok(None));

    // What is committed but not pushed is not there, and what is pushed is.
    world.commit("Fourth", "1700000010 +0000");
    let fetch = || Mirror::fetch(world.git_of_builder(), &repository, "main", world.root.as_str());
    let again = fetch().await.expect("fetched");
    assert_eq!(again.revision(None).await.expect("a revision").subject, "Third one");
    world.git("shop", &["push", "--quiet", "origin", "main"]);
    let again = fetch().await.expect("fetched");
    assert_eq!(again.revision(None).await.expect("a revision").subject, "Fourth");
}

#[tokio::test]
async fn branches_of_one_repository_are_kept_apart() {
    let world = World::new();
    let repository = world.repository();
    let fetch = |branch| Mirror::fetch(world.git_of_builder(), &repository, branch, world.root.as_str());
    let main = fetch("main").await.expect("fetched");
    // Another run, of another environment, while the first one builds.
    let other = fetch("other").await.expect("fetched");
    let newest = main.revision(None).await.expect("a revision");
    assert_eq!(newest.subject, "Third one");
    let elsewhere = other.revision(None).await.expect("a revision");
    assert_eq!(elsewhere.subject, "Elsewhere");
    let failure = main.revision(Some(&elsewhere.id)).await.expect_err("not on main");
    assert_eq!(failure, SourceFailure::NotOnBranch { revision: elsewhere.id, branch: "main".to_owned() });

    world.git("shop", &["push", "--quiet", "origin", "--delete", "other"]);
    world.git("shop", &["push", "--quiet", "origin", "main:other/one"]);
    let below = fetch("other/one").await.expect("a branch that is gone is in nobody's way");
    assert_eq!(below.revision(None).await, Ok(newest));
}

#[tokio::test]
async fn runs_that_fetch_at_the_same_time_wait_for_each_other() {
    let world = World::new();
    let repository = world.repository();
    let fetch = || Mirror::fetch(world.git_of_builder(), &repository, "main", world.root.as_str());
    fetch().await.expect("fetched");
    world.commit("Fourth", "1700000010 +0000");
    world.git("shop", &["push", "--quiet", "origin", "main"]);
    for mirror in join_all((0..6).map(|_| fetch())).await {
        let newest = mirror.expect("fetched").revision(None).await.expect("a revision");
        assert_eq!(newest.subject, "Fourth");
    }
}

#[tokio::test]
async fn only_the_allowed_branch_is_built() {
    let world = World::new();
    let repository = world.repository();
    let (git, home) = (world.git_of_builder(), world.root.as_str());
    let mirror = Mirror::fetch(git, &repository, "main", home).await.expect("fetched");
    let other = world.git("shop", &["rev-parse", "other"]);
    for asked in [other.as_str(), "v2", "0123456"] {
        let failure = mirror.revision(Some(asked)).await.expect_err("not on main");
        assert_eq!(
            failure,
            SourceFailure::NotOnBranch { revision: asked.to_owned(), branch: "main".to_owned() }
        );
    }
    for asked in ["--all", "main^{/x}", "@{u}", ""] {
        let failure = mirror.revision(Some(asked)).await.expect_err("no revision");
        assert_eq!(failure, SourceFailure::BadRevision { revision: asked.to_owned() });
    }
    for branch in ["nowhere", "--upload-pack=touch x", "main:main"] {
        let failure = Mirror::fetch(git, &repository, branch, home).await.expect_err("no branch");
        assert_eq!(
            failure,
            SourceFailure::BranchMissing { url: repository.url().to_owned(), branch: branch.to_owned() }
        );
    }
    let nothing = Repository::parse("/nonexistent/x.git", Utf8Path::new("/")).expect("an address");
    let failure = Mirror::fetch(git, &nothing, "main", home).await.expect_err("no repository");
    assert!(
        failure.to_string().starts_with("`git fetch` failed: fatal: '/nonexistent/x.git' does not appear"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_checkout_is_clean_and_stands_alone() {
    let world = World::new();
    let repository = world.repository();
    let mirror = Mirror::fetch(world.git_of_builder(), &repository, "main", world.root.as_str());
    let mirror = mirror.await.expect("fetched");
    // A hook that the user's own configuration would run at each checkout.
    let hooks = world.root.join("hooks");
    std::fs::create_dir(&hooks).expect("made");
    let hook = hooks.join("post-checkout");
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", world.root.join("ran"))).expect("written");
    Command::new("chmod").args(["+x", hook.as_str()]).status().expect("runs");
    world.git("", &["config", "--global", "core.hooksPath", hooks.as_str()]);
    std::fs::write(world.root.join("shop/file"), "dirty").expect("written");

    let revision = mirror.revision(Some("v1")).await.expect("a revision");
    let directory = world.root.join("build");
    mirror.check_out(&revision, directory.as_str()).await.expect("checked out");
    assert_eq!(std::fs::read_to_string(directory.join("file")).expect("read"), "First");
    assert_eq!(world.git("build", &["status", "--porcelain"]), "");
    assert_eq!(world.git("build", &["rev-parse", "HEAD"]), revision.id);
    assert_eq!(world.git("build", &["remote", "get-url", "origin"]), repository.url());
    assert_eq!(world.git("build", &["describe", "--tags"]), "v1");
    assert!(!directory.join(".git/objects/info/alternates").exists());
    assert!(!Path::new(world.root.join("ran").as_str()).exists());
    let failure = mirror.check_out(&revision, directory.as_str()).await.expect_err("it is there already");
    assert!(failure.to_string().contains("already exists"), "{failure}");
}

#[tokio::test]
async fn a_checkout_knows_no_password() {
    let world = World::new();
    let address = "https://me:s3cret@example.com/shop.git";
    let instead = format!("url.{}.insteadOf", world.root.join("shop.git"));
    let repository = Repository::parse(address, Utf8Path::new("/")).expect("a repository");
    world.git("", &["config", "--global", &instead, repository.url()]);
    let mirror = Mirror::fetch(world.git_of_builder(), &repository, "main", world.root.as_str());
    let mirror = mirror.await.expect("fetched");
    let revision = mirror.revision(None).await.expect("a revision");
    mirror.check_out(&revision, world.root.join("build").as_str()).await.expect("checked out");
    let config = std::fs::read_to_string(world.root.join("build/.git/config")).expect("read");
    assert!(config.contains("url = https://example.com/shop.git\n"), "{config}");
    assert!(!config.contains("s3cret"), "{config}");
}

#[tokio::test]
async fn the_checkout_around_us_is_looked_at() {
    let world = World::new();
    let root = world.root.join("shop/deploy");
    std::fs::create_dir(&root).expect("made");
    let checkout = Checkout::new(world.git_of_builder(), &root);
    assert_eq!(checkout.remote().await, Ok(world.repository()));
    assert_eq!(checkout.branch().await, Ok(Some("main".to_owned())));
    assert_eq!(checkout.local_work("main").await, Ok(LocalWork::default()));
    world.commit("Mine", "1700000010 +0000");
    std::fs::write(world.root.join("shop/file"), "changed").expect("written");
    std::fs::write(world.root.join("shop/new"), "new").expect("written");
    let push = Some("git push origin main".to_owned());
    let work = LocalWork { unpushed: 1, uncommitted: 2, configuration: false, push };
    assert_eq!(checkout.local_work("main").await, Ok(work.clone()));
    // What is on another branch is to be merged first.
    assert_eq!(checkout.local_work("release").await, Ok(LocalWork { push: None, ..work }));
    world.git("shop", &["checkout", "--quiet", "--detach", "--force"]);
    assert_eq!(checkout.branch().await, Ok(None));
    world.git("shop", &["remote", "remove", "origin"]);
    assert_eq!(checkout.remote().await, Err(SourceFailure::NoRemote { root: root.to_string() }));

    let nowhere = Checkout::new(world.git_of_builder(), &world.root);
    assert_eq!(nowhere.remote().await, Err(SourceFailure::NoRemote { root: world.root.to_string() }));
    assert_eq!(nowhere.local_work("main").await, Ok(LocalWork::default()));
}

#[test]
fn git_says_who_it_is_to_the_one_server() {
    let world = World::new();
    let (_, credentials) = Credentials::split("https://ci:s3cret@example.com/shop.git").expect("has both");
    let header = |url: &str| {
        let mut command = world.command("", &["config", "--get-urlmatch", "http.extraHeader", url]);
        let output = command.envs(setting_variables([credentials.setting()])).output().expect("git runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let own = "Authorization: Basic Y2k6czNjcmV0";
    assert_eq!(header("https://example.com/shop.git"), own);
    assert_eq!(header("https://example.com/module.git"), own);
    for other in ["https://example.com:8443/shop.git", "http://example.com/shop.git", "https://example.org/"]
    {
        assert_eq!(header(other), "", "{other}");
    }
}

#[tokio::test]
async fn a_look_at_the_checkout_runs_nothing_that_it_names() {
    let world = World::new();
    let ran = world.root.join("ran");
    world.git("shop", &["config", "filter.x.clean", &format!("touch {ran}; cat")]);
    world.git("shop", &["config", "filter.x.required", "true"]);
    std::fs::write(world.root.join("shop/.git/info/attributes"), "* filter=x\n").expect("written");
    std::fs::write(world.root.join("shop/file"), "dirty....").expect("written");
    let root = world.root.join("shop");
    let work = Checkout::new(world.git_of_builder(), &root).local_work("main").await;
    assert_eq!(work, Ok(LocalWork { uncommitted: 1, ..LocalWork::default() }));
    assert!(!ran.exists());
    // It would have run.
    world.git("shop", &["status", "--porcelain"]);
    assert!(ran.exists());
}

#[tokio::test]
async fn a_project_is_read_as_it_was_from_what_the_checkout_has() {
    let world = World::new();
    let root = world.root.join("shop");
    let at = |revision: &'static str| Past::at(world.git_of_builder(), &root, revision);
    let head = at("HEAD").await.expect("a revision");
    assert_eq!((head.name(), head.commit()), ("HEAD", world.git("shop", &["rev-parse", "HEAD"]).as_str()));
    async fn file(past: Past<'_>, most: u64) -> Result<Option<Vec<u8>>, SourceFailure> {
        past.file("file".into(), most).await
    }
    assert_eq!(file(head.clone(), 100).await, Ok(Some(b"Third one".to_vec())));
    assert_eq!(file(at("v1").await.expect("a tag"), 100).await, Ok(Some(b"First".to_vec())));
    assert_eq!(file(at("origin/main~1").await.expect("a branch"), 100).await, Ok(Some(b"Second".to_vec())));
    assert_eq!(head.file("nothing/at/all".into(), 100).await, Ok(None));
    let refused = file(head.clone(), 8).await.expect_err("too large").to_string();
    assert_eq!(refused, "`file` at `HEAD` is larger than 8 bytes");

    // What is larger than a line of facts comes whole.
    std::fs::write(root.join("file"), vec![b'x'; 3 << 20]).expect("written");
    std::fs::create_dir(root.join("inner")).expect("made");
    std::fs::write(root.join("inner/file"), "inner").expect("written");
    world.git("shop", &["add", "--all"]);
    world.git("shop", &["commit", "--quiet", "-m", "Large"]);
    let large = at("HEAD").await.expect("a revision");
    assert_eq!(file(large.clone(), 4 << 20).await.expect("read").expect("there").len(), 3 << 20);
    let refused = large.file("inner".into(), 100).await.expect_err("a directory").to_string();
    assert_eq!(refused, "`inner` at `HEAD` is no plain file");
    // Names begin where the project lies, wherever that is in the checkout.
    let inner = root.join("inner");
    let below = Past::at(world.git_of_builder(), &inner, "HEAD").await.expect("a revision");
    assert_eq!(file(below, 100).await, Ok(Some(b"inner".to_vec())));

    for revision in ["nothing", "", "--all", "HEAD:file", "main..other", "a\nb"] {
        let failure = Past::at(world.git_of_builder(), &root, revision).await.expect_err("no revision");
        assert_eq!(failure, SourceFailure::NoRevision { revision: revision.to_owned() });
    }
    let outside = Past::at(world.git_of_builder(), &world.root, "HEAD").await.expect_err("no checkout");
    assert!(matches!(outside, SourceFailure::NoCheckout { .. }), "{outside}");
}
