//! The `cutover` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(cutover::hook::SANDBOX_WORD) {
        return cutover::hook::sandbox_main();
    }
    ExitCode::SUCCESS
}
