//! Programs for Node.js that tests need, where `cargo xtask test` puts them.

use std::path::PathBuf;
use std::process::Command;

use crate::skipped::skip;

/// Node.js with a program of a package from there; none, with a word why, where it is not installed.
pub(crate) fn node_with(package: &str, program: &str) -> Option<Command> {
    let test = std::env::current_exe().unwrap();
    // Beside the profile that the tests were built in.
    let modules: PathBuf = test.ancestors().nth(3).unwrap().join("peers/node/node_modules");
    let program = modules.join(package).join(program);
    if !program.is_file() {
        skip(&format!("`{package}` is not installed: `cargo xtask test` does that"));
        return None;
    }
    let mut node = Command::new("node");
    node.arg(program);
    Some(node)
}

/// What makes components out of JavaScript. None, with a word why, where it is not installed.
///
/// # Panics
/// When this program does not lie where cargo builds tests.
#[must_use]
pub fn componentize_qjs() -> Option<Command> {
    node_with("componentize-qjs", "bin/componentize-qjs")
}
