//! What has to be run for a component, by language.

use super::world::WORLD;
use super::{Language, Manifest};

/// One program that is run in the hook's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Programs that can do it, the best first, with what each is given before the rest: a path in the hook's directory where it has a `/`,
    /// else a name.
    pub(super) programs: &'static [&'static [&'static str]],
    /// What all of them are given.
    pub(super) args: Vec<String>,
    /// Its environment, beside that of the author.
    pub(super) env: &'static [(&'static str, &'static str)],
    /// Where none of the programs is there: what installs one.
    pub(super) install: &'static str,
}

impl Step {
    /// The command with one of its programs, as a person types it.
    pub(super) fn told(&self, program: &[&str]) -> String {
        let words = program.iter().copied().chain(self.args.iter().map(String::as_str));
        let quoted = |word: &str| {
            if word.contains(' ') { format!("'{}'", word.replace('\'', "'\\''")) } else { word.to_owned() }
        };
        words.map(quoted).collect::<Vec<_>>().join(" ")
    }
}

/// Where the component is, once the steps are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    /// Where the manifest says.
    Component,
    /// There, a module, of which a component is still to be made.
    Module,
    /// Where cargo says, in the lines that it prints.
    OfCargo,
}

/// What is run, in this order, and what came out of it. `sources` are the files of C that are in the hook's directory.
pub(super) fn steps(manifest: &Manifest, sources: &[String]) -> (Vec<Step>, Product) {
    match manifest.language {
        Language::Rust => (vec![cargo()], Product::OfCargo),
        Language::Js => (vec![componentize_qjs("hook.js", manifest)], Product::Component),
        Language::Ts => {
            (vec![tsc(), esbuild(), componentize_qjs("build/hook.js", manifest)], Product::Component)
        }
        Language::Python => (vec![componentize_py(manifest)], Product::Component),
        Language::C => (vec![zig_or_clang(manifest, sources)], Product::Module),
        Language::Go => (vec![go(manifest)], Product::Module),
    }
}

const NPM: &str = "`npm install` in the hook's directory installs it";

fn cargo() -> Step {
    // Where it builds may be set anywhere: it says itself what it has made.
    let args =
        ["build", "--release", "--target", "wasm32-wasip2", "--message-format", "json-render-diagnostics"];
    Step {
        programs: &[&["cargo"]],
        args: words(&args),
        env: &[],
        install: "https://rustup.rs installs it, and `rust-toolchain.toml` names what it adds",
    }
}

/// Nothing is written: it only checks.
fn tsc() -> Step {
    Step { programs: &[&["node_modules/.bin/tsc"]], args: Vec::new(), env: &[], install: NPM }
}

fn esbuild() -> Step {
    let args = ["hook.ts", "--bundle", "--format=esm", "--external:cutover:*", "--outfile=build/hook.js"];
    let args = args.into_iter().chain(["--log-level=warning"]);
    Step {
        programs: &[&["node_modules/.bin/esbuild"]],
        args: args.map(str::to_owned).collect(),
        env: &[],
        install: NPM,
    }
}

fn componentize_qjs(source: &str, manifest: &Manifest) -> Step {
    let component = manifest.component();
    // Without `--sync`, components want what the engine does not have: the asynchronous part of the component model.
    let args = ["--wit", "wit", "--world", WORLD, "--sync", "--js", source, "-o", &component];
    Step { programs: &[&["node_modules/.bin/componentize-qjs"]], args: words(&args), env: &[], install: NPM }
}

fn componentize_py(manifest: &Manifest) -> Step {
    let component = manifest.component();
    let args = ["-d", "wit", "-w", WORLD, "componentize", "app", "-p", ".", "-o", &component];
    Step {
        programs: &[&[".venv/bin/componentize-py"], &["componentize-py"]],
        args: words(&args),
        // Its own frames say nothing to an author.
        env: &[("RUST_BACKTRACE", "0")],
        install: "`python3 -m venv .venv && .venv/bin/pip install -r requirements.txt` in the hook's directory installs it",
    }
}

fn zig_or_clang(manifest: &Manifest, sources: &[String]) -> Step {
    let component = manifest.component();
    // What zig takes for its stack otherwise is an eighth of all memory that the engine gives.
    let args =
        ["-target", "wasm32-wasi", "-mexec-model=reactor", "-Os", "-Wall", "-Wl,-z,stack-size=1048576"];
    let args = args.into_iter().chain(["-o", &component]).chain(sources.iter().map(String::as_str));
    Step {
        programs: &[&[".venv/bin/python-zig", "cc"], &["python-zig", "cc"], &["zig", "cc"], &["clang"]],
        args: args.map(str::to_owned).collect(),
        env: &[],
        install: "`python3 -m venv .venv && .venv/bin/pip install -r requirements.txt` in the hook's directory installs it; clang does, too, with \
                  lld and wasi-libc",
    }
}

fn go(manifest: &Manifest) -> Step {
    let component = manifest.component();
    // The module that a component of Go stands on takes memory from under its runtime, which the linker lets no one do unasked.
    let args = ["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-checklinkname=0 -s -w"];
    let args = args.into_iter().chain(["-o", &component, "./component"]);
    Step {
        programs: &[&["go"]],
        args: args.map(str::to_owned).collect(),
        env: &[("GOOS", "wasip1"), ("GOARCH", "wasm")],
        install: "https://go.dev/dl has it",
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::HookName;
    use crate::model::HookKind;

    /// Who has no cutover builds with what the README and the package say: the same.
    #[test]
    fn templates_say_what_is_run() {
        let name = HookName::new("ready").expect("a name");
        for (language, file, text) in [
            (Language::Js, "package.json", include_str!("templates/js/package.json")),
            (Language::Ts, "package.json", include_str!("templates/ts/package.json")),
            (Language::Python, "README.md", include_str!("templates/python/README.md")),
            (Language::C, "Makefile", include_str!("templates/c/makefile")),
            (Language::Go, "README.md", include_str!("templates/go/README.md")),
        ] {
            let manifest = Manifest { name: name.clone(), kind: HookKind::Router, language };
            let (steps, _) = steps(&manifest, &["SOURCES".to_owned()]);
            for step in steps {
                let command = step.told(step.programs[0]);
                // The Makefile lets another compiler be named.
                let command = command.replace(".venv/bin/python-zig cc ", "$(WASM_CC) ");
                let command = command.replace("SOURCES", "$(wildcard *.c)");
                let command = command.trim_start_matches("node_modules/.bin/").trim_end();
                assert!(
                    text.replace("@NAME@", "ready").contains(command),
                    "{file} of {language} lacks {command}"
                );
            }
        }
    }
}
