//! Limits of the sandbox and of what crosses its border. Each breach is an outcome of its own.

use std::time::Duration;

/// Bytes of a component.
pub const WASM: usize = 64 << 20;
/// Bytes of all linear memories of a call together.
pub(super) const MEMORY: usize = 256 << 20;
/// Linear memories of a call.
pub(super) const MEMORIES: usize = 8;
/// Core instances of a call.
pub(super) const INSTANCES: usize = 100;
/// Tables of a call.
pub(super) const TABLES: usize = 32;
/// Elements of all tables of a call together.
pub(super) const TABLE_ELEMENTS: usize = 100_000;
/// Bytes of stack for the code of the guest.
pub(super) const STACK: usize = 2 << 20;
/// Bytes of writable memory of a sandbox that runs a hook: the guest's, and as much for the runtime itself.
pub(super) const RUN_DATA: u64 = 2 * MEMORY as u64;
/// The same of one that compiles: the largest honest components (Python) need 400 MB.
pub(super) const COMPILE_DATA: u64 = 1536 << 20;
/// Open files of a sandbox.
pub(super) const FILES: u64 = 64;
/// For compiling one component: the largest honest ones (Python) need 17 s of a processor, which a busy machine stretches to minutes.
pub(super) const COMPILE: Duration = Duration::from_secs(300);
/// After which compiling is shown to people.
pub(super) const COMPILE_SHOWN: Duration = Duration::from_secs(1);
/// For a sandbox to start and take its code.
pub(super) const START: Duration = Duration::from_secs(20);
/// Between two looks at the time while a guest computes.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// From the deadline of a call, which the sandbox keeps itself, to the end of the sandbox.
pub(super) const GRACE: Duration = Duration::from_secs(1);
/// Sandboxes of one hook at once.
pub(super) const SANDBOXES: usize = 8;

/// Bytes that one call of an import may carry, each way.
pub(super) const CALL_BYTES: usize = 16 << 20;
/// Bytes of a message between engine and sandbox beside its payload: room for the longest text, unless most of it has to be escaped.
pub(super) const MESSAGE: usize = 48 << 20;
/// Bytes of a message beside the answer that it brings.
pub(super) const ENVELOPE: usize = 256;
/// Bytes of compiled code.
pub(super) const CODE: usize = 512 << 20;
/// Bytes of what a guest printed that are kept.
pub(super) const PRINTED: usize = 1 << 20;
/// Bytes of what a guest printed that are shown with a trap.
pub(super) const PRINTED_TAIL: usize = 8 << 10;
/// Bytes of a log line.
pub(super) const LOG_LINE: usize = 8 << 10;
/// Log lines of one call; progress counts too.
pub(super) const LOG_LINES: u32 = 10_000;
/// Bytes of each output stream of a program.
pub(super) const EXEC_OUTPUT: u64 = 4 << 20;
/// Denials of one call that are kept.
pub(super) const DENIALS: usize = 100;

/// Bytes of the body of an HTTP answer.
pub const HTTP_BODY: usize = 8 << 20;
/// Bytes of the headers of an HTTP message.
pub(super) const HTTP_HEADERS: usize = 64 << 10;
/// For an HTTP connection.
pub(super) const HTTP_CONNECT: Duration = Duration::from_secs(5);
/// For the first byte of an HTTP answer, and between two pieces of its body.
pub(super) const HTTP_IDLE: Duration = Duration::from_secs(15);
