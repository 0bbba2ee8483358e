//! Failures are told when they happen, not when the last test has ended.

use std::io::Write as _;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

/// Characters of a message that are told at once; the whole of it comes at the end.
const LONGEST: usize = 4000;

/// From now on, a test that fails says so on standard error, past what keeps back the output of tests. Whoever reads along, or has only a
/// part of a long run's output, knows why.
pub(crate) fn tell_failures_at_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // Whoever can't read it misses nothing.
            let _ = std::io::stderr().write_all(told(panic).as_bytes());
            usual(panic);
        }));
    });
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let test = std::thread::current().name().unwrap_or("a thread").to_owned();
    let place =
        panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("it panicked");
    let message: String = message.chars().take(LONGEST).collect();
    format!("\ntest {test} fails at {place}: {message}\n")
}
