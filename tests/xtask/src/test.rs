//! `cargo xtask test`: every test there is.

use crate::command::{self, cargo};
use crate::peers;

/// Unit tests, the exhaustive test of the pipeline, documentation tests, and the end-to-end tests with real peers.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    peers::for_tests()?;
    let words = ["test", "--locked", "--workspace"];
    command::run(&mut cargo(&[words.as_slice(), args].concat()))
}
