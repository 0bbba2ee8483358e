//! The guests of `tests/components/matrix`: one a language, each of every kind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cutover::model::HookSource;
use test_support::{componentize_py, componentize_qjs};

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
    Python,
}

/// A hook of every kind.
pub(super) struct Guest {
    pub(super) source: HookSource,
    pub(super) file: Vec<u8>,
    /// How its crash begins. The interpreter catches what a script throws.
    pub(super) crashes: &'static str,
}

impl Language {
    pub(super) const ALL: [Self; 4] = [Self::Rust, Self::Script, Self::Js, Self::Python];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Script => "script",
            Self::Js => "js",
            Self::Python => "python",
        }
    }

    /// The guest, built in a directory below `place`. None, with a word why, where its toolchain is not here, or is not to be used.
    pub(super) fn guest(self, place: &Path) -> Option<Guest> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/components/matrix");
        let place = place.join(self.name());
        Some(match self {
            Self::Rust => component(built("matrix")),
            Self::Script => Guest {
                source: HookSource::Script("/hooks/hook.js".into()),
                file: fs::read(sources.join("js/hook.js")).unwrap(),
                crashes: "hook/failed: /hooks/hook.js:",
            },
            Self::Js => {
                let mut build = componentize_qjs()?;
                build.arg("--wit").arg(contract(&place, WORLD)).args(["--world", "hook", "--sync", "--js"]);
                build.arg(sources.join("js/hook.js"));
                component(made(&mut build, &place))
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
                component(made(build.arg(&place), &place))
            }
        })
    }
}

fn component(file: Vec<u8>) -> Guest {
    let source = HookSource::File("/hooks/hook.wasm".into());
    Guest {
        source,
        file,
        crashes: "hook/trapped: the hook crashed (panic, abort or an exception that nobody caught)\n",
    }
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
