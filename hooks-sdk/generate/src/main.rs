//! `cargo bindings` writes `hooks-sdk/src/bindings/` and those of the templates for C and Go out of `wit/`, and those of the interpreter of scripts out
//! of its own; `cargo bindings --check` only compares, and holds `wit/` against the contracts that were released. `cargo bindings --release`
//! keeps `wit/` as one of them.
//!
//! The files are committed, so that whoever builds the engine or a hook compiles no WIT parser. All imports live in one module
//! and each kind in one of its own: a component then exports its kind alone, and imports what its code calls.

mod contract;
mod gofmt;
mod guest;
mod released;
mod templates;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator as _};
use wit_bindgen_rust::{Opts, WithOption};

use self::contract::Contract;

/// Worlds cut for the SDK: what `wit/worlds.wit` joins for other languages is here taken apart.
const WORLDS: &str = "
package cutover:sdk;
world imports {
    import cutover:hook/hook-types@0.1.0;
    import cutover:hook/engine@0.1.0;
    import cutover:hook/hosts@0.1.0;
    import cutover:hook/http-client@0.1.0;
    import cutover:hook/secrets@0.1.0;
    import cutover:hook/secret-text@0.1.0;
}
world build { export cutover:hook/build@0.1.0; }
world health-check { export cutover:hook/health-check@0.1.0; }
world smoke-test { export cutover:hook/smoke-test@0.1.0; }
world router { export cutover:hook/router@0.1.0; }
";

const MODULES: [&str; 5] = ["imports", "build", "health_check", "smoke_test", "router"];

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a program for the terminal")]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<()> {
    let (check, release) = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => (false, false),
        ["--check"] => (true, false),
        ["--release"] => (false, true),
        _ => bail!("usage: cargo bindings [--check | --release]"),
    };
    let sdk =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the crate lies in the SDK's directory")?;
    let root = sdk.parent().context("the SDK lies in the workspace")?;
    let contract = Contract::read(&root.join("wit"))?;
    if release {
        return released::release(&contract);
    }
    for module in MODULES {
        let path = sdk.join("src/bindings").join(format!("{module}.rs"));
        keep(&path, &generate(&root.join("wit"), module)?, check)?;
    }
    let script = root.join("engine/script");
    let bindings = generate_script(&root.join("engine/src/hook/script.wit"))?;
    keep(&script.join("src/bindings/script.rs"), &bindings, check)?;
    let place = root.join("engine/src/author/templates");
    for (path, text) in templates::bindings(&contract)? {
        let path = place.join(path);
        if path.extension().is_some_and(|extension| extension == "go") {
            gofmt::keep(&path, &text, check)?;
        } else {
            keep(&path, &text, check)?;
        }
    }
    if check { released::check(&contract) } else { Ok(()) }
}

fn keep(path: &Path, text: &str, check: bool) -> Result<()> {
    if !check {
        std::fs::write(path, text).with_context(|| format!("failed to write `{}`", path.display()))?;
    } else if std::fs::read_to_string(path).ok().as_deref() != Some(text) {
        bail!("`{}` is not what the WIT says\nhint: cargo bindings", path.display());
    }
    Ok(())
}

/// Rust source of one module.
fn generate(wit: &PathBuf, module: &str) -> Result<String> {
    let mut resolve = Resolve::default();
    resolve.push_path(wit)?;
    let package = resolve.push_str("sdk.wit", WORLDS)?;
    let world = resolve.select_world(&[package], Some(&module.replace('_', "-")))?;
    let mut options = Opts {
        format: true,
        runtime_path: Some("crate::bindings::rt".to_owned()),
        ownership: wit_bindgen_rust::Ownership::Owning,
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        ..Opts::default()
    };
    if module == "imports" {
        options.generate_all = true;
        options.generate_unused_types = true;
    } else {
        let types = "crate::bindings::imports::cutover::hook::hook_types";
        options.with = vec![("cutover:hook/hook-types@0.1.0".to_owned(), WithOption::Path(types.to_owned()))];
        options.pub_export_macro = true;
        options.export_macro_name = Some(format!("__export_{module}"));
    }
    written(&options, &mut resolve, world)
}

/// Rust source of what the interpreter of scripts exports beside the kinds of hooks.
fn generate_script(wit: &Path) -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some("interpreter"))?;
    let options = Opts {
        format: true,
        runtime_path: Some("cutover_hooks::bindings::rt".to_owned()),
        pub_export_macro: true,
        ..Opts::default()
    };
    written(&options, &mut resolve, world)
}

fn written(options: &Opts, resolve: &mut Resolve, world: WorldId) -> Result<String> {
    let mut files = Files::default();
    options.clone().build().generate(resolve, world, &mut files)?;
    let (_, text) = files.iter().next().context("the generator makes one file")?;
    Ok(String::from_utf8(text.to_vec())?)
}
