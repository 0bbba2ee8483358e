//! The languages that there are templates for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language with a toolchain whose components were held against the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// By cargo, on the crate `cutover-hooks`.
    Rust,
    /// On QuickJS, by componentize-qjs.
    Js,
    /// Checked and bundled, then as JavaScript.
    Ts,
    /// By componentize-py.
    Python,
    /// By zig, or by clang with wasi-libc.
    C,
    /// By its own compiler.
    Go,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rust, Self::Js, Self::Ts, Self::Python, Self::C, Self::Go];

    /// As it is written on the command line and in `hook.toml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Ts => "ts",
            Self::Python => "python",
            Self::C => "c",
            Self::Go => "go",
        }
    }

    /// What an author types in a new hook's directory before it is built: what is installed once, then the tests.
    #[must_use]
    pub const fn first_commands(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["cargo test"],
            Self::Js | Self::Ts => &["npm install", "npm test"],
            Self::Python => &[
                "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
                ".venv/bin/componentize-py -d wit -w hook bindings stubs",
                "python3 -m unittest",
            ],
            Self::C => &["python3 -m venv .venv && .venv/bin/pip install -r requirements.txt", "make test"],
            Self::Go => &["go mod tidy", "go test ./..."],
        }
    }

    /// Whether components keep every import of their world. Those of the others import what their code calls, whatever the world has.
    #[must_use]
    pub const fn keeps_imports(self) -> bool {
        match self {
            Self::Js | Self::Ts | Self::Python => true,
            Self::Rust | Self::C | Self::Go => false,
        }
    }

    /// Whether a hook's directory has the contract and a world, for the language's tools or for the last step. In Rust, the crate has them.
    #[must_use]
    pub(super) const fn has_world(self) -> bool {
        match self {
            Self::Js | Self::Ts | Self::Python | Self::C | Self::Go => true,
            Self::Rust => false,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
