//! The guests of `tests/components/matrix`: one a language, each of every kind. In TypeScript, C and Go they take the place of what
//! `cutover hook new` begins with: in C and Go one of each kind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cutover::model::HookKind;
use cutover::model::HookSource;
use test_support::{componentize_py, componentize_qjs, toolchain};

use super::super::stage::built;

/// What all of them export, and import.
const WORLD: &str = "package local:hook;

world hook {
    include cutover:hook/build-hook@0.1.0;
    include cutover:hook/health-check-hook@0.1.0;
    include cutover:hook/smoke-test-hook@0.1.0;
    include cutover:hook/router-hook@0.1.0;
}
";

/// What a hook can be written in.
#[derive(Clone, Copy)]
pub(super) enum Language {
    Rust,
    Script,
    Js,
    Ts,
    Python,
    C,
    Go,
}

/// A hook of every kind.
pub(super) struct Guest {
    pub(super) source: HookSource,
    /// One of all kinds, or one of each, in the order of [`HookKind::ALL`].
    files: Vec<Vec<u8>>,
    /// How its crash begins. The interpreter catches what a script throws.
    pub(super) crashes: &'static str,
}

impl Guest {
    pub(super) fn file(&self, kind: HookKind) -> Vec<u8> {
        let index = HookKind::ALL.iter().position(|other| *other == kind).unwrap();
        self.files[index % self.files.len()].clone()
    }
}

impl Language {
    pub(super) const ALL: [Self; 7] =
        [Self::Rust, Self::Script, Self::Js, Self::Ts, Self::Python, Self::C, Self::Go];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Script => "script",
            Self::Js => "js",
            Self::Ts => "ts",
            Self::Python => "python",
            Self::C => "c",
            Self::Go => "go",
        }
    }

    /// The guest, built in a directory below `place`. None, with a word why, where its toolchain is not here, or is not to be used.
    pub(super) fn guest(self, place: &Path) -> Option<Guest> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/components/matrix");
        let place = place.join(self.name());
        Some(match self {
            Self::Rust => components(vec![built("matrix")]),
            Self::Script => Guest {
                source: HookSource::Script("/hooks/hook.js".into()),
                files: vec![fs::read(sources.join("js/hook.js")).unwrap()],
                crashes: "hook/failed: /hooks/hook.js:",
            },
            Self::Js => {
                let mut build = componentize_qjs()?;
                build.arg("--wit").arg(contract(&place, WORLD)).args(["--world", "hook", "--sync", "--js"]);
                build.arg(sources.join("js/hook.js"));
                components(vec![made(&mut build, &place)])
            }
            Self::Ts => {
                let text = fs::read_to_string(sources.join("ts/hook.ts")).unwrap();
                let own = [("hook.ts", text), ("wit/world.wit", WORLD.to_owned())];
                components(vec![of_template("ts", HookKind::Router, "all", &place, &[], &own)?])
            }
            Self::Python => {
                let mut build = componentize_py()?;
                build.arg("-d").arg(contract(&place, WORLD)).args([
                    "-w",
                    "hook",
                    "componentize",
                    "app",
                    "-p",
                ]);
                // Python leaves its own files beside the source.
                fs::copy(sources.join("python/app.py"), place.join("app.py")).unwrap();
                components(vec![made(build.arg(&place), &place)])
            }
            Self::C => {
                let text = fs::read_to_string(sources.join("c/hook.c")).unwrap();
                let files = HookKind::ALL.map(|kind| {
                    let defined = kind.as_str().replace('-', "_").to_uppercase();
                    of_template(
                        "c",
                        kind,
                        kind.as_str(),
                        &place,
                        &[],
                        &[("hook.c", format!("#define {defined}\n{text}"))],
                    )
                });
                components(files.into_iter().collect::<Option<_>>()?)
            }
            Self::Go => {
                let files = HookKind::ALL.map(|kind| {
                    let text = |name: &str| {
                        let text = fs::read_to_string(sources.join(format!("go/{name}.go"))).unwrap();
                        text.replace("@NAME@", kind.as_str())
                    };
                    let others = ["exports.go", "hook_test.go", "imports_wasm.go"];
                    let own = [("hook.go", text("hook")), ("kind.go", text(kind.as_str()))];
                    of_template("go", kind, kind.as_str(), &place, &others, &own)
                });
                components(files.into_iter().collect::<Option<_>>()?)
            }
        })
    }
}

fn components(files: Vec<Vec<u8>>) -> Guest {
    let source = HookSource::File("/hooks/hook.wasm".into());
    Guest {
        source,
        files,
        crashes: "hook/trapped: the hook crashed (panic, abort or an exception that nobody caught)\n",
    }
}

/// A hook as `cutover hook new` begins it and `cutover hook build` builds it, but for these files: some are left out, some are the guest's.
pub(crate) fn of_template(
    language: &str,
    kind: HookKind,
    name: &str,
    place: &Path,
    without: &[&str],
    own: &[(&str, String)],
) -> Option<Vec<u8>> {
    let cutover = |words: &[&str], variables: Vec<(String, String)>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        command.args(words).current_dir(place).envs(variables);
        command.env("XDG_CACHE_HOME", place).env("XDG_STATE_HOME", place);
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ended.stderr));
    };
    fs::create_dir_all(place).unwrap();
    cutover(&["hook", "new", name, "--kind", kind.as_str(), "--lang", language], Vec::new());
    let directory = place.join(name);
    let variables = toolchain(language, &directory)?;
    without.iter().for_each(|file| fs::remove_file(directory.join(file)).unwrap());
    own.iter().for_each(|(file, text)| fs::write(directory.join(file), text).unwrap());
    cutover(&["hook", "build", name], variables);
    Some(fs::read(directory.join(format!("{name}.wasm"))).unwrap())
}

/// A directory with the contract, and a world beside it.
pub(in super::super) fn contract(place: &Path, world: &str) -> PathBuf {
    let (wit, own) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit"), place.join("wit"));
    fs::create_dir_all(own.join("deps/hook")).unwrap();
    fs::write(own.join("world.wit"), world).unwrap();
    for file in fs::read_dir(wit).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), own.join("deps/hook").join(file.file_name())).unwrap();
    }
    own
}

/// What a command makes that takes `-o`.
pub(in super::super) fn made(build: &mut Command, place: &Path) -> Vec<u8> {
    let file = place.join("hook.wasm");
    let built = build.arg("-o").arg(&file).output().unwrap();
    assert!(built.status.success(), "{built:?}");
    fs::read(file).unwrap()
}
