//! The `cutover` program: words in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    // A sandbox is this program again, before anything else of it runs.
    if words.get(1).is_some_and(|word| word == cutover::hook::SANDBOX_WORD) {
        return cutover::hook::sandbox_main();
    }
    cutover::cli::main(words)
}
