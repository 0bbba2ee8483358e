//! The `cutover` program: words in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    // A sandbox is this program again, before anything else of it runs.
    if words.get(1).is_some_and(|word| word == cutover::hook::SANDBOX_WORD) {
        return cutover::hook::sandbox_main();
    }
    // So is the supervisor of processes that were started on this machine.
    if words.get(1).is_some_and(|word| word == cutover::cli::SUPERVISOR_WORD) {
        let status = cutover_host::supervise(words.into_iter().skip(2));
        return ExitCode::from(u8::try_from(status).unwrap_or(255));
    }
    cutover::cli::main(&words)
}
