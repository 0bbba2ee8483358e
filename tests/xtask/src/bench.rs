//! `cargo xtask bench hook`: what a call of a hook costs.

use crate::command::{self, cargo};

/// Builds the program as it is released, and measures.
pub(crate) fn run(as_json: bool) -> Result<(), String> {
    let words = ["bench", "--locked", "--package", "cutover", "--bench", "hook", "--"];
    let more: &[&str] = if as_json { &["--json"] } else { &[] };
    command::run(&mut cargo(&[words.as_slice(), more].concat()))
}
