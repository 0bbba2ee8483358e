//! Hooks that make a release.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::build::exports::cutover::hook::build::Guest;
pub use crate::bindings::build::exports::cutover::hook::build::{Artifact, Source};
use crate::{Call, HookError, SettingFault, panic_message, settings};

/// Turns one revision of the source into an artifact.
pub trait Build {
    /// The `settings` table. `#[serde(deny_unknown_fields)]` finds misspelt keys.
    type Settings: DeserializeOwned;

    /// Faults that the types can't express. Asked before anything runs; every import is denied.
    #[must_use]
    fn faults(_settings: &Self::Settings) -> Vec<SettingFault> {
        Vec::new()
    }

    /// Builds; asked once.
    ///
    /// # Errors
    /// Ends the deployment, unless temporary. Nothing on any host has changed by then.
    fn run(settings: &Self::Settings, call: &Call, source: &Source) -> Result<Artifact, HookError>;
}

/// A build hook as the contract's exports.
#[derive(Debug)]
pub struct Exported<H>(PhantomData<H>);

impl<H: Build> Exported<H> {
    /// Exists for hooks alone.
    pub const fn check() {}
}

impl<H: Build> Guest for Exported<H> {
    fn validate(text: String) -> Vec<SettingFault> {
        panic_message::install();
        settings::faults(&text, H::faults)
    }

    fn run(call: Call, source: Source) -> Result<Artifact, HookError> {
        panic_message::install();
        H::run(&settings::required(&call.settings)?, &call, &source)
    }
}
