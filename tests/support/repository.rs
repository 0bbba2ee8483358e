//! A git remote with the application, and a checkout that pushes to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Behaviour, Scratch, application};

/// A bare repository and a checkout of its branch `main`.
#[derive(Debug)]
pub struct Repository {
    remote: PathBuf,
    checkout: PathBuf,
    home: PathBuf,
    compiled: bool,
}

impl Repository {
    /// Makes both. The application's program lies in the repository ready-made, or as source when the build is to compile it.
    #[must_use]
    pub fn new(scratch: &Scratch, compiled: bool) -> Self {
        let repository = Self {
            remote: scratch.join("shop.git"),
            checkout: scratch.directory("checkout"),
            home: scratch.directory("git-home"),
            compiled,
        };
        let remote = repository.remote.to_str().unwrap();
        repository.git(&["init", "--quiet", "--bare", "--initial-branch", "main", remote]);
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.git(&["remote", "add", "origin", remote]);
        if compiled {
            repository.write("src/main.rs", &fs::read(application::source()).unwrap());
        } else {
            repository.write("app/public/style.css", b"body { color: green }\n");
            fs::create_dir_all(repository.checkout.join("app/bin")).unwrap();
            fs::copy(application::program(), repository.checkout.join("app/bin/shop")).unwrap();
        }
        repository
    }

    /// Where it is cloned from.
    #[must_use]
    pub fn url(&self) -> String {
        format!("file://{}", self.remote.display())
    }

    /// The checkout.
    #[must_use]
    pub fn checkout(&self) -> &Path {
        &self.checkout
    }

    /// Writes a file of the checkout.
    pub fn write(&self, name: &str, content: &[u8]) {
        let path = self.checkout.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits a version of the application, pushes it, and returns its revision.
    pub fn push(&self, version: &str, behaviour: Behaviour) -> String {
        let file = if self.compiled { "behaviour" } else { "app/behaviour" };
        self.write(file, behaviour.file(version).as_bytes());
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", &format!("Release {version}")]);
        self.git(&["push", "--quiet", "origin", "HEAD:main"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the checkout and returns what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(args).current_dir(&self.checkout).env("HOME", &self.home).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@shop.example");
        }
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
