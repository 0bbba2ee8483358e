//! Hooks that look at one instance.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::health_check::exports::cutover::hook::health_check::Guest;
pub use crate::bindings::health_check::exports::cutover::hook::health_check::Health;
use crate::{Call, HookError, Instance, SettingFault, panic_message, settings};

/// Looks once at one instance. The engine asks again and again, counts, and keeps the deadline.
pub trait HealthCheck {
    /// The `settings` table. `#[serde(deny_unknown_fields)]` finds misspelt keys.
    type Settings: DeserializeOwned;

    /// Faults that the types can't express. Asked before anything runs; every import is denied.
    #[must_use]
    fn faults(_settings: &Self::Settings) -> Vec<SettingFault> {
        Vec::new()
    }

    /// One look.
    ///
    /// # Errors
    /// When the question could not be asked. An instance that does not answer is no error but [`Health::Starting`] or
    /// [`Health::Unhealthy`].
    fn check(settings: &Self::Settings, call: &Call, instance: &Instance) -> Result<Health, HookError>;
}

/// A health check as the contract's exports.
#[derive(Debug)]
pub struct Exported<H>(PhantomData<H>);

impl<H: HealthCheck> Exported<H> {
    /// Exists for hooks alone.
    pub const fn check() {}
}

impl<H: HealthCheck> Guest for Exported<H> {
    fn validate(text: String) -> Vec<SettingFault> {
        panic_message::install();
        settings::faults(&text, H::faults)
    }

    fn check(call: Call, instance: Instance) -> Result<Health, HookError> {
        panic_message::install();
        H::check(&settings::required(&call.settings)?, &call, &instance)
    }
}
