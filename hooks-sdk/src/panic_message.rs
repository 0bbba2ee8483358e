//! Where a panic's message goes.

use std::sync::Once;

/// Writes the message of a panic as one line to standard error, which the engine keeps and shows beside the failed call. (The trap
/// itself says `unreachable` and no more.) The engine's log would not do: `validate` has no imports.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    if cfg!(target_family = "wasm") {
        ONCE.call_once(|| {
            std::panic::set_hook(Box::new(|panic| {
                let message = panic.payload_as_str().unwrap_or("no message");
                let place =
                    panic.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
                #[expect(clippy::print_stderr, reason = "the engine reads it")]
                {
                    eprintln!("panicked at {place}: {message}");
                }
            }));
        });
    }
}
