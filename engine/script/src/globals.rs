//! What a script has beside the language itself, and what is told where it reaches for what it has not.

use boa_engine::{Context, Finalize, JsResult, Trace};
use boa_runtime::console::{Console, ConsoleState, Logger};
use cutover_hooks::engine::{self, Level};

/// `TextEncoder`, `TextDecoder`, `atob`, `btoa`, and a `console` that is the log.
///
/// # Errors
/// When there is no memory for them.
pub(crate) fn add(context: &mut Context) -> JsResult<()> {
    boa_runtime::text::register(None, context)?;
    boa_runtime::base64::register(None, context)?;
    Console::register_with_logger(Log, context)
}

/// The log of the engine, which needs no grant.
#[derive(Debug, Trace, Finalize)]
struct Log;

impl Logger for Log {
    fn debug(&self, message: String, state: &ConsoleState, _: &mut Context) -> JsResult<()> {
        log(Level::Debug, &message, state);
        Ok(())
    }

    fn log(&self, message: String, state: &ConsoleState, _: &mut Context) -> JsResult<()> {
        log(Level::Info, &message, state);
        Ok(())
    }

    fn info(&self, message: String, state: &ConsoleState, _: &mut Context) -> JsResult<()> {
        log(Level::Info, &message, state);
        Ok(())
    }

    fn warn(&self, message: String, state: &ConsoleState, _: &mut Context) -> JsResult<()> {
        log(Level::Warn, &message, state);
        Ok(())
    }

    fn error(&self, message: String, state: &ConsoleState, _: &mut Context) -> JsResult<()> {
        log(Level::Error, &message, state);
        Ok(())
    }
}

/// Each line by itself, as the log has them.
fn log(level: Level, message: &str, state: &ConsoleState) {
    for line in message.lines() {
        engine::log(level, format!("{}{line}", " ".repeat(state.indent())));
    }
}

/// What authors expect of other places, and what there is instead.
const ABSENT: [(&[&str], &str); 5] = [
    (
        &["fetch", "XMLHttpRequest", "WebSocket", "Request", "Response", "Headers"],
        "requests are sent by `import { send } from \"cutover:hook/http-client@0.1.0\"`",
    ),
    (
        &["setTimeout", "setInterval", "setImmediate"],
        "a script waits by `import { sleepMs } from \"cutover:hook/engine@0.1.0\"`: nothing goes on after its answer",
    ),
    (
        &["require", "module", "exports", "process", "Buffer", "Deno", "Bun", "__dirname", "__filename"],
        "a script is one file, and nothing of Node.js is there: bundle what it needs",
    ),
    (
        &["crypto"],
        "what is signed with a secret is signed by `import { hmacSha256 } from \"cutover:hook/secrets@0.1.0\"`",
    ),
    (
        &["URL", "URLSearchParams", "structuredClone", "queueMicrotask", "performance", "window", "document"],
        "`cutover help scripts` tells what there is",
    ),
];

/// What there is instead of a name that is not defined.
pub(crate) fn instead_of(name: &str) -> Option<&'static str> {
    ABSENT.into_iter().find(|(names, _)| names.contains(&name)).map(|(_, instead)| instead)
}
