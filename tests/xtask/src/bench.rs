//! `cargo xtask bench`: what a call of a hook costs, and what a deployment costs.

use crate::command::{self, cargo};
use crate::peers;

/// Whether a benchmark takes these options.
pub(crate) fn knows(name: &str, options: &[&str]) -> bool {
    options.iter().all(|option| *option == "--json" || (name == "deploy" && *option == "--many"))
}

/// Builds the program as it is released, and measures. `name` is a benchmark of the engine's, `options` go to it.
pub(crate) fn run(name: &str, options: &[&str]) -> Result<(), String> {
    if name == "deploy" {
        peers::for_bench()?;
    }
    let words = ["bench", "--locked", "--package", "cutover", "--bench", name, "--"];
    command::run(&mut cargo(&[words.as_slice(), options].concat()))
}
