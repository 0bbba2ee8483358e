//! Tests that can't run here: told at the end of `cargo xtask test`, since a test that passes shows nothing of what it says.

use std::fs::OpenOptions;
use std::io::Write;

/// Names the file that collects why tests were skipped.
const FILE: &str = "CUTOVER_TEST_SKIPPED";

/// Notes why the test that calls is skipped, in one line.
///
/// # Panics
/// When it can't be noted.
pub fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
    let Some(path) = std::env::var_os(FILE) else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{}\n", reason.replace('\n', " ")).as_bytes()).unwrap();
}
