//! The component that runs a hook which is a script: `hook = "script:checks/login.js"`.
//!
//! It exports every kind of hook and imports every interface; which of them a script has is what the script itself exports and imports,
//! and the engine asks for that (`../src/hook/script.wit`) before it asks anything else. The text of the script is standard input.
//!
//! A script is a JavaScript module in the form that `componentize-qjs` takes, so that it can become a component of its own: `import { send } from
//! "cutover:hook/http-client@0.1.0"`, `export const smokeTest = { validate(settings) {…}, run(call) {…} }`, records as objects with keys in
//! camelCase, variants as `{ tag, val }`, no value as `null`, bytes as `Uint8Array`, errors thrown.

#[cfg(target_family = "wasm")]
#[allow(
    missing_docs,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    reason = "generated"
)]
mod bindings;

mod answers;
mod bytes;
#[cfg(target_family = "wasm")]
mod contract;
mod globals;
mod imports;
mod interfaces;
mod kinds;
mod location;
mod plain;
mod questions;
mod script;
#[cfg(test)]
mod tests;
mod thrown;

cutover_hooks::export!(build: kinds::Scripted);
cutover_hooks::export!(health_check: kinds::Scripted);
cutover_hooks::export!(smoke_test: kinds::Scripted);
cutover_hooks::export!(router: kinds::Scripted);
