//! Write hooks for the cutover deploy engine in Rust.
//!
//! A hook is a WebAssembly component that answers one question a call: is this instance healthy, how is this release built, where
//! does this router send its requests. It can do nothing by itself; what it asks of hosts and networks goes through the engine, which
//! allows what `cutover.toml` grants.
//!
//! 1. Implement the trait of the kind: [`Build`], [`HealthCheck`], [`SmokeTest`] or [`Router`].
//! 2. Name the type in [`export!`].
//! 3. `cargo build --release --target wasm32-wasip2` makes the component; its crate type is `cdylib`.
//!
//! ```
//! use cutover_hooks::http::Request;
//! use cutover_hooks::{Call, Health, HealthCheck, HookError, Instance};
//!
//! /// `settings = { path = "/ready" }`
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! pub struct Settings {
//!     path: String,
//! }
//!
//! pub struct Ready;
//!
//! impl HealthCheck for Ready {
//!     type Settings = Settings;
//!
//!     fn check(settings: &Settings, _call: &Call, instance: &Instance) -> Result<Health, HookError> {
//!         let answer = Request::to_instance("GET", instance, &settings.path).send()?;
//!         match answer.status {
//!             200 => Ok(Health::Healthy(None)),
//!             503 => Ok(Health::Starting("still warming up".to_owned())),
//!             status => Ok(Health::Unhealthy(format!("answered {status}"))),
//!         }
//!     }
//! }
//!
//! cutover_hooks::export!(health_check: Ready);
//! # fn main() {}
//! ```
//!
//! A component exports the kinds that are named in `export!`, and imports what its code calls: a hook that never uses [`hosts`] can't
//! touch a host, whatever is granted.
//!
//! # Errors
//! `?` turns the errors of [`hosts`], [`http`] and serde into a [`HookError`]: refusals stay `denied`, broken connections become
//! `temporary` (the engine asks again), the rest is `failed`. [`HookError::hint`] adds what a person can do about it. A panic ends the
//! call and its message reaches the operator.
//!
//! # Tests
//! Outside WebAssembly the imports are answered by [`fake`], a scripted world of hosts: `cargo test` tests a hook without an engine.

#[cfg_attr(doc, doc(hidden))]
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
pub mod bindings;

mod build;
mod call;
mod error;
mod export;
mod health_check;
mod panic_message;
mod router;
mod settings;
mod smoke_test;
mod statuses;

pub mod engine;
#[cfg(not(target_family = "wasm"))]
pub mod fake;
pub mod flags;
pub mod hosts;
pub mod http;
pub mod secrets;
pub mod setup;
pub mod testers;

pub use bindings::imports::cutover::hook::hook_types::{
    Call, Color, HookError, Instance, Label, Release, SettingFault,
};
pub use build::{Artifact, Build, Source};
pub use error::Context;
pub use health_check::{Health, HealthCheck};
pub use router::{Observation, Router, Routing};
pub use smoke_test::{Outcome, SmokeTest, TestCase};
pub use statuses::Statuses;

/// What [`export!`] expands to; not for authors.
#[doc(hidden)]
pub mod exported {
    pub use crate::build::Exported as Build;
    pub use crate::health_check::Exported as HealthCheck;
    pub use crate::router::Exported as Router;
    pub use crate::smoke_test::Exported as SmokeTest;
}

/// Who answers the imports: the engine in a component, the fake world anywhere else.
#[cfg(target_family = "wasm")]
use bindings::imports::cutover::hook as wire;
#[cfg(not(target_family = "wasm"))]
use fake::wire;
