//! The files that a hook begins with, by language and kind: `templates/LANGUAGE/` has those that all kinds share, and a folder for each kind.
//!
//! `@NAME@` and the like stand for what the wish says.

use super::{Language, Wish};
use crate::model::HookKind;

/// A file of a template.
struct File {
    /// In the hook's directory.
    path: &'static str,
    /// By kind, in the order of [`HookKind::ALL`].
    texts: [&'static str; 4],
}

/// The same for all kinds.
macro_rules! shared {
    ($path:literal, $file:literal) => {
        File { path: $path, texts: [include_str!(concat!("templates/", $file)); 4] }
    };
}

/// Another one for each kind.
macro_rules! by_kind {
    ($path:literal, $folder:literal, $file:literal) => {
        File { path: $path, texts: texts!($folder, $file) }
    };
}

/// Texts of `templates/FOLDER/KIND…`.
macro_rules! texts {
    ($folder:literal, $rest:literal) => {
        [
            include_str!(concat!("templates/", $folder, "/build", $rest)),
            include_str!(concat!("templates/", $folder, "/health-check", $rest)),
            include_str!(concat!("templates/", $folder, "/smoke-test", $rest)),
            include_str!(concat!("templates/", $folder, "/router", $rest)),
        ]
    };
}

const RUST: &[File] = &[
    shared!(".gitignore", "rust/gitignore"),
    // Another name here: a directory with a `Cargo.toml` is left out of this crate's package.
    shared!("Cargo.toml", "rust/manifest.toml"),
    shared!("README.md", "rust/README.md"),
    shared!("rust-toolchain.toml", "rust/rust-toolchain.toml"),
    by_kind!("src/lib.rs", "rust", "/lib.rs"),
];

const JS: &[File] = &[
    shared!(".gitignore", "js/gitignore"),
    shared!("README.md", "js/README.md"),
    shared!("package.json", "js/package.json"),
    by_kind!("hook.js", "js", "/hook.js"),
    by_kind!("hook.test.js", "js", "/hook.test.js"),
];

const TS: &[File] = &[
    shared!(".gitignore", "ts/gitignore"),
    shared!("README.md", "ts/README.md"),
    shared!("contract.d.ts", "ts/contract.d.ts"),
    by_kind!("hook.test.js", "js", "/hook.test.js"),
    by_kind!("hook.ts", "ts", "/hook.ts"),
    shared!("package.json", "ts/package.json"),
    shared!("tsconfig.json", "ts/tsconfig.json"),
];

const PYTHON: &[File] = &[
    shared!(".gitignore", "python/gitignore"),
    shared!("README.md", "python/README.md"),
    shared!("requirements.txt", "python/requirements.txt"),
    by_kind!("app.py", "python", "/app.py"),
    by_kind!("test_app.py", "python", "/test_app.py"),
];

const C: &[File] = &[
    shared!(".gitignore", "c/gitignore"),
    shared!("Makefile", "c/makefile"),
    shared!("README.md", "c/README.md"),
    by_kind!("contract.c", "c", "/contract.c"),
    by_kind!("contract.h", "c", "/contract.h"),
    shared!("cutover.c", "c/cutover.c"),
    shared!("cutover.h", "c/cutover.h"),
    by_kind!("hook.c", "c", "/hook.c"),
    shared!("requirements.txt", "c/requirements.txt"),
    by_kind!("test/hook_test.c", "c", "/hook_test.c"),
];

const GO: &[File] = &[
    shared!(".gitignore", "go/gitignore"),
    shared!("README.md", "go/README.md"),
    by_kind!("component/main.go", "go", "/main.go"),
    by_kind!("contract/@PACKAGE@/contract.go", "go", "/contract.go"),
    shared!("contract/engine/contract.go", "go/contract/engine.go"),
    shared!("contract/engine/empty.s", "go/empty.s"),
    shared!("contract/hook_types/contract.go", "go/contract/hook_types.go"),
    shared!("contract/hosts/contract.go", "go/contract/hosts.go"),
    shared!("contract/hosts/empty.s", "go/empty.s"),
    shared!("contract/http_client/contract.go", "go/contract/http_client.go"),
    shared!("contract/http_client/empty.s", "go/empty.s"),
    shared!("contract/secret_text/contract.go", "go/contract/secret_text.go"),
    shared!("contract/secret_text/empty.s", "go/empty.s"),
    shared!("contract/secrets/contract.go", "go/contract/secrets.go"),
    shared!("contract/secrets/empty.s", "go/empty.s"),
    shared!("cutover.go", "go/cutover.go"),
    by_kind!("exports.go", "go", "/exports.go"),
    shared!("go.mod", "go/gomod"),
    by_kind!("hook.go", "go", "/hook.go"),
    by_kind!("hook_test.go", "go", "/hook_test.go"),
    by_kind!("imports_wasm.go", "go", "/imports_wasm.go"),
];

/// Code that hooks of several kinds have alike, by the line that it stands for. Each hook is one file: a script of JavaScript is compiled
/// by itself.
const fn alike(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        // The SDK has it.
        Language::Rust => &[],
        Language::Js => &[
            ("@ANSWERING@\n", include_str!("templates/js/answering.js")),
            ("@GET@\n", include_str!("templates/js/get.js")),
        ],
        Language::Ts => &[
            ("@ANSWERING@\n", include_str!("templates/ts/answering.ts")),
            ("@GET@\n", include_str!("templates/ts/get.ts")),
        ],
        Language::Python => &[
            ("@ANSWERING@\n", include_str!("templates/python/answering.py")),
            ("@GET@\n", include_str!("templates/python/get.py")),
        ],
        Language::C => &[("@GET@\n", include_str!("templates/c/get.c"))],
        Language::Go => &[("@GET@\n", include_str!("templates/go/get.go"))],
    }
}

/// What the template of a kind does, in words.
const WHAT: [&str; 4] = texts!("use", ".md");

/// How it is used, in the words of `cutover.toml`.
const USE: [&str; 4] = texts!("use", ".toml");

/// The files of the template, by their paths in the hook's directory.
pub(super) fn files_of(wish: &Wish) -> Vec<(String, String)> {
    let files = match wish.language {
        Language::Rust => RUST,
        Language::Js => JS,
        Language::Ts => TS,
        Language::Python => PYTHON,
        Language::C => C,
        Language::Go => GO,
    };
    let filled = |file: &File| (filled(file.path, wish), filled(of_kind(&file.texts, wish.kind), wish));
    files.iter().map(filled).collect()
}

fn of_kind(texts: &[&'static str; 4], kind: HookKind) -> &'static str {
    let [build, health_check, smoke_test, router] = texts;
    match kind {
        HookKind::Build => build,
        HookKind::HealthCheck => health_check,
        HookKind::SmokeTest => smoke_test,
        HookKind::Router => router,
    }
}

fn filled(text: &str, wish: &Wish) -> String {
    // What a test of JavaScript reads: the hook itself, or what the compiler of TypeScript made of it.
    let script = if wish.language == Language::Ts { "build/hook.js" } else { "hook.js" };
    let package = wish.kind.as_str().replace('-', "_");
    // What is put in first may itself have the name to fill in.
    let words = [
        ("@WHAT@", of_kind(&WHAT, wish.kind)),
        ("@USE@", of_kind(&USE, wish.kind)),
        ("@KIND@", wish.kind.as_str()),
        ("@PACKAGE@", &package),
        ("@SCRIPT@", script),
        ("@VERSION@", env!("CARGO_PKG_VERSION")),
        ("@NAME@", wish.name.as_str()),
    ];
    let places = alike(wish.language).iter().copied().chain(words);
    places.fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_in_the_order_of_the_kinds() {
        for (kind, text) in HookKind::ALL.into_iter().zip(USE) {
            assert_eq!(of_kind(&USE, kind), text);
            assert!(text.trim_start_matches('[').starts_with(&format!("{kind}]")), "{text}");
        }
    }

    /// `secret-headers` → `secretHeaders`.
    fn camel(name: &str) -> String {
        let mut parts = name.split('-');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |name, part| name + &part[..1].to_uppercase() + &part[1..])
    }

    #[test]
    fn the_contract_in_typescript_is_the_contract() {
        let contract = crate::author::contract();
        let declared = include_str!("templates/ts/contract.d.ts");
        let (mut named, mut cases) = (0, 0);
        for line in contract.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let is_name =
                |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            // Fields and functions; cases of variants and enums.
            if let Some(name) = line.split_once(": ").map(|(name, _)| name).filter(is_name) {
                let name = camel(name);
                assert!(
                    declared.contains(&format!("{name}: ")) || declared.contains(&format!("{name}(")),
                    "{name}"
                );
                named += 1;
            }
            let case = line
                .trim_end_matches(',')
                .split('(')
                .next()
                .filter(|_| line.ends_with(',') && !line.contains(": "));
            if let Some(case) = case.filter(is_name) {
                assert!(declared.contains(&format!("\"{case}\"")), "{case}");
                cases += 1;
            }
        }
        assert!(named > 80 && cases == 25, "{named} names and {cases} cases were seen");
    }

    #[test]
    fn the_compiler_is_the_one_that_the_sdk_was_tested_with() {
        let channel =
            |text: &'static str| text.lines().find(|line| line.starts_with("channel = ")).expect("a channel");
        assert_eq!(
            channel(include_str!("templates/rust/rust-toolchain.toml")),
            channel(include_str!("../../../rust-toolchain.toml"))
        );
    }
}
