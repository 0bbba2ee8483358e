//! `cargo xtask package`: the crates as they are published, with what the program carries ready-made, built once from what was packed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{self, cargo, root};

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
const HELPERS: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// Puts the packages into `target/package`. With `verify` each is built from what is in it alone.
pub(crate) fn run(verify: bool) -> Result<(), String> {
    let program = command::build_cutover()?;
    let bundled = program.ancestors().nth(2).unwrap_or(Path::new("target")).join("bundled");
    let carried = root().join("engine/carried");
    fs::create_dir_all(&carried).map_err(|fault| format!("`{}`: {fault}", carried.display()))?;
    let take = |from: &Path, name: &str| {
        let fault = |fault| format!("`{}` can't be carried: {fault}", from.display());
        fs::copy(from, carried.join(name)).map(drop).map_err(fault)
    };
    for hook in HOOKS {
        let component = format!("wasm32-wasip2/hook/cutover_hook_{}.wasm", hook.replace('-', "_"));
        take(&bundled.join(component), &format!("{hook}.wasm"))?;
        for file in ["grants.toml", "settings.schema.json"] {
            take(&root().join("example-hooks").join(hook).join(file), &format!("{hook}.{file}"))?;
        }
    }
    take(&bundled.join("wasm32-wasip2/release/cutover_script.wasm"), "script.wasm")?;
    for target in HELPERS {
        take(&bundled.join(target).join("helper/cutover-host"), &format!("helper-{target}"))?;
    }
    // Cargo would ask about what is carried, which is no part of the repository; so we ask about the rest.
    let changed = Command::new("git").args(["status", "--porcelain"]).current_dir(root()).output();
    if !changed.is_ok_and(|changed| changed.status.success() && changed.stdout.is_empty()) {
        return Err("what is published is what is committed: `git status` shows changes".to_owned());
    }
    let crates = ["--package=cutover-host", "--package=cutover-hooks", "--package=cutover"];
    let verify = if verify { &[][..] } else { &["--no-verify"] };
    command::run(&mut cargo(&[&["package", "--locked", "--allow-dirty"], &crates[..], verify].concat()))
}
