//! `cargo xtask bench`: what a call of a hook costs, also by its language, what a deployment costs, and what a switch costs.

use crate::command::{self, cargo};
use crate::peers;

/// Whether a benchmark takes these options.
pub(crate) fn knows(name: &str, options: &[&str]) -> bool {
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let known = match (name, *option) {
            (_, "--json") | ("deploy", "--many") => true,
            ("switch", "--switches") | ("languages", "--rounds") => {
                options.next().is_some_and(|number| number.parse::<usize>().is_ok())
            }
            ("switch", "--only") => options.next().is_some(),
            _ => false,
        };
        if !known {
            return false;
        }
    }
    true
}

/// Builds the program as it is released, and measures. `name` is a benchmark of the engine's, `options` go to it.
pub(crate) fn run(name: &str, options: &[&str]) -> Result<(), String> {
    match name {
        "hook" => {}
        "languages" => peers::for_languages()?,
        _ => peers::for_bench()?,
    }
    let words = ["bench", "--locked", "--package", "cutover", "--bench", name, "--"];
    let mut bench = cargo(&[words.as_slice(), options].concat());
    if name == "languages" {
        // Those that take long to build, too.
        bench.env("CUTOVER_TEST_NIGHTLY", "1");
    }
    command::run(&mut bench)
}
