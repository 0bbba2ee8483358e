//! Python modules that tests need, where `cargo xtask test` puts them.

use std::path::PathBuf;
use std::process::Command;

use crate::skipped::skip;

/// Python with a module from there; none, with a word why, where it is not installed.
pub(crate) fn python_with(module: &str) -> Option<Command> {
    let test = std::env::current_exe().unwrap();
    // Beside the profile that the tests were built in.
    let modules: PathBuf = test.ancestors().nth(3).unwrap().join("peers/python");
    if !modules.join(module).is_dir() {
        skip(&format!("`{module}` is not installed: `cargo xtask test` does that"));
        return None;
    }
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", modules).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(python)
}

/// What makes components out of Python. None, with a word why, where it is not installed, or not to be used: it takes a while.
///
/// # Panics
/// When this program does not lie where cargo builds tests.
#[must_use]
pub fn componentize_py() -> Option<Command> {
    if std::env::var_os("CUTOVER_TEST_NIGHTLY").is_none() {
        skip("a hook in Python is built with `CUTOVER_TEST_NIGHTLY=1`");
        return None;
    }
    let mut python = python_with("componentize_py")?;
    python.args(["-c", "import sys, componentize_py; sys.exit(componentize_py.script())"]);
    Some(python)
}
