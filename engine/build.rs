//! Builds what the program carries inside itself: the bundled hooks and the interpreter of scripts as WebAssembly components, and the host helper as
//! static programs.
//!
//! Each is built by a nested cargo with a target directory of its own (`target/bundled`), so that neither the profile nor the flags of
//! the outer build reach it, and `check`, `clippy`, `build` and `test` share one result. The package as published has no workspace around
//! it: there they lie ready-made in `carried/`, where `cargo xtask package` has put them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Folders of `example-hooks/`; `src/bundled/` names the same.
const HOOKS: [&str; 12] = [
    "apache",
    "aws-alb",
    "caddy",
    "cloud-foundry",
    "command-build",
    "haproxy",
    "http-health",
    "http-smoke",
    "kubernetes",
    "nginx",
    "proxy",
    "traefik",
];

const HOOK_TARGET: &str = "wasm32-wasip2";

/// What lies beside the source of a hook: the template of its default grants, and the schema of its settings.
const HOOK_FILES: [&str; 2] = ["grants.toml", "settings.schema.json"];

/// The component that runs scripts.
const INTERPRETER: &str = "script.wasm";

/// What a published package has instead of the workspace.
const CARRIED: &str = "carried";

/// One program for each architecture that a host may have.
const HELPER_TARGETS: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// What decides the result beside the folders of the hooks.
const INPUTS: [&str; 10] = [
    "../Cargo.lock",
    "../Cargo.toml",
    "../hooks-sdk/Cargo.toml",
    "../hooks-sdk/src",
    "build.rs",
    "host/Cargo.toml",
    "host/src",
    "script/Cargo.lock",
    "script/Cargo.toml",
    "script/src",
];

fn main() -> ExitCode {
    let result = run();
    if let Err(fault) = &result {
        let (reason, rest) = fault.split_once('\n').unwrap_or((fault, ""));
        instruct("error", reason);
        #[expect(clippy::print_stderr, reason = "cargo shows it when the build fails")]
        {
            eprintln!("{rest}");
        }
    }
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    if Path::new(CARRIED).is_dir() && !Path::new("../example-hooks").is_dir() {
        return take_carried(&out);
    }
    for input in INPUTS {
        instruct("rerun-if-changed", input);
    }
    for hook in HOOKS {
        for input in ["src", "Cargo.toml"].into_iter().chain(HOOK_FILES) {
            instruct("rerun-if-changed", &format!("../example-hooks/{hook}/{input}"));
        }
        for file in HOOK_FILES {
            copy(&Path::new("../example-hooks").join(hook).join(file), &out.join(format!("{hook}.{file}")))?;
        }
    }
    let nested = Nested {
        root: Path::new(&variable("CARGO_MANIFEST_DIR")?).join(".."),
        target_directory: target_directory(&out).join("bundled"),
    };
    check_targets()?;

    let packages: Vec<String> = HOOKS.iter().map(|hook| format!("--package=cutover-hook-{hook}")).collect();
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    nested.build(HOOK_TARGET, "hook", &packages)?;
    for hook in HOOKS {
        let built =
            nested.artifact(HOOK_TARGET, "hook", &format!("cutover_hook_{}.wasm", hook.replace('-', "_")));
        copy(&built, &out.join(format!("{hook}.wasm")))?;
    }
    nested.build(HOOK_TARGET, "release", &["--manifest-path=engine/script/Cargo.toml"])?;
    copy(&nested.artifact(HOOK_TARGET, "release", "cutover_script.wasm"), &out.join(INTERPRETER))?;
    for target in HELPER_TARGETS {
        // Linked without a C compiler, by the linker that comes with Rust.
        let linker = format!("--config=target.{target}.linker=\"rust-lld\"");
        nested.build(target, "helper", &["--package=cutover-host", "--bin=cutover-host", &linker])?;
        copy(&nested.artifact(target, "helper", "cutover-host"), &out.join(format!("helper-{target}")))?;
    }
    Ok(())
}

/// Takes over what is ready-made.
fn take_carried(out: &Path) -> Result<(), String> {
    instruct("rerun-if-changed", CARRIED);
    let of_hooks = HOOKS
        .iter()
        .flat_map(|hook| ["wasm"].into_iter().chain(HOOK_FILES).map(move |file| format!("{hook}.{file}")));
    let helpers = HELPER_TARGETS.iter().map(|target| format!("helper-{target}"));
    let interpreter = [INTERPRETER.to_owned()];
    of_hooks
        .chain(helpers)
        .chain(interpreter)
        .try_for_each(|file| copy(&Path::new(CARRIED).join(&file), &out.join(&file)))
}

struct Nested {
    root: PathBuf,
    target_directory: PathBuf,
}

impl Nested {
    fn build(&self, target: &str, profile: &str, arguments: &[&str]) -> Result<(), String> {
        let mut cargo = Command::new(variable("CARGO")?);
        cargo
            .current_dir(&self.root)
            .args(["build", "--locked", "--quiet", "--target", target, "--profile", profile])
            .args(arguments)
            .arg("--target-dir")
            .arg(&self.target_directory);
        // What the outer build sets for itself: clippy's or a cache's wrapper, flags for another target, a target directory.
        for name in [
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_WRAPPER",
            "RUSTFLAGS",
        ] {
            cargo.env_remove(name);
        }
        let output = cargo.output().map_err(|error| format!("failed to start cargo: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "failed to build what the program carries for {target} ({})\n{errors}",
            arguments.join(" ")
        ))
    }

    fn artifact(&self, target: &str, profile: &str, file: &str) -> PathBuf {
        self.target_directory.join(target).join(profile).join(file)
    }
}

/// The outer build's target directory: the one that cargo marked.
fn target_directory(out: &Path) -> &Path {
    out.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file()).unwrap_or(out)
}

/// A missing target would show as hundreds of errors about a missing `std`.
fn check_targets() -> Result<(), String> {
    let output = Command::new(variable("RUSTC")?)
        .args(["--print", "sysroot"])
        .output()
        .map_err(|error| format!("failed to start rustc: {error}"))?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join("lib/rustlib");
    let wanted = [HOOK_TARGET].into_iter().chain(HELPER_TARGETS);
    let missing: Vec<&str> = wanted.filter(|target| !libraries.join(target).join("lib").is_dir()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("missing compilation targets: run `rustup target add {}`", missing.join(" ")))
}

/// Copies only what differs, so that nothing is compiled again for the same bytes.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let fault = |error| format!("failed to take over `{}`: {error}", from.display());
    let bytes = fs::read(from).map_err(fault)?;
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(to, bytes).map_err(fault)
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("`{name}` is not set: this is run by cargo alone"))
}

fn instruct(instruction: &str, value: &str) {
    println!("cargo::{instruction}={value}");
}
