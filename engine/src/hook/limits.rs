//! Limits that no hook's configuration changes: of the engine's own patience, and of the frames between it and a sandbox. Those that a hook's
//! table `limits` sets are in [`crate::model::Limit`].

use std::time::Duration;

use crate::model::Limit;

/// Bytes of writable memory that a sandbox needs beside its guest's: for the runtime, and for what imports carry.
pub(super) const RUNTIME_DATA: u64 = 256 << 20;
/// Bytes of stack of the thread that runs a guest: the guest's, and what its imports need below.
pub(super) const THREAD_STACK: usize = (Limit::Stack.spec().most as usize) + (6 << 20);
/// Open files of a sandbox.
pub(super) const FILES: u64 = 64;
/// After which compiling is shown to people.
pub(super) const COMPILE_SHOWN: Duration = Duration::from_secs(1);
/// For a sandbox to start and take its code.
pub(super) const START: Duration = Duration::from_secs(20);
/// Between two looks at the time while a guest computes.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// From the deadline of a call, which the sandbox keeps itself, to the end of the sandbox.
pub(super) const GRACE: Duration = Duration::from_millis(500);
/// For a sandbox that broke off to be gone, and for what it printed last.
pub(super) const LAST_BREATH: Duration = Duration::from_millis(200);

/// Bytes that the payload of a frame may have where a hook's limits are not known yet.
pub(super) const PAYLOAD: usize = Limit::CallBytes.spec().most as usize;
/// Bytes of a message to a sandbox beside its payload: room for the longest text, unless most of it has to be escaped.
pub(super) const MESSAGE: usize = 48 << 20;
/// Bytes of a message from a sandbox that has not been asked anything: what a component imports and exports.
pub(super) const DESCRIPTION: usize = 1 << 20;
/// Bytes of a message beside the answer that it brings.
pub(super) const ENVELOPE: usize = 256;
/// Bytes of compiled code.
pub(super) const CODE: usize = 512 << 20;
/// Bytes of what a guest printed that are shown with a trap.
pub(super) const PRINTED_TAIL: usize = 8 << 10;
/// Denials of one call that are kept.
pub(super) const DENIALS: usize = 100;
